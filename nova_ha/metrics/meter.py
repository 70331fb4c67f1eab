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

"""The engine's numbers in the words of Prometheus."""

import prometheus_client
from prometheus_client import registry as registry_mod

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha import version
from nova_ha.core import catalogue
from nova_ha.core import census as census_mod
from nova_ha.core import model
from nova_ha.core import phases
from nova_ha.metrics import collector

SECONDS = (2, 4, 6, 8, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800)
"""Upper ends of the buckets of a recovery's times: fine where a recovery is
meant to be, coarse where it is late."""


class PrometheusMeter(ports.Meter, ports.Notifier):
    """Counts what happens, and keeps the latest census.

    :ivar registry: everything that is measured of this process.
    """

    def __init__(self, clock: clock_mod.Clock) -> None:
        self.registry = registry_mod.CollectorRegistry()
        self.latest: census_mod.Census | None = None
        """None: the loop has not come round yet."""
        prometheus_client.ProcessCollector(registry=self.registry)
        self.registry.register(
            collector.CensusCollector(lambda: self.latest, clock)
        )
        self._phases = prometheus_client.Histogram(
            "nova_ha_recovery_seconds",
            "Time from the opening of a recovery case until it got so far",
            ["phase"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._devices = prometheus_client.Counter(
            "nova_ha_fence_answers",
            "Answers of fence devices during recoveries; equal ones in a row "
            "count once",
            ["device", "command", "result"],
            registry=self.registry,
        )
        self._rounds = prometheus_client.Counter(
            "nova_ha_fence_rounds",
            "Rounds through the fence levels of a host, by their result",
            ["result"],
            registry=self.registry,
        )
        self._events = prometheus_client.Counter(
            "nova_ha_events",
            "Steps told, by their stable code",
            ["code", "severity"],
            registry=self.registry,
        )
        prometheus_client.Info(
            "nova_ha_build",
            "Version of nova_ha",
            registry=self.registry,
        ).info({"version": version.version_string()})
        self._begin()

    def _begin(self) -> None:
        """Show what has not happened yet: a series that begins with its
        first event has no increase that an alert could see."""
        for phase in phases.Phase:
            self._phases.labels(phase=phase.value)
        for result in _ROUNDS:
            self._rounds.labels(result=result)
        for kind in catalogue.KINDS.values():
            for severity in kind.severities:
                self._events.labels(code=kind.code, severity=severity.value)

    def count(self, census: census_mod.Census) -> None:
        self.latest = census

    def reached(self, phase: phases.Phase, seconds: float) -> None:
        self._phases.labels(phase=phase.value).observe(seconds)

    def fenced(self, outcome: model.FenceOutcome) -> None:
        self._rounds.labels(result=_round(outcome)).inc()
        for one in outcome.attempts:
            self._devices.labels(
                device=one.device,
                command=one.command,
                # The rest is the device's own text, of any content.
                result=one.result.partition(":")[0],
            ).inc()

    def emit(self, event: model.AuditEvent) -> None:
        self._events.labels(
            code=event.code, severity=event.severity.value
        ).inc()


_PROVEN, _ABORTED, _FAILED = _ROUNDS = ("proven", "aborted", "failed")


def _round(outcome: model.FenceOutcome) -> str:
    if outcome.evidence is not None:
        return _PROVEN
    return _ABORTED if outcome.aborted else _FAILED
