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

"""What a case may ask about everything but itself: other hosts, the
operator's switches, the brake. Computed once a step, only where asked for.
"""

import dataclasses
import functools
from collections.abc import Mapping

from nova_ha.core import brake
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import runners
from nova_ha.core import verdict as verdict_mod
from nova_ha.core.model import CaseState

OFF_STATES = frozenset(
    [
        CaseState.FENCED,
        CaseState.EVACUATING,
        CaseState.PARTIAL,
        CaseState.EVACUATED,
    ]
)
"""States in which a host is proven to be off."""


_DOUBTFUL = frozenset(
    [
        model.Hold.LIFE_AFTER_OFF,
        model.Hold.POWER_ON,
        model.Hold.POWER_UNKNOWN,
    ]
)


class World:
    """The fleet, all open cases and the operator's word, at one moment."""

    def __init__(
        self,
        fleet: liveness.Fleet,
        cases: Mapping[model.HostName, model.RecoveryCase],
        verdicts: Mapping[model.HostName, model.Verdict],
        control: model.Control,
        confirmations: Mapping[model.CaseId, model.Confirmation],
        policy: policy_mod.Policy,
    ) -> None:
        self.fleet = fleet
        self.cases = cases
        self.verdicts = verdicts
        self.control = control
        self.confirmations = confirmations
        self.policy = policy

    @property
    def stopped(self) -> model.Hold | None:
        """Why nothing new may start anywhere; None if it may."""
        if not self.fleet.connected:
            return model.Hold.COORDINATION
        if self.control.paused:
            return model.Hold.PAUSED
        if not self.control.armed:
            return model.Hold.DISARMED
        return None

    @functools.cached_property
    def load(self) -> brake.Load:
        return brake.Load(
            monitored=self.fleet.monitored,
            suspects=frozenset(
                host
                for host, verdict in self.verdicts.items()
                if verdict_mod.suspect(verdict) and not self._dealt_with(host)
            ),
            busy=frozenset(
                host
                for host, case in self.cases.items()
                if case.state in brake.BUSY
            ),
        )

    def _dealt_with(self, host: model.HostName) -> bool:
        case = self.cases.get(host)
        return case is not None and case.state in OFF_STATES

    def braked(self, host: model.HostName) -> str:
        """Why the brake forbids to fence ``host`` now; empty if it may."""
        verdict = self.verdicts.get(host)
        proven = (
            verdict is not None and verdict.reason is model.Reason.POWER_OFF
        )
        load = dataclasses.replace(
            self.load, busy=self.load.busy - self._waiting_for(host)
        )
        return brake.blocks(host, load, self.policy, proven=proven)

    def _waiting_for(self, host: model.HostName) -> frozenset[model.HostName]:
        """Hosts whose recovery cannot end before ``host`` is dealt with,
        because it was to take their instances."""
        return frozenset(
            case.host
            for case in self.cases.values()
            if case.host != host
            and any(
                move.target == host and not move.final for move in case.moves
            )
        )

    @functools.cached_property
    def agents(self) -> runners.Agents:
        return runners.Agents(
            guests=self.fleet.guests,
            fenced=frozenset(
                host
                for host, case in self.cases.items()
                if case.evidence is not None
                and case.state in OFF_STATES
                and not case.doubt
                and case.hold not in _DOUBTFUL
            ),
        )

    def blind_spots(self, source: model.HostName) -> bool:
        """Whether some other host runs instances that no agent lists: then
        the records of each instance have to be read."""
        fenced = self.agents.fenced
        return any(
            host != source and host not in fenced
            for host in self.fleet.guests.unlisted
        )

    def takes(self, host: model.HostName, source: model.HostName) -> bool:
        """Whether ``host`` may take the instances of ``source``."""
        domain = _storage_domain(self.fleet.view(source))
        view = self.fleet.view(host)
        return (
            host != source
            and view is not None
            and self._takes_instances(view)
            and (not domain or _storage_domain(view) in ("", domain))
        )

    def _takes_instances(self, view: liveness.HostView) -> bool:
        verdict = self.verdicts.get(view.host)
        service = self.fleet.services.get(view.host)
        return (
            verdict is not None
            and verdict.kind is model.VerdictKind.ALIVE
            and view.facts.record is not None
            and view.host not in self.cases
            and service is not None
            and service.up
            and not service.disabled
            and not service.forced_down
        )


def _storage_domain(view: liveness.HostView | None) -> str:
    if view is None or view.facts.record is None:
        return ""
    return view.facts.record.storage_domain
