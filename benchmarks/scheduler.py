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
"""What our filters and weighers cost nova-scheduler, a host.

    python -m benchmarks.scheduler [--rounds N] [--sizes 1000,10000]

Each is asked as Nova asks it, about all hosts of a fleet at once, and is
divided by Nova's own ComputeFilter in the same round; so that the figures
mean the same on any machine. Processor time, medians of several rounds. The
last line is one line of JSON:

``ratio``
    By the number of hosts: the cost of each filter and weigher over that of
    ComputeFilter.
``compute_filter_microseconds``
    What ComputeFilter takes a host, on this machine.
"""

import argparse
import gc
import json
import statistics
import sys
import time
import types
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from nova import conf as nova_conf
from nova.objects import aggregate as aggregate_object
from nova.objects import instance_group
from nova.objects import request_spec
from nova.scheduler import host_manager
from nova.scheduler import weights
from nova.scheduler.filters import compute_filter
from oslo_utils import timeutils

from nova_ha.coordination import view as view_module
from nova_ha.core import model
from nova_ha.core import view as core_view
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

GUESTS = 40
RACK = 40
MEMBERS = 10
RACK_KEY = "rack"

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


class Cloud:
    """A host is lost, and one of its instances is evacuated: a member of a
    server group, so that nothing of ours has an easy answer. That would be
    an easy one for a filter that lets evacuations pass; so there is the
    group's next boot, too."""

    def __init__(self, size: int) -> None:
        self.states = [_state(number) for number in range(size)]
        for first in range(0, size, RACK):
            rack = self.states[first : first + RACK]
            aggregates = _aggregates(rack, f"rack-{first // RACK}")
            for one in rack:
                one.aggregates = aggregates
        # One of each rack, which so is full.
        homes = self.states[:: RACK * 2][:MEMBERS]
        members = [next(iter(one.instances)) for one in homes]
        group = instance_group.InstanceGroup(
            policy="anti-affinity",
            members=[*members, _uuid(0, 0)],
            hosts=["lost", *[one.host for one in homes]],
        )
        self.boot, self.evacuation = (
            request_spec.RequestSpec(
                instance_uuid=_uuid(0, 0),
                scheduler_hints={},
                ignore_hosts=leaving,
                instance_group=group,
            )
            for leaving in (None, ["lost"])
        )
        self.weighed = [weights.WeighedHost(one, 0.0) for one in self.states]
        self.snapshot = _snapshot([one.host for one in self.states])


def _uuid(host: int, guest: int) -> str:
    return f"00000000-0000-4000-8000-{host:08x}{guest:04x}"


def _state(number: int) -> host_manager.HostState:
    name = f"cmp{number:05}"
    state = host_manager.HostState(name, name, "cell")
    state.service = {
        "host": name,
        "topic": "compute",
        "disabled": False,
        "forced_down": False,
        "last_seen_up": timeutils.utcnow(),
    }
    state.instances = {
        _uuid(number + 1, guest): None for guest in range(GUESTS)
    }
    return state


def _aggregates(
    rack: list[host_manager.HostState], name: str
) -> list[aggregate_object.Aggregate]:
    hosts = [one.host for one in rack]
    return [
        aggregate_object.Aggregate(hosts=hosts, metadata=metadata)
        for metadata in ({RACK_KEY: name}, {"availability_zone": "az1"})
    ]


def _snapshot(names: list[str]) -> view_module.ViewSnapshot:
    """A hundredth of the hosts is out, as many are reserved, and as many are
    about to get an instance."""
    hosts = {
        model.HostName(name): core_view.HostView(
            schedulable=number % 100 != 0,
            reserved=number % 100 == 1,
            failure_domain=f"rack-{number // RACK}",
            storage_domain=f"ceph-{number % 2}",
        )
        for number, name in enumerate(names)
    }
    lost = model.HostName("lost")
    hosts[lost] = core_view.HostView(
        schedulable=False, absent=True, storage_domain="ceph-0"
    )
    return view_module.ViewSnapshot(
        hosts=types.MappingProxyType(hosts),
        arrivals={
            model.HostName(name): frozenset([model.InstanceId(f"of-{name}")])
            for name in names[::100]
        },
        age=0.5,
        connected=True,
    )


class Fixed:
    """A view that knows one thing."""

    def __init__(self, snapshot: view_module.ViewSnapshot) -> None:
        self._snapshot = snapshot

    def snapshot(self) -> view_module.ViewSnapshot:
        return self._snapshot


# -- what is measured ---------------------------------------------------------


def tasks(cloud: Cloud) -> dict[str, Task]:
    """Whatever Nova calls for one request, by name; ComputeFilter first."""
    seen = sight.Sight(Fixed(cloud.snapshot), max_age=30.0, fail_closed=False)
    made: dict[str, Task] = {
        "ComputeFilter": _filtering(compute_filter.ComputeFilter, cloud)
    }
    with mock.patch.object(sight, "shared", lambda conf: seen):
        made |= {one.__name__: _filtering(one, cloud) for one in FILTERS}
        made |= {one.__name__: _weighing(one, cloud) for one in WEIGHERS}
        with _options(failure_domain_aggregate_key=RACK_KEY):
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
        with _options(failure_domain_aggregate_key=RACK_KEY):
            return task()

    return run


def _filtering(filter_class: Any, cloud: Cloud) -> Task:
    made = filter_class()
    kept = filter_class is reserved.ReservedHostFilter
    spec = cloud.boot if kept else cloud.evacuation

    def run() -> object:
        passed = list(made.filter_all(cloud.states, spec))
        if len(passed) < len(cloud.states) / 3:
            raise AssertionError(f"{filter_class.__name__} passes too few")
        return passed

    return run


def _weighing(weigher_class: Any, cloud: Cloud) -> Task:
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
    made = tasks(Cloud(size))
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
    print(json.dumps({"ratio": ratios, "compute_filter_microseconds": taken}))


if __name__ == "__main__":
    main()
