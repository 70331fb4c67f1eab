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

import functools
import types
from collections.abc import Collection, Mapping

from nova_ha.core import brake
from nova_ha.core import domains
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import runners
from nova_ha.core import storage
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
        fleet: fleet_mod.Fleet,
        cases: Mapping[model.HostName, model.RecoveryCase],
        verdicts: Mapping[model.HostName, model.Verdict],
        control: model.Control,
        confirmations: Mapping[model.CaseId, model.Confirmation],
        policy: policy_mod.Policy,
        *,
        suspects: Collection[model.HostName],
        memory: brake.Memory,
        requests: Mapping[
            model.HostName, model.EvacuationRequest
        ] = types.MappingProxyType({}),
    ) -> None:
        """
        :param suspects: the hosts whose verdict is a suspicion.
        :param memory: of the brake, as :func:`.storm.fold` has left it.
        :param requests: evacuations that operators ask for, by host.
        """
        self.fleet = fleet
        self.cases = cases
        self.verdicts = verdicts
        self.control = control
        self.confirmations = confirmations
        self.policy = policy
        self.suspects = suspects
        self.memory = memory
        self.requests = requests

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

    # -- the brake --

    @functools.cached_property
    def load(self) -> brake.Load:
        roster = self.fleet.roster
        return brake.Load(
            monitored=len(roster.hosts),
            suspects=frozenset(
                host
                for host in roster.hosts.intersection(self.suspects)
                if not self._dealt_with(host)
            ),
            busy=frozenset(
                host
                for host, case in self.cases.items()
                if case.state in brake.BUSY
            ),
            fenced=frozenset(self.memory.fenced_at),
        )

    def _dealt_with(self, host: model.HostName) -> bool:
        case = self.cases.get(host)
        return case is not None and case.state in OFF_STATES

    @property
    def undecided(self) -> frozenset[model.HostName]:
        """Suspects that are neither being fenced nor known to be off."""
        return frozenset(
            host
            for host in self.load.suspects - self.load.busy
            if not self.reads_off(host)
        )

    def is_down(self, host: model.HostName) -> bool:
        """Whether all evidence says so."""
        verdict = self.verdicts.get(host)
        return verdict is not None and verdict.kind is model.VerdictKind.DOWN

    def reads_off(self, host: model.HostName) -> bool:
        """Whether it is known to be off without our doing."""
        verdict = self.verdicts.get(host)
        return verdict is not None and verdict.reason is model.Reason.POWER_OFF

    def braked(self, host: model.HostName) -> brake.Block | None:
        """What forbids to fence ``host`` now."""
        if self.reads_off(host):
            return brake.pace(host, self._load_for(host), self.policy)
        return self.forbidden(host)

    def forbidden(self, host: model.HostName) -> brake.Block | None:
        """What forbids to send a power-off to ``host``."""
        return next(iter(self.stops(host)), None) or self._cooling(host)

    def quarantine(self, host: model.HostName) -> model.Quarantine | None:
        """The quarantine of ``host``: it is not fenced by itself."""
        view = self.fleet.view(host)
        record = None if view is None else view.facts.record
        return None if record is None else record.quarantine

    def stops(self, host: model.HostName) -> list[brake.Block]:
        """What stops ``host``, which may still run, at this very moment."""
        view = self.fleet.view(host)
        domain = None
        if view is not None:
            domain = domains.blocks(
                view, self.fleet, self.verdicts, self.cases, self.policy
            )
        crowd = brake.too_many(host, self._load_for(host), self.policy)
        return [block for block in (domain, crowd) if block is not None]

    def _cooling(self, host: model.HostName) -> brake.Block | None:
        view = self.fleet.view(host)
        own = brake.EVERYWHERE if view is None else domains.domain_of(view)
        for key in (brake.EVERYWHERE, own):
            storm = self.memory.storms.get(key)
            if storm is not None:
                return brake.Block(
                    rule=model.BrakeRule.COOL_DOWN,
                    domain=key,
                    message=f"after a storm ({storm.rule.value}) there have "
                    f"to be {self.policy.storm_cooldown:g} s of quiet",
                )
        return None

    def _load_for(self, host: model.HostName) -> brake.Load:
        return self.load.without(self._waiting_for.get(host, ()))

    @functools.cached_property
    def _waiting_for(self) -> Mapping[model.HostName, set[model.HostName]]:
        """Hosts whose recovery cannot end before another one is dealt with,
        because that was to take their instances."""
        found: dict[model.HostName, set[model.HostName]] = {}
        for case in self.cases.values():
            for move in case.moves:
                target = move.target
                if target and target != case.host and not move.final:
                    found.setdefault(target, set()).add(case.host)
        return found

    # -- other hosts --

    @functools.cached_property
    def agents(self) -> runners.Agents:
        return runners.Agents(
            guests=self.fleet.guests,
            fenced=frozenset(
                host
                for host, case in self.cases.items()
                if case.evidence is not None
                and case.state in OFF_STATES
                and not case.power_on.perhaps_on
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
        """Whether ``host`` may take instances of ``source``, wherever their
        disks are."""
        view = self.fleet.view(host)
        return (
            host != source and view is not None and self._takes_instances(view)
        )

    def storage(self, host: model.HostName) -> storage.Storage:
        """Which hosts share the instances' directory of ``host``."""
        view = self.fleet.view(host)
        return storage.Storage() if view is None else storage.of(view.facts)

    def sharing(self, domain: str) -> frozenset[model.HostName]:
        """The hosts of a storage domain."""
        return frozenset(self._sharing.get(domain, ()))

    @functools.cached_property
    def _sharing(self) -> Mapping[str, set[model.HostName]]:
        found: dict[str, set[model.HostName]] = {}
        for view in self.fleet:
            domain = storage.of(view.facts).domain
            if domain:
                found.setdefault(domain, set()).add(view.host)
        return found

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
