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

"""Fence devices that work, and those that do not.

A :class:`Bmc` is the device itself, with the truth about what it does. Each
engine reaches it through a driver of its own, below the product's fencing:
:class:`SimFencing` runs the real levels, round and device on it.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import device as device_mod
from nova_ha.fencing import levels
from nova_ha.fencing import parameters
from nova_ha.fencing import procedure
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines
from nova_ha.sim import network

T = TypeVar("T")
_Levels = Sequence[procedure.Level]

PROMPT_DELAY = 0.5
SLOW_DELAY = 8.0
"""Seconds from an accepted command until it takes effect. Real devices were
seen to take 1 to 11 s."""

_LATENCY = (0.02, 0.1)
"""Seconds that a request, or an answer, is under way: from, to."""


class Mode(enum.StrEnum):
    """How a device behaves."""

    PROMPT = "prompt"  # obeys at once
    SLOW = "slow"  # obeys after some seconds
    HUNG = "hung"  # takes the connection and never answers
    REFUSES = "refuses"  # answers that it will not; its state can be read
    DEAF = "deaf"  # accepts every command and does nothing
    LIES_OFF = "lies-off"  # accepts, does nothing, and then reads off
    LIES_ON = "lies-on"  # obeys, and reads on all the same
    DEAD = "dead"  # nobody is there
    DENIED = "denied"  # rejects the configured credentials


_IDLE = frozenset({Mode.DEAF, Mode.LIES_OFF})
"""Do nothing of what they accept."""


class Bmc:
    """One fence device. What is public may be changed at any time."""

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        networks: network.Networks,
        journal: journal_mod.Journal,
        machine: machines.Machine,
        *,
        mode: str = Mode.PROMPT,
        delay: float | None = None,
        dead_with_host: bool = False,
        controls: machines.Machine | None = None,
        anonymous: bool = False,
        name: str = "",
    ) -> None:
        """
        :param machine: the one that it is mounted in, and attached to the
            BMC network with.
        :param delay: seconds until it has obeyed; None: its mode's own.
        :param dead_with_host: it hangs on the power feed of its machine.
        :param controls: the machine that it really switches and reads, if
            it is not its own: a mistake in the cabling.
        :param anonymous: it does not tell the UUID of that machine.
        """
        self.name = name or f"bmc-{machine.name}"
        self.machine = machine
        self.delay = delay
        self.dead_with_host = dead_with_host
        self.controls = controls
        self.anonymous = anonymous
        self.revision = 0
        """Grows when its credentials have been corrected, in the device and
        in the file that engines read them from."""
        self._kernel = kernel
        self._networks = networks
        self._journal = journal
        self._mode = Mode(mode)
        self._pretends_off = False

    def __repr__(self) -> str:
        return f"<Bmc {self.name}: {self._mode}>"

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        """:raises ValueError: there is no such mode."""
        was, self._mode = self._mode, Mode(mode)
        self._pretends_off = False
        if was is Mode.DENIED and self._mode is not was:
            self.revision += 1

    def mend(self) -> None:
        """Let it work as it should, on its own machine."""
        self.mode = Mode.PROMPT
        self.delay = None
        self.controls = None

    @property
    def controlled(self) -> machines.Machine:
        """The machine whose power it really switches and reads."""
        return self.controls or self.machine

    @property
    def reachable(self) -> bool:
        """Whether anybody could reach it."""
        powered = self.machine.power_feed or not self.dead_with_host
        attached = self._networks.reaches(
            self.machine.name, network.Server.BMC
        )
        return powered and attached and self._mode is not Mode.DEAD

    # -- what it answers, when a request has reached it ----------------------

    def read(self) -> model.PowerState:
        """:raises DeviceCredentials:"""
        self._authenticate()
        if self._mode is Mode.LIES_ON:
            return model.PowerState.ON
        if self._pretends_off or not self.controlled.power:
            return model.PowerState.OFF
        return model.PowerState.ON

    def system_uuid(self) -> str | None:
        """:raises DeviceCredentials:"""
        self._authenticate()
        return None if self.anonymous else self.controlled.system_uuid

    def power_off(self) -> None:
        """Accept to power off.

        :raises DeviceCredentials:
        :raises DeviceRefused:
        """
        self._accept()
        self._pretends_off = self._mode is Mode.LIES_OFF
        self._obey(self._switch_off)

    def power_on(self) -> None:
        """Accept to power on.

        :raises DeviceCredentials:
        :raises DeviceRefused:
        """
        self._accept()
        self._pretends_off = False
        self._obey(self._switch_on)

    def _authenticate(self) -> None:
        if self._mode is Mode.DENIED:
            raise exception.DeviceCredentials(self.name, "wrong password")

    def _accept(self) -> None:
        self._authenticate()
        if self._mode is Mode.REFUSES:
            raise exception.DeviceRefused(self.name, "not allowed now")

    def _obey(self, switch: Callable[[machines.Machine], None]) -> None:
        if self._mode in _IDLE:
            return
        delay = self.delay
        if delay is None:
            slow = self._mode is Mode.SLOW
            delay = SLOW_DELAY if slow else PROMPT_DELAY
        # As cabled when it was told: re-cabling does not redirect a command.
        machine = self.controlled
        self._kernel.after(delay, lambda: switch(machine))

    def _switch_off(self, machine: machines.Machine) -> None:
        if machine.power:
            machine.power_off(f"by {self.name}")
            self._journal.note(
                machine.name, "bmc.off-done", self.name, device=self.name
            )

    def _switch_on(self, machine: machines.Machine) -> None:
        machine.power_on()


class BmcDriver(base.FenceDriver):
    """One engine's way to one device: the network, and what it costs."""

    def __init__(
        self,
        program: kernel_mod.Program,
        node: str,
        bmc: Bmc,
        host: str,
        networks: network.Networks,
        journal: journal_mod.Journal,
        call_timeout: float,
    ) -> None:
        """
        :param node: where the engine is in the network, and who it is.
        :param host: whom the device is configured for.
        """
        super().__init__(
            bmc.name, parameters.Parameters({}), program.clock, call_timeout
        )
        self._program = program
        self._kernel = program.kernel
        self._node = node
        self._bmc = bmc
        self._host = host
        self._networks = networks
        self._journal = journal

    def power_state(self) -> model.PowerState:
        state = self._exchange(self._bmc.read)
        self._note("bmc.read", state=state.value)
        return state

    def power_off(self) -> None:
        self._program.check_alive()
        self._note("bmc.off-sent")
        self._exchange(self._bmc.power_off)

    def power_on(self) -> None:
        self._program.check_alive()
        self._note("bmc.on-sent")
        self._exchange(self._bmc.power_on)

    def system_uuid(self) -> str | None:
        return self._exchange(self._bmc.system_uuid)

    def _exchange(self, request: Callable[[], T]) -> T:
        """Take a request there and its answer back.

        :raises DeviceError: also where the device has obeyed, and only its
            answer was lost.
        """
        self._program.check_alive()
        deadline = self._kernel.now + self.call_timeout
        self._travel()
        if not self._connected:
            self._wait_until(deadline)
            raise exception.DeviceUnreachable(self.name, "no connection")
        if self._bmc.mode is Mode.HUNG:
            self._wait_until(deadline)
            raise self._no_answer()
        try:
            return request()
        finally:
            self._come_back(deadline)

    def _come_back(self, deadline: float) -> None:
        """:raises DeviceTimeout: the answer, of whatever kind, was lost."""
        self._travel()
        if not self._connected:
            self._wait_until(deadline)
            raise self._no_answer()

    @property
    def _connected(self) -> bool:
        here = self._networks.reaches(self._node, network.Server.BMC)
        return here and self._bmc.reachable

    def _travel(self) -> None:
        chance = self._kernel.chance(f"messages of {self.name}")
        self._kernel.pause(chance.uniform(*_LATENCY))

    def _wait_until(self, deadline: float) -> None:
        self._kernel.pause(max(0.0, deadline - self._kernel.now))

    def _no_answer(self) -> exception.DeviceTimeout:
        return exception.DeviceTimeout(
            self.name, f"no answer within {self.call_timeout:g} s"
        )

    def _note(self, what: str, **details: str) -> None:
        message = ": ".join((self._host, *details.values()))
        self._journal.note(
            self._node,
            what,
            message,
            host=self._host,
            device=self.name,
            **details,
        )


