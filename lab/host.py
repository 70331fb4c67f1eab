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
"""A hypervisor of the lab: a machine, its BMC, and what runs on it."""

import dataclasses
import pathlib
import shlex
import signal
import sys
import uuid
from collections.abc import Callable

from lab import boot
from lab import files
from lab import guests
from lab import machine as lab_machine
from lab import network
from lab import proc
from lab import process
from lab.bmc import servers
from lab.services import base
from lab.services import nova as nova_service

AGENT = "nova-ha-agent"
COMPUTE = "nova-compute"
RUNNER = "guest-runner"


@dataclasses.dataclass(frozen=True, slots=True)
class HostSpec:
    """What a hypervisor is to be.

    :param name: its Nova service host name.
    :param bmc: "ipmi" or "redfish".
    """

    name: str
    bmc: str = "ipmi"


class Host:
    """One hypervisor."""

    def __init__(self, site: base.Site, spec: HostSpec) -> None:
        directory = site.state_dir / "hosts" / spec.name
        directory.mkdir(parents=True, exist_ok=True)
        self.name = spec.name
        self.machine = lab_machine.Machine(directory)
        self._site = site
        self._identify()
        system_uuid = self.machine.system_uuid.read_text(encoding="ascii")
        self.bmc = servers.KINDS[spec.bmc](
            site, directory, uuid.UUID(system_uuid.strip())
        )
        self._runner = guests.Runner(self.machine)

    def _identify(self) -> None:
        """Give the machine its lasting identity, once."""
        if not self.machine.machine_id.exists():
            files.write(self.machine.machine_id, f"{uuid.uuid4().hex}\n")
            files.write(self.machine.system_uuid, f"{uuid.uuid4()}\n")

    # Set-up

    @property
    def guests_command(self) -> str:
        """Prints the UUIDs of the guests that really run here."""
        return shlex.join(
            [sys.executable, "-S", "-m", "lab.guests", "list-running"]
            + [str(self.machine.directory)]
        )

    def prepare(
        self,
        nova_common: nova_service.Sections,
        agent_config: pathlib.Path | None,
    ) -> None:
        """Write what its operating system will start.

        :param nova_common: options of every Nova service.
        :param agent_config: nova-ha-agent's; None for a plain hypervisor.
        """
        directory = self.machine.directory
        config = {name: dict(options) for name, options in nova_common.items()}
        config["DEFAULT"] |= {
            "host": self.name,
            "state_path": directory / "nova",
            "my_ip": network.LOOPBACK,
            "compute_driver": "nova_ha_lab.Driver",
        }
        config["oslo_concurrency"] = {"lock_path": directory / "locks"}
        (directory / "nova").mkdir(exist_ok=True)
        (directory / "locks").mkdir(exist_ok=True)
        path = files.write_ini(directory / "nova-compute.conf", config)
        compute = [sys.executable, "-m", "lab.virt.compute"]
        compute += ["--config-file", str(path)]
        runner = [sys.executable, "-S", "-m", "lab.guests", "run"]
        units = [boot.Unit(RUNNER, [*runner, str(directory)])]
        gate: list[str] = []
        if agent_config is not None:
            program = [str(base.BIN / AGENT), "--config-file"]
            program.append(str(agent_config))
            units.append(boot.Unit(AGENT, [*program, "run"], restart=True))
            gate = [*program, "wait-ready"]
        units.append(boot.Unit(COMPUTE, compute, gate))
        boot.write_units(self.machine, units)

    def start(self) -> None:
        """Start the BMC, then boot the machine; does not wait for Nova.

        :raises lab.process.LabError: when the BMC does not come up.
        """
        self.bmc.start()
        self.power_on()

    # Power, from a hand at the plug: no BMC is asked.

    def power_on(self) -> None:
        """Give it power: a fresh boot."""
        process.run(
            [sys.executable, "-c", _POWER_ON, str(self.machine.directory)],
            log=self.machine.directory / "log" / "power.log",
            env=self._site.environment(),
        )

    def power_off(self) -> None:
        """Pull the plug."""
        left = self.machine.power_off()
        if left:
            raise process.LabError(f"{left} processes of {self.name} stayed")

    # Faults

    def kill(self) -> None:
        """Crash: everything that runs ends at once, the power stays."""
        system = self._unit("boot")
        if system is not None:
            # Its children go with it, by the kernel.
            system.signal(signal.SIGKILL)
        if left := proc.kill_marked(self.machine.marker):
            raise process.LabError(f"{left} processes of {self.name} stayed")

    def freeze(self) -> None:
        """Stop everything that runs, in its tracks."""
        self._signal_until(signal.SIGSTOP, lambda letter: letter in "Tt")

    def thaw(self) -> None:
        """Let everything go on as if no time had gone by."""
        self._signal_until(signal.SIGCONT, lambda letter: letter not in "Tt")

    def _signal_until(
        self, number: int, reached: Callable[[str], bool]
    ) -> None:
        def all_there() -> bool:
            proc.signal_marked(self.machine.marker, number)
            return all(
                reached(proc.state_letter(one)) for one in self.processes()
            )

        process.wait_until(all_there, 10, f"signal {number} to {self.name}")

    def kill_agent(self, restart: bool = True) -> None:
        """SIGKILL the agent.

        :param restart: let the operating system start it again, after a
            second; otherwise it stays dead until :meth:`revive_agent`.
        """
        self.machine.turn(restart_agent=restart)
        self._kill_unit(AGENT)

    def revive_agent(self) -> None:
        """Let the operating system start the agent again."""
        self.machine.turn(restart_agent=True)

    def kill_compute(self) -> None:
        """SIGKILL nova-compute; its guests run on. It stays dead."""
        self._kill_unit(COMPUTE)

    def _kill_unit(self, name: str) -> None:
        unit = self._unit(name)
        if unit is None:
            raise process.LabError(f"{name} does not run on {self.name}")
        unit.signal(signal.SIGKILL)
        process.wait_until(lambda: not unit.alive(), 10, f"{name}'s end")

    # What is

    def _unit(self, name: str) -> proc.Identity | None:
        """The living process of a unit, or None."""
        try:
            text = self.machine.pid_file(name).read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        return proc.identify(int(text))

    def unit_alive(self, name: str) -> bool:
        """Whether a unit's process lives."""
        return self._unit(name) is not None

    def wait_booted(self, timeout: float = 60) -> None:
        """Wait until its guests can be asked for and nova-compute runs.

        Nova takes a restarted host for usable all along; this does not.

        :param timeout: seconds.
        :raises lab.process.LabError:
        """

        def booted() -> bool:
            try:
                self.running_guests()
            except guests.RunnerUnavailable:
                return False
            return self.unit_alive(COMPUTE)

        process.wait_until(booted, timeout, f"the boot of {self.name}")

    def processes(self) -> list[proc.Identity]:
        """Everything that runs above the chassis."""
        return list(proc.marked(self.machine.marker))

    def running_guests(self) -> list[str]:
        """UUIDs of the guests that run here.

        :raises lab.guests.RunnerUnavailable: nobody there to be asked.
        """
        return self._runner.running()

    def start_guest(self, guest: str) -> None:
        """Start a guest behind Nova's back (to see that it is noticed)."""
        self._runner.start(guest)

    def stop_guest(self, guest: str) -> None:
        """Stop a guest behind Nova's back."""
        self._runner.stop(guest)

    def log_path(self, unit: str) -> pathlib.Path:
        """A unit's log."""
        return self.machine.log / f"{unit}.log"


#: Runs in the cloud's environment, which the machine inherits.
_POWER_ON = (
    "import pathlib, sys; from lab import machine; "
    "machine.Machine(pathlib.Path(sys.argv[1])).power_on()"
)
