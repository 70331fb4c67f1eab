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

"""Agents and start gates on simulated machines.

The real ones, on a simulated session with ZooKeeper; what they would ask the
machine for - its checks, its guests, its kernel - is modelled.
"""

import pathlib
from collections.abc import Collection

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.agent import colocated as colocated_mod
from nova_ha.agent import gate as gate_mod
from nova_ha.agent import marker
from nova_ha.agent import service
from nova_ha.agent import systemd
from nova_ha.coordination import acl
from nova_ha.coordination import beacons as beacons_mod
from nova_ha.coordination import paths as paths_mod
from nova_ha.core import agent_policy
from nova_ha.core import model
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines
from nova_ha.sim import network
from nova_ha.sim import services
from nova_ha.sim import shared_storage
from nova_ha.sim import zookeeper

POLICY = agent_policy.AgentPolicy(check_interval=10.0, roles_interval=600.0)
"""The defaults, but for what would only cost steps: a failed check is seen a
little later, and the roles of a simulated machine do not change."""

HEARTBEAT_SECONDS = 2.0
"""Between two storage heartbeats, where there are any."""

RESTART_SECONDS = 1.0
"""After which systemd starts an agent again that has given up; see
etc/nova-ha/systemd."""

_NO_FILE = pathlib.Path("/dev/null/allow-start")
"""An operator's override that is never there."""


class Sessions:
    """How the programs of one machine reach ZooKeeper."""

    def __init__(
        self,
        machine: machines.Machine,
        ensemble: zookeeper.Ensemble,
        paths: paths_mod.Paths,
        timeout: float,
    ) -> None:
        """:param timeout: T to ask for, in seconds."""
        self._machine = machine
        self._ensemble = ensemble
        self._paths = paths
        self._timeout = timeout

    def beacons(self, program: kernel_mod.Program) -> ports.Beacons:
        """On a session of the program's own."""
        tree = self._ensemble.client(
            program,
            self._machine.name,
            timeout=self._timeout,
            user=acl.Role.AGENT.value,
            host=self._machine.host,
        )
        return beacons_mod.ZooKeeperBeacons(
            tree, self._paths, self._machine.host
        )


class StartGate(services.Gate):
    """``nova-ha-agent wait-ready`` before nova-compute."""

    def __init__(self, machine: machines.Machine, sessions: Sessions) -> None:
        self._machine = machine
        self._sessions = sessions
        self._program: kernel_mod.Program | None = None
        self.said = ""
        """What it has told the operator last."""

    def ask(self, permit: services.Call) -> None:
        program = self._machine.new_program("wait-ready")
        self._program = program
        program.spawn(lambda: self._wait(program, permit), "wait-ready")

    def cancel(self) -> None:
        program, self._program = self._program, None
        if program is not None:
            program.kill()

    def _wait(
        self, program: kernel_mod.Program, permit: services.Call
    ) -> None:
        beacons = self._sessions.beacons(program)
        gate_mod.StartGate(
            beacons.case,
            allow_file=_NO_FILE,
            clock=program.clock,
            tell=self._tell,
        ).wait()
        beacons.close()
        # Not from here: what the start brings about is not this program's.
        program.kernel.after(
            0.0, lambda: program.run(lambda: self._passed(permit))
        )

    def _passed(self, permit: services.Call) -> None:
        self.cancel()
        permit()

    def _tell(self, line: str) -> None:
        self.said = line


class SimCheck(ports.Check):
    """One local check."""

    def __init__(
        self, name: str, machine: machines.Machine, clock: clock_mod.Clock
    ) -> None:
        self.name = name
        self._machine = machine
        self._clock = clock

    def run(self) -> model.CheckResult:
        problem = self._problem()
        return model.CheckResult(
            name=self.name, ok=not problem, detail=problem
        )

    def _problem(self) -> str:
        if not self._machine.checks[self.name]:
            return "made to fail"
        if self.name == "instances_path" and not _reaches_storage(
            self._machine
        ):
            # A dead mount gives no error: the check's own deadline ends it.
            self._clock.sleep(POLICY.check_deadline)
            return f"no answer within {POLICY.check_deadline:g} s"
        if (
            self.name == "compute_service"
            and not self._machine.compute.running
        ):
            return "nova-compute.service is not active"
        return ""


class SimMarker(marker.Marker):
    """The marker in the machine's instances path."""

    def __init__(
        self, machine: machines.Machine, clock: clock_mod.Clock
    ) -> None:
        super().__init__(
            "/shared",
            interval=POLICY.check_interval,
            deadline=POLICY.check_deadline,
            clock=clock,
        )
        self._machine = machine
        self._sleep = clock.sleep

    def read(self) -> str:
        while not _reaches_storage(self._machine):
            self._sleep(POLICY.check_interval)
        return self._machine.marker


