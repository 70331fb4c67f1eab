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

"""What is measured of this engine, and when."""

from nova_ha import ports
from nova_ha.core import census
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import phases
from nova_ha.core import world as world_mod
from nova_ha.engine import open_cases

INTERVAL = 1.0
"""Seconds between two counts: each one looks at every host."""

HOSTS, SERVICES = "hosts", "services"
"""The views whose age is measured: the tree, and Nova's services."""


class NoMeter(ports.Meter):
    """Where nobody wants to know."""

    def count(self, census: census.Census) -> None:
        pass

    def reached(self, phase: phases.Phase, seconds: float) -> None:
        pass

    def fenced(self, outcome: model.FenceOutcome) -> None:
        pass


NO_METER = NoMeter()


class Metering:
    """Watches the controller for a meter."""

    def __init__(self, meter: ports.Meter) -> None:
        self._meter = meter
        self._read_at: dict[str, float] = {}
        # To count costs a look at every host: not for nobody.
        self._due = float("inf" if meter is NO_METER else "-inf")

    def note(self, event: events.Event, now: float) -> None:
        """Something has happened."""
        match event:
            case events.HostsRead(complete=True):
                self._read_at[HOSTS] = now
            case events.ServicesRead(began=began):
                self._read_at[SERVICES] = began
            case events.Fenced(outcome=outcome):
                self._meter.fenced(outcome)

    def saved(
        self, before: model.RecoveryCase | None, after: model.RecoveryCase
    ) -> None:
        """A change of a case is in the tree; a successor will see it there
        and not measure it once more."""
        for phase, seconds in phases.reached(before, after):
            self._meter.reached(phase, seconds)

    def due(self, now: float) -> bool:
        """Whether it is time to count."""
        return now >= self._due

    def count(
        self,
        world: world_mod.World,
        cases: open_cases.OpenCases,
        now: float,
        epoch: model.Epoch | None,
    ) -> None:
        self._due = now + INTERVAL
        self._meter.count(
            census.take(
                world,
                [one.shown for one in cases.by_host.values()],
                now,
                epoch=epoch,
                unreadable=len(cases.unreadable),
                read_at=self._read_at,
            )
        )
