# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.
"""What our filters and weighers cost nova-scheduler, and how soon they know.

    python -m benchmarks.scheduler [--rounds N] [--sizes 1000,10000]

Each is asked as Nova asks it, about all hosts of a fleet at once, and is
divided by Nova's own ComputeFilter in the same round; so that the figures
mean the same on any machine. Processor time, medians of several rounds. Then
hosts lose their sessions with a real ZooKeeper (:mod:`benchmarks.expiry`). The
last line is one line of JSON:

``ratio``
    By the number of hosts: the cost of each filter and weigher over that of
    ComputeFilter.
``compute_filter_microseconds``
    What ComputeFilter takes a host, on this machine.
``expiry_seconds``, ``expiry_median_seconds``, ``expiry_rack_seconds``
    From the expiry of a host's session to the first request that avoids it,
    in the slowest worker: of hosts that die alone the slowest, and the median
    of them; and the slowest of a rack that dies at once.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from nova import conf as nova_conf
from nova.scheduler.filters import compute_filter

from benchmarks import clouds
from benchmarks import expiry
from nova_ha.coordination import view as view_module
from nova_ha.scheduler import sight
from nova_ha.scheduler.filters import failure_domain
from nova_ha.scheduler.filters import liveness
from nova_ha.scheduler.filters import reserved
from nova_ha.scheduler.filters import storage
from nova_ha.scheduler.weighers import evacuation_spread
from nova_ha.scheduler.weighers import failure_domain as domain_weigher
from nova_ha.scheduler.weighers import stability

SIZES = (1000, 10000)
ROUNDS = 7
ASKED = 40000
"""Hosts that each is asked about in one round, the same for all sizes."""

FILTERS = (
    liveness.HostLivenessFilter,
    reserved.ReservedHostFilter,
    storage.SharedStorageFilter,
    failure_domain.FailureDomainAntiAffinityFilter,
)
WEIGHERS = (
    stability.StabilityWeigher,
    domain_weigher.FailureDomainWeigher,
    evacuation_spread.EvacuationSpreadWeigher,
)
BY_AGGREGATE = (
    failure_domain.FailureDomainAntiAffinityFilter,
    domain_weigher.FailureDomainWeigher,
)
"""Those that have two ways to learn of domains."""

Task = Callable[[], object]


class Fixed:
    """A view that knows one thing."""

    def __init__(self, snapshot: view_module.ViewSnapshot) -> None:
        self._snapshot = snapshot

    def snapshot(self) -> view_module.ViewSnapshot:
        return self._snapshot


# -- what is measured ---------------------------------------------------------


def tasks(cloud: clouds.Cloud) -> dict[str, Task]:
    """Whatever Nova calls for one request, by name; ComputeFilter first."""
    seen = sight.Sight(Fixed(cloud.snapshot), max_age=30.0, fail_closed=False)
    made: dict[str, Task] = {
        "ComputeFilter": _filtering(compute_filter.ComputeFilter, cloud)
    }
    with mock.patch.object(sight, "shared", lambda conf: seen):
        made |= {one.__name__: _filtering(one, cloud) for one in FILTERS}
        made |= {one.__name__: _weighing(one, cloud) for one in WEIGHERS}
        with _options(failure_domain_aggregate_key=clouds.RACK_KEY):
            for one in BY_AGGREGATE:
                making = _filtering if one in FILTERS else _weighing
                made[f"{one.__name__} by aggregate"] = _by_aggregate(
                    making(one, cloud)
                )
    return made


class _options:
    """Options of nova.conf for as long as it lasts."""

    def __init__(self, **values: object) -> None:
        self._values = values

    def __enter__(self) -> None:
        for name, value in self._values.items():
            nova_conf.CONF.set_override(name, value, group="nova_ha")

    def __exit__(self, *error: object) -> None:
        for name in self._values:
            nova_conf.CONF.clear_override(name, group="nova_ha")


def _by_aggregate(task: Task) -> Task:
    def run() -> object:
        with _options(failure_domain_aggregate_key=clouds.RACK_KEY):
            return task()

    return run


def _filtering(filter_class: Any, cloud: clouds.Cloud) -> Task:
    made = filter_class()
    kept = filter_class is reserved.ReservedHostFilter
    spec = cloud.boot if kept else cloud.evacuation

    def run() -> object:
        passed = list(made.filter_all(cloud.states, spec))
        if len(passed) < len(cloud.states) / 3:
            raise AssertionError(f"{filter_class.__name__} passes too few")
        return passed

    return run


def _weighing(weigher_class: Any, cloud: clouds.Cloud) -> Task:
    made = weigher_class()

    def run() -> object:
        found = made.weigh_objects(cloud.weighed, cloud.evacuation)
        factors = [made.weight_multiplier(one) for one in cloud.states]
        return found, factors

    return run


def cost(task: Task, size: int) -> float:
    """Seconds for one host."""
    times = max(1, ASKED // size)
    gc.collect()
    began = time.process_time()
    for _ in range(times):
        task()
    return (time.process_time() - began) / (size * times)


def measure(size: int, rounds: int) -> tuple[Mapping[str, float], float]:
    """The ratios of one size, and what ComputeFilter takes."""
    made = tasks(clouds.Cloud(size))
    costs: dict[str, list[float]] = {name: [] for name in made}
    for number in range(rounds):
        for name, task in made.items():
            costs[name].append(cost(task, size))
        print(f"{size} hosts, round {number + 1} of {rounds}", file=sys.stderr)
    first = costs.pop("ComputeFilter")
    ratios = {
        name: round(
            statistics.median(
                mine / base for mine, base in zip(found, first, strict=True)
            ),
            3,
        )
        for name, found in costs.items()
    }
    return ratios, statistics.median(first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    arguments = parser.parse_args()
    nova_conf.CONF([], project="nova", default_config_files=[])
    # All services are to stay up, however long this takes.
    nova_conf.CONF.set_override("service_down_time", 24 * 3600)
    sight.options(nova_conf.CONF)
    ratios, taken = {}, {}
    for size in (int(one) for one in arguments.sizes.split(",")):
        found, seconds = measure(size, arguments.rounds)
        ratios[str(size)] = found
        taken[str(size)] = round(seconds * 1e6, 2)
    delays = expiry.measure()
    print(
        json.dumps(
            {
                "ratio": ratios,
                "compute_filter_microseconds": taken,
                "expiry_seconds": round(delays.worst, 3),
                "expiry_median_seconds": round(delays.median, 3),
                "expiry_rack_seconds": round(delays.rack, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
