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

"""Driver of a relay board that switches the supply of hosts (an example).

Its protocol: after ``PASS <password>``, ``STATE <relay>``, ``OFF <relay>`` or
``ON <relay>``, a line each, the board answers one line: ``on``, ``off``,
``ok``, ``refused`` or ``denied``.
"""

import socket
from typing import ClassVar

from nova_ha import clock
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import parameters as params


class RelayDriver(base.FenceDriver):
    """One relay of a board."""

    PARAMETERS: ClassVar[tuple[params.Parameter, ...]] = (
        params.Parameter(
            name="address", required=True, help="Host name of the board."
        ),
        params.Parameter(
            name="port",
            kind=params.Kind.INTEGER,
            default=2317,
            minimum=1,
            maximum=65535,
            help="TCP port of the board.",
        ),
        params.Parameter(
            name="password",
            kind=params.Kind.SECRET,
            required=True,
            help="Its password.",
        ),
        params.Parameter(
            name="relay",
            kind=params.Kind.INTEGER,
            required=True,
            minimum=1,
            help="Number of the relay.",
        ),
    )

    # All but SYSTEM_UUID: a relay does not know what hangs on it.
    CAPABILITIES: ClassVar[frozenset[base.Capability]] = frozenset(
        {
            base.Capability.POWER_STATE,
            base.Capability.POWER_OFF,
            base.Capability.POWER_ON,
        }
    )

    FENCE_TIMEOUT: ClassVar[float] = 5.0  # a relay takes milliseconds

    def __init__(
        self,
        name: str,
        parameters: params.Parameters,
        clock: clock.Clock,
        call_timeout: float,
    ) -> None:
        super().__init__(name, parameters, clock, call_timeout)
        self._board = (parameters.text("address"), parameters.integer("port"))
        self._password = parameters.secret("password")
        self._relay = parameters.integer("relay")

    @classmethod
    def chassis(cls, parameters: params.Parameters) -> str | None:
        # What makes two devices the same: then they must not be the proof
        # of two hosts.
        address = parameters.text("address").lower()
        port, relay = parameters.integer("port"), parameters.integer("relay")
        return f"relay {relay} of {address} port {port}"

    def power_state(self) -> model.PowerState:
        answer = self._ask("STATE")
        if answer not in ("on", "off"):
            raise exception.DeviceProtocolError(
                self.name, "the state is neither on nor off"
            )
        return model.PowerState(answer)

    def power_off(self) -> None:
        self._command("OFF")

    def power_on(self) -> None:
        self._command("ON")

    def system_uuid(self) -> str | None:
        return None

    def _command(self, order: str) -> None:
        answer = self._ask(order)
        if answer == "refused":
            raise exception.DeviceRefused(self.name, "the board refuses")
        if answer != "ok":
            raise exception.DeviceProtocolError(
                self.name, "the answer is neither ok nor refused"
            )

    def _ask(self, order: str) -> str:
        text = f"PASS {self._password.reveal()}\n{order} {self._relay}\n"
        deadline = self.clock.monotonic() + self.call_timeout
        try:
            with socket.create_connection(
                self._board, timeout=self.call_timeout
            ) as connection:
                # Finding the address has no time-out: an order that comes
                # late could switch off a host that is up again.
                if self.clock.monotonic() > deadline:
                    raise TimeoutError
                connection.sendall(text.encode())
                answer = connection.makefile("rb").readline(64)
        except TimeoutError:
            raise exception.DeviceTimeout(self.name, "no answer") from None
        except OSError:
            raise exception.DeviceUnreachable(
                self.name, "no connection"
            ) from None
        if answer.strip() == b"denied":
            raise exception.DeviceCredentials(self.name, "wrong password")
        return answer.decode("ascii", "replace").strip()
