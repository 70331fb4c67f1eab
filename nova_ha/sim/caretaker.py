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

"""An operator who looks after everything, as a good one would in the end.

All troubles are undone, and from then on he does his part in each case: he
switches on what has been recovered, switches off what hangs, vouches for what
is off, releases what is in quarantine or waits for his decision, and cleans up
what Nova will never finish. After that no case has a reason to stay open: what
still does is stuck.
"""

from nova_ha.core import leftovers
from nova_ha.core import model
from nova_ha.core import runners
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from nova_ha.core.model import MoveState
from nova_ha.sim import world as world_mod

ROUND = 15.0
"""Seconds between two of his rounds."""

PATIENCE = 60.0
"""Seconds that a machine may be down before he minds it without a case."""

HOPELESS = 120.0
"""Seconds after which a rebuild is not going to end any more."""

_RECOVERED = (
    CaseState.PARTIAL,
    CaseState.EVACUATED,
    CaseState.RETURNING,
    CaseState.SOAKING,
)
_HOLDS = (Hold.STORM, Hold.POWER_ON, Hold.LIFE_AFTER_OFF)
"""What waits for somebody who knows."""


class Caretaker:
    """Goes round in a world, from now on."""

    def __init__(self, world: world_mod.World) -> None:
        self._world = world
        self._down_since: dict[str, float] = {}
        self._under_way_since: dict[int, float] = {}

    def begin(self) -> None:
        """Go round now, and every :data:`ROUND`."""
        self._mend()
        self._switch()
        cases = self._world.checker.cases
        for host in sorted(self._world.machines):
            self._look_after(host, cases.get(host))
        self._world.kernel.after(ROUND, self.begin)

    # -- troubles ------------------------------------------------------------

    def _mend(self) -> None:
        world = self._world
        if not world.zookeeper.serving:
            world.zookeeper.start()
        world.zookeeper.lag(0.0)
        world.networks.join_all()
        world.nova.mend()
        for levels in world.bmcs.values():
            for bmc in levels:
                bmc.mend()
        for engine in world.engines.values():
            engine.start()
            engine.thaw()
        for machine in world.machines.values():
            machine.restore_feed()
            machine.thaw()
            machine.checks = dict.fromkeys(machine.checks, True)
            machine.start_agent()
            machine.start_compute()

    def _switch(self) -> None:
        control = self._world.checker.control
        if control.paused:
            self._world.operator.resume()
        if not control.armed:
            self._world.operator.arm()

    # -- hosts ---------------------------------------------------------------

    def _look_after(self, host: str, case: model.RecoveryCase | None) -> None:
        record = self._world.checker.record(host)
        if record is not None and record.maintenance:
            self._world.operator.end_maintenance(host)
        if record is not None and record.quarantine:
            self._world.operator.release(host)
        if self._idle(host, case):
            self._bring_back(host)
        elif case is not None:
            self._help(host, case)
        for move in () if case is None else case.moves:
            self._clean_up(move)

    def _idle(self, host: str, case: model.RecoveryCase | None) -> bool:
        """It does not run, and nobody is going to do anything to it."""
        if self._world.machines[host].running:
            self._down_since.pop(host, None)
            return False
        down = self._down(host)
        return down > PATIENCE if case is None else case.state in _RECOVERED

    def _down(self, host: str) -> float:
        """For how long it has been down, in seconds."""
        now = self._world.kernel.now
        return now - self._down_since.setdefault(host, now)

    def _bring_back(self, host: str) -> None:
        machine = self._world.machines[host]
        if machine.power and self._down(host) > PATIENCE:
            machine.power_off("by the operator")
        if not machine.power:
            machine.power_on()
            self._down_since[host] = self._world.kernel.now

    def _help(self, host: str, case: model.RecoveryCase) -> None:
        if case.state is CaseState.SOAKING and leftovers.undecided(case):
            self._world.operator.release(host)
        hopeless = case.state is CaseState.FENCE_FAILED
        if not (hopeless or case.hold in _HOLDS or case.doubt):
            return
        machine = self._world.machines[host]
        if machine.power and (case.doubt or not machine.running):
            machine.power_off("by the operator")
        if not machine.power:
            self._world.operator.confirm(host)

    # -- instances -----------------------------------------------------------

    def _clean_up(self, move: model.Move) -> None:
        server = self._world.nova.servers.get(move.instance)
        if server is None:
            return
        if move.state is MoveState.HELD:
            for host, machine in self._world.machines.items():
                if host != server.host:
                    machine.stop_guest(move.instance)
        if move.state is MoveState.RUNNING and move.migration is not None:
            now = self._world.kernel.now
            since = self._under_way_since.setdefault(move.migration, now)
            if now - since > HOPELESS:
                self._give_up(move.instance)

    def _give_up(self, instance: model.InstanceId) -> None:
        """What an operator can do only in Nova's database."""
        records = self._world.nova.records
        for one in records.migrations(instance):
            if one.status not in runners.TERMINAL:
                records.set_status(one.id, "failed")
        records.set_task(instance, None)