class SimFencing(levels.LevelFencing):
    """The fencing of one engine, by devices given level by level."""

    def __init__(
        self,
        program: kernel_mod.Program,
        node: str,
        bmcs: Mapping[str, Sequence[Sequence[Bmc]]],
        networks: network.Networks,
        journal: journal_mod.Journal,
        *,
        poll_interval: float = 0.5,
        call_timeout: float = 5.0,
    ) -> None:
        """
        :param bmcs: by host, its levels; every device of a level has to
            confirm.
        :param call_timeout: seconds that one call to a device may take.
        """
        super().__init__(program.clock, poll_interval)
        self._program = program
        self._node = node
        self._bmcs = bmcs
        self._networks = networks
        self._journal = journal
        self._call_timeout = call_timeout
        self._made: dict[model.HostName, tuple[int, _Levels]] = {}

    def levels(self, host: model.HostName) -> Sequence[procedure.Level]:
        """As in production, corrected credentials make new devices: those
        that had been given up are asked again."""
        given = self._bmcs.get(host, ())
        revision = sum(bmc.revision for level in given for bmc in level)
        made = self._made.get(host)
        if made is None or made[0] != revision:
            devices = [
                [self._device(host, bmc) for bmc in level] for level in given
            ]
            made = self._made[host] = (revision, devices)
        return made[1]

    def _device(self, host: str, bmc: Bmc) -> device_mod.Device:
        driver = BmcDriver(
            self._program,
            self._node,
            bmc,
            host,
            self._networks,
            self._journal,
            self._call_timeout,
        )
        return device_mod.Device(driver, driver.FENCE_TIMEOUT, driver.clock)
