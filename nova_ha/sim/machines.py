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

"""Hypervisors: power, operating system, guests, and the services on them.

What is true of a machine, whoever may know it. What runs on it hooks into
its life: see :attr:`Machine.boots`, :attr:`Machine.falls` and
:mod:`nova_ha.sim.services`.
"""

import uuid
from collections.abc import Callable

from nova_ha.core import model
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network
from nova_ha.sim import services

Call = Callable[[], None]
Hook = Callable[["Machine"], None]

SHUTDOWN_SECONDS = 10.0
"""How long an orderly shutdown takes: services and guests end in half of it,
then the file systems are unmounted."""

CHECKS = ("compute_service", "instances_path", "libvirt")
"""The agent's local checks, by their real names."""


class Machine:
    """One hypervisor; it has power and its operating system is up.

    The methods that change it are for the world: faults, devices,
    nova-compute. Each does nothing where it makes no sense, such as crashing
    what is off; so a random fault needs no care.
    """

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        networks: network.Networks,
        journal: journal_mod.Journal,
        name: str,
        *,
        marker: str = "",
        boot_seconds: float = 20.0,
    ) -> None:
        """:param marker: the storage domain that its instances path is marked
            with; empty: it is not.
        :param boot_seconds: from power-on until services start."""
        self.kernel = kernel
        self.networks = networks
        self.journal = journal
        self.name = name
        self.host = model.HostName(name)
        self.marker = marker
        self.boot_seconds = boot_seconds
        self.machine_id = self._id("machine").hex
        """Of the installed system, as in ``/etc/machine-id``."""
        self.system_uuid = str(self._id("system"))
        """Of the chassis, as a fence device may report it."""
        self.power = True
        self.power_feed = True
        """Whether there is any power to switch on."""
        self.running = True
        """Whether its operating system is up."""
        self.frozen = False
        self.shutting_down = False
        self.boot = 1
        self.incarnation = 0
        """Grows whenever what ran here is over, and when something new
        begins: who remembers it knows whether it still is the same run."""
        self.guests: set[model.InstanceId] = set()
        """What the hypervisor runs. Each of them may write to its disk:
        those of a frozen machine will when it goes on."""
        self.drift = 0.0
        """By how much its clocks are too fast; for programs to come."""
        self.clock_offset = 0.0
        self.checks = dict.fromkeys(CHECKS, True)
        """Local checks; one set to False fails."""
        self.boots: list[Hook] = []
        """Called when the system is up, before its services start."""
        self.falls: list[Hook] = []
        """Called when it is gone, however, after services and guests."""
        self.agent = services.Service(self._is_going)
        self.compute = services.Service(self._is_going)
        self._programs: list[kernel_mod.Program] = []
        self._restore_power = False

    def __repr__(self) -> str:
        return f"<Machine {self.name}>"

    def _id(self, of: str) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_DNS, f"{of}.{self.name}")

    def _is_going(self) -> bool:
        return self.running and not self.frozen

    @property
    def boot_id(self) -> model.BootId:
        return model.BootId(str(self._id(f"boot-{self.boot}")))

    def start(self) -> None:
        """Once, when all that runs on it has been hooked in: its services
        run, as if they had for long; no gate is asked."""
        self._start(services.Service.start_at_once)

    # -- power and operating system ------------------------------------------

    def power_on(self) -> None:
        """Switch it on; it boots after :attr:`boot_seconds`."""
        if self.power or not self.power_feed:
            return
        self.power = True
        self._note("machine.power-on")
        self._boot_after(self.boot_seconds)

    def power_off(self, why: str = "") -> None:
        """Cut its power: whatever ran is over."""
        if not self.power:
            return
        self.power = False
        self._note("machine.power-off", why)
        self._fall()

    def lose_feed(self) -> None:
        """The power feed fails; devices that hang on it fail with it."""
        if not self.power_feed:
            return
        self._restore_power = self.power
        self.power_feed = False
        self.power_off("power feed lost")

    def restore_feed(self) -> None:
        """The feed is back. What was on when it failed comes back by itself,
        which is what most firmware is set to."""
        if self.power_feed:
            return
        self.power_feed = True
        if self._restore_power:
            self.power_on()

    def crash(self) -> None:
        """A kernel panic: it stands still, with its power on."""
        if not self.running:
            return
        self._note("machine.crashed")
        self._fall()

    def reboot(self, after: float) -> None:
        """A panic, or a watchdog's reset, that boots again after so many
        seconds; its power is on throughout."""
        if self.running:
            self.crash()
            self._boot_after(after)

    def freeze(self) -> None:
        """Nothing of it goes on, until :meth:`thaw`; nothing is lost."""
        if not self.running or self.frozen:
            return
        self.frozen = True
        self._note("machine.frozen")
        for program in self._living():
            program.freeze()

    def thaw(self) -> None:
        """It goes on where it was, as if no time had passed."""
        if not self.frozen:
            return
        self.frozen = False
        self._note("machine.thawed")
        for program in self._living():
            program.thaw()

    def shutdown(self) -> None:
        """End it in an orderly way: the agent says goodbye, services and
        guests are stopped, then the power goes off."""
        if not self.running or self.frozen or self.shutting_down:
            return
        self.shutting_down = True
        self.compute.stop()
        self.agent.stop()
        self._later(SHUTDOWN_SECONDS / 2, self._stop_guests)
        self._later(SHUTDOWN_SECONDS, lambda: self.power_off("shut down"))

    def _later(self, seconds: float, call: Call) -> None:
        """Do something in so many seconds, in this incarnation or never;
        while it is frozen, time stands still for it."""
        incarnation = self.incarnation

        def due() -> None:
            if self.incarnation != incarnation:
                return
            if self.frozen:
                self._later(seconds, call)
            else:
                call()

        self.kernel.after(seconds, due)

    def _boot_after(self, seconds: float) -> None:
        self._later(seconds, self._boot)

    def _boot(self) -> None:
        self.incarnation += 1
        self.boot += 1
        self.running = True
        self._note("machine.booted")
        self._start(services.Service.start)

    def _start(self, start: Callable[[services.Service], None]) -> None:
        for hook in list(self.boots):
            hook(self)
        for service in (self.agent, self.compute):
            if service.enabled:
                start(service)

    def _fall(self) -> None:
        """What ran is over, without a last word."""
        self.incarnation += 1
        was_running, self.running = self.running, False
        self.frozen = self.shutting_down = False
        if not was_running:
            return
        for program in self._living():
            program.kill()
        self.agent.kill()
        self.compute.kill()
        self._stop_guests()
        for hook in list(self.falls):
            hook(self)

    # -- guests --------------------------------------------------------------

    def start_guest(self, instance: model.InstanceId) -> bool:
        """Have the hypervisor start a guest.

        :returns: whether the guest runs now.
        """
        if not self.running or self.frozen:
            return False
        if instance not in self.guests:
            self.guests.add(instance)
            self._note("guest.started", instance, instance=instance)
        return True

    def stop_guest(self, instance: model.InstanceId) -> None:
        if instance in self.guests and not self.frozen:
            self._lose_guest(instance)

    def _stop_guests(self) -> None:
        for instance in sorted(self.guests):
            self._lose_guest(instance)

    def _lose_guest(self, instance: model.InstanceId) -> None:
        self.guests.discard(instance)
        self._note("guest.stopped", instance, instance=instance)

    # -- services ------------------------------------------------------------

    def start_agent(self) -> None:
        self.agent.start()

    def stop_agent(self) -> None:
        """An orderly stop: the agent says goodbye."""
        self.agent.stop()

    def kill_agent(self) -> None:
        """SIGKILL: its session expires later."""
        self.agent.kill()

    def start_compute(self) -> None:
        """Start nova-compute, once the start gate permits."""
        self.compute.start()

    def stop_compute(self) -> None:
        self.compute.stop()

    def kill_compute(self) -> None:
        """SIGKILL: what it was doing is left half-done."""
        self.compute.kill()

    def may_start_guests(self) -> bool:
        """Whether the start gate has let nova-compute pass, since it was
        started last."""
        return self.compute.running

    def new_program(self, name: str = "") -> kernel_mod.Program:
        """A process on this machine: frozen with it, and killed by its fall.

        :param name: what it is, beside the agent, which goes by the name of
            the host.
        """
        full_name = f"{self.name}/{name}" if name else self.name
        program = kernel_mod.Program(self.kernel, full_name)
        program.clock.drift = self.drift
        program.clock.offset = self.clock_offset
        self._programs = [*self._living(), program]
        return program

    def step_clock(self, seconds: float) -> None:
        """Set the time of day, forward or back; the monotonic clock, which
        durations are measured on, does not step."""
        self.clock_offset += seconds
        for program in self._living():
            program.clock.offset = self.clock_offset

    def _living(self) -> list[kernel_mod.Program]:
        return [program for program in self._programs if program.alive]

    def _note(self, what: str, message: str = "", **details: object) -> None:
        self.journal.note(self.name, what, message, **details)
