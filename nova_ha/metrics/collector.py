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

"""The latest census as gauges, made when somebody asks."""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import core as prometheus
from prometheus_client import registry as registry_mod

from nova_ha import clock as clock_mod
from nova_ha.core import census as census_mod
from nova_ha.core import model
from nova_ha.core.census import Census

Gauge = prometheus.GaugeMetricFamily

_FAMILIES: tuple[
    tuple[
        str,
        str,
        str,
        type[enum.StrEnum],
        Callable[[Census], census_mod.Counts],
    ],
    ...,
] = (
    (
        "nova_ha_hosts",
        "Hosts by verdict",
        "verdict",
        model.VerdictKind,
        lambda census: census.verdicts,
    ),
    (
        "nova_ha_cases",
        "Open recovery cases by state; the leader's alone",
        "state",
        model.CaseState,
        lambda census: census.cases,
    ),
    (
        "nova_ha_cases_held",
        "Open recovery cases that do not go on, by what holds them",
        "hold",
        model.Hold,
        lambda census: census.holds,
    ),
    (
        "nova_ha_instances",
        "Instances of open recovery cases by what has become of them",
        "state",
        model.MoveState,
        lambda census: census.moves,
    ),
    (
        "nova_ha_storms",
        "Storms that the brake knows of, by rule",
        "rule",
        model.BrakeRule,
        lambda census: census.storms,
    ),
)
"""Name, help, label, its values, and where they are counted."""

_NUMBERS: tuple[tuple[str, str, Callable[[Census], float]], ...] = (
    (
        "nova_ha_leader",
        "1: this engine leads",
        lambda census: census.epoch is not None,
    ),
    (
        "nova_ha_epoch",
        "Epoch of this engine's leadership; 0: it does not lead",
        lambda census: census.epoch or 0,
    ),
    (
        "nova_ha_armed",
        "1: an operator has let nova_ha act",
        lambda census: census.armed,
    ),
    (
        "nova_ha_paused",
        "1: an operator has stopped everything new",
        lambda census: census.paused,
    ),
    (
        "nova_ha_zookeeper_connected",
        "1: the ZooKeeper session lives and all hosts have been read in it",
        lambda census: census.connected,
    ),
    (
        "nova_ha_engines",
        "Engines that take part in the election",
        lambda census: census.engines,
    ),
    (
        "nova_ha_hosts_monitored",
        "Hosts that may be fenced and recovered",
        lambda census: census.monitored,
    ),
    (
        "nova_ha_hosts_unfenceable",
        "Hosts without a working fence level at the latest check",
        lambda census: census.unfenceable,
    ),
    (
        "nova_ha_devices_barred",
        "Fence devices that are not believed until an operator clears them",
        lambda census: census.barred,
    ),
    (
        "nova_ha_cases_unreadable",
        "Stored recovery cases that cannot be read",
        lambda census: census.unreadable,
    ),
)


class CensusCollector(registry_mod.Collector):
    """Shows every value of a label, also of what there is none of: a series
    that comes and goes is one that an alert rule can miss.

    :param latest: the latest census; None before the first.
    """

    def __init__(
        self, latest: Callable[[], Census | None], clock: clock_mod.Clock
    ) -> None:
        self._latest = latest
        self._clock = clock

    def describe(self) -> Iterable[prometheus.Metric]:
        """What is registered under these names; without a census, too."""
        return self.collect_from(Census(taken_at=0.0, connected=False), 0.0)

    def collect(self) -> Iterator[prometheus.Metric]:
        census = self._latest()
        if census is not None:
            yield from self.collect_from(census, self._clock.monotonic())

    def collect_from(
        self, census: Census, now: float
    ) -> Iterator[prometheus.Metric]:
        for name, about, label, values, counts in _FAMILIES:
            family = Gauge(name, about, labels=[label])
            counted = counts(census)
            for value in values:
                family.add_metric([value.value], counted.get(value.value, 0))
            yield family
        for name, about, number in _NUMBERS:
            yield Gauge(name, about, value=float(number(census)))
        yield from _ages(census, now)


def _ages(census: Census, now: float) -> Iterator[prometheus.Metric]:
    yield Gauge(
        "nova_ha_loop_age_seconds",
        "Time since the engine's loop has last come round",
        value=max(0.0, now - census.taken_at),
    )
    yield _view_ages(
        {view: max(0.0, now - at) for view, at in census.read_at.items()}
    )


def _view_ages(ages: Mapping[str, float]) -> prometheus.Metric:
    family = Gauge(
        "nova_ha_view_age_seconds",
        "Time since everything was last read: hosts from ZooKeeper, services "
        "from Nova",
        labels=["view"],
    )
    for view, age in sorted(ages.items()):
        family.add_metric([view], age)
    return family


class HostsViewCollector(registry_mod.Collector):
    """Shows the age of a view of the hosts, of a process that judges nothing.

    :param age: seconds; infinite while they have not been read.
    """

    def __init__(self, age: Callable[[], float]) -> None:
        self._age = age

    def collect(self) -> Iterator[prometheus.Metric]:
        yield _view_ages({"hosts": self._age()})
