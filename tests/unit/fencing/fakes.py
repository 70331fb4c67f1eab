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


"""A fence device in memory, with the faults that real ones have."""

import os
import select
import threading
from typing import ClassVar

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import loader
from nova_ha.fencing import parameters as params


class FakeBmc:
    """The device itself, which a driver speaks to by its address."""

    def __init__(self, address: str, uuid: str = "") -> None:
        self.address = address
        self.uuid = uuid
        self.password = "secret"
        self.state = model.PowerState.ON
        self.calls: list[str] = []
        self.off_after = 0
        """How many questions it takes until a power-off shows."""
        self.refuses = False
        self.lies = False
        self.fails_reading: list[exception.DeviceError | Exception] = []
        self.fails_off: exception.DeviceError | None = None
        self.fails_telling: exception.DeviceError | None = None
        self.alive = True
        self.running = threading.Event()
        self.running.set()
        self._pending: int | None = None

    def ask(self) -> model.PowerState:
        if self._pending is not None:
            if self._pending == 0:
                self.state, self._pending = model.PowerState.OFF, None
            else:
                self._pending -= 1
        return self.state

    def off(self) -> None:
        if not self.lies:
            self._pending = self.off_after


class FakeClock(clock_module.SystemClock):
    """Sleeping costs nothing and moves the time."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.offset

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.offset += seconds


class FakeDriver(base.FenceDriver):
    """Driver of :class:`FakeBmc`."""

    PARAMETERS: ClassVar[tuple[params.Parameter, ...]] = (
        params.Parameter(name="address", required=True, help="Which one."),
        params.Parameter(
            name="port",
            kind=params.Kind.INTEGER,
            default=1,
            minimum=1,
            maximum=9,
            help="A number.",
        ),
        params.Parameter(
            name="password",
            kind=params.Kind.SECRET,
            required=True,
            help="Its password.",
        ),
        params.Parameter(
            name="mode", default="a", choices=("a", "b"), help="A choice."
        ),
    )

    bmcs: ClassVar[dict[str, FakeBmc]] = {}

    def __init__(
        self,
        name: str,
        parameters: params.Parameters,
        clock: clock_module.Clock,
        call_timeout: float,
    ) -> None:
        super().__init__(name, parameters, clock, call_timeout)
        self.address = parameters.text("address")
        self._password = parameters.secret("password")

    @classmethod
    def chassis(cls, parameters: params.Parameters) -> str | None:
        return f"fake {parameters.text('address')}"

    def _bmc(self, call: str) -> FakeBmc:
        bmc = self.bmcs[self.address]
        bmc.calls.append(call)
        if not bmc.alive:
            raise exception.DeviceUnreachable(self.name, "no connection")
        if not bmc.running.wait(self.call_timeout):
            raise exception.DeviceTimeout(self.name, "no answer")
        if self._password.reveal() != bmc.password:
            raise exception.DeviceCredentials(self.name, "wrong password")
        return bmc

    def power_state(self) -> model.PowerState:
        bmc = self._bmc("status")
        if bmc.fails_reading:
            raise bmc.fails_reading.pop(0)
        return bmc.ask()

    def power_off(self) -> None:
        bmc = self._bmc("off")
        if bmc.refuses:
            raise exception.DeviceRefused(self.name, "not allowed")
        bmc.off()
        if bmc.fails_off:
            raise bmc.fails_off

    def power_on(self) -> None:
        self._bmc("on").state = model.PowerState.ON

    def system_uuid(self) -> str | None:
        bmc = self._bmc("uuid")
        if bmc.fails_telling:
            raise bmc.fails_telling
        return bmc.uuid or None


def finder(**drivers: type[base.FenceDriver]) -> loader.DriverFinder:
    """A driver finder that knows the given drivers only."""

    def find(name: str) -> type[base.FenceDriver]:
        try:
            return drivers[name]
        except KeyError:
            raise LookupError(f"there is no driver {name!r}") from None

    return find


def ends(pid: int, within: float = 10.0) -> bool:
    """Whether a process ends within so many seconds, or has ended."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], within)[0])
    finally:
        os.close(process)