def _reaches_storage(machine: machines.Machine) -> bool:
    return machine.networks.reaches(machine.name, network.Server.STORAGE)


class SimGuests(ports.GuestSource):
    """The hypervisor's own list. It does not answer while libvirt fails."""

    def __init__(self, machine: machines.Machine) -> None:
        self._machine = machine

    def running(self) -> frozenset[model.InstanceId]:
        if not self._machine.checks["libvirt"]:
            raise exception.GuestsUnknown("libvirt: no connection")
        return frozenset(self._machine.guests)


class SimAgent:
    """The agent of one machine, and the gate before its nova-compute.

    To be made before the machine starts.
    """

    def __init__(
        self,
        machine: machines.Machine,
        ensemble: zookeeper.Ensemble,
        paths: paths_mod.Paths,
        *,
        timeout: float = 10.0,
        policy: agent_policy.AgentPolicy = POLICY,
        colocated: Collection[str] = (),
        share: shared_storage.Share | None = None,
    ) -> None:
        """
        :param timeout: of its session, in seconds.
        :param colocated: what else runs on the machine, by the roles of
            :class:`nova_ha.agent.colocated.Role`.
        :param share: where it writes storage heartbeats; None: it does not.
        """
        self.machine = machine
        self.policy = policy
        self.colocated = colocated
        self._share = share
        self._kernel = machine.kernel
        self._sessions = Sessions(machine, ensemble, paths, timeout)
        self._program: kernel_mod.Program | None = None
        self._agent: service.Agent | None = None
        self.gate = StartGate(machine, self._sessions)
        machine.compute.gate = self.gate
        machine.agent.starts.append(self._start)
        machine.agent.stops.append(self._stop)
        machine.agent.kills.append(self._killed)

    # -- told by the machine -------------------------------------------------

    def _start(self) -> None:
        if self._program is not None:
            return  # the one before is still leaving: see _ended
        program = self.machine.new_program()
        self._program = program
        self._note("agent.started")
        program.spawn(lambda: self._run(program), "agent")

    def _stop(self) -> None:
        if self._program is None:
            return
        if self._agent is None:
            self._ended("stopped before it was up")
        else:
            self._program.run(self._agent.stop)

    def _killed(self) -> None:
        if self._program is not None:
            self._ended("killed")

    def _ended(self, how: str) -> None:
        """The process is gone. Whoever has started the service meanwhile
        has waited for that."""
        program, self._program, self._agent = self._program, None, None
        self._note("agent.stopped", how)
        if program is not None:
            program.kill()
        if self.machine.agent.running:
            self._start()

    def _note(self, what: str, message: str = "") -> None:
        self.machine.journal.note(self.machine.name, what, message)

    # -- the process ---------------------------------------------------------

    def _run(self, program: kernel_mod.Program) -> None:
        # No two agents touch their sessions in the same moments.
        chance = self._kernel.chance(f"phase of {program.name}")
        phase = chance.uniform(0.0, self.policy.touch_interval)
        program.clock.sleep(phase)
        while not self._served(program):
            program.clock.sleep(RESTART_SECONDS)
        self._kernel.after(0.0, lambda: self._left(program))

    def _served(self, program: kernel_mod.Program) -> bool:
        """Whether it has run until it was stopped."""
        self._agent = self._new_agent(program)
        try:
            self._agent.run()
        except exception.NovaHaError as error:
            self._agent = None
            self._note("agent.stopped", str(error))
            return False
        return True

    def _left(self, program: kernel_mod.Program) -> None:
        if program is self._program:
            self._ended("stopped")

    def _new_agent(self, program: kernel_mod.Program) -> service.Agent:
        machine, clock = self.machine, program.clock
        beacons = self._sessions.beacons(program)
        roles = colocated_mod.RoleFinder(
            beacons,
            machine.machine_id,
            given=self.colocated,
            zookeeper_hosts="",
        )
        return service.Agent(
            self._identity(),
            beacons,
            checks=[SimCheck(name, machine, clock) for name in machine.checks],
            guests=SimGuests(machine),
            roles=roles,
            policy=self.policy,
            clock=clock,
            manager=systemd.ServiceManager(""),
            shutting_down=lambda: machine.shutting_down,
            heartbeats=self._heartbeats(program),
            # What nobody has marked need not be read.
            marker=SimMarker(machine, clock) if machine.marker else None,
        )

    def _heartbeats(
        self, program: kernel_mod.Program
    ) -> list[shared_storage.Writer]:
        if self._share is None:
            return []
        writer = shared_storage.Writer(
            self._identity(), self._share, program, HEARTBEAT_SECONDS
        )
        return [writer]

    def _identity(self) -> model.Beacon:
        return model.Beacon(
            host=self.machine.host,
            boot_id=self.machine.boot_id,
            machine_id=self.machine.machine_id,
            system_uuid=self.machine.system_uuid,
            agent_version="simulated",
        )
