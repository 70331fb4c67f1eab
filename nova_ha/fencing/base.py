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

"""What a fence driver implements.

A driver is a class in the stevedore namespace ``nova_ha.fencing``. It says
which parameters it takes (:attr:`FenceDriver.PARAMETERS`) and speaks to one
device. It only translates: when to ask, when to command, how long to observe
and what counts as proof is decided in :mod:`nova_ha.fencing.procedure`, alike
for every driver.
"""

import abc
import enum
from typing import ClassVar

from nova_ha import clock as clock_module
from nova_ha.core import model
from nova_ha.fencing import parameters as params

NAMESPACE = "nova_ha.fencing"


class Capability(enum.StrEnum):
    """What a device can be asked for.

    One without ``POWER_STATE`` never proves anything; it can only say, by
    DeviceNeedsOperator, what a person has to do.
    """

    POWER_STATE = "power-state"
    POWER_OFF = "power-off"
    POWER_ON = "power-on"
    SYSTEM_UUID = "system-uuid"


class FenceDriver(abc.ABC):
    """Speaks to one fence device. Every method may be called from any thread,
    also at the same time, and blocks for at most about ``call_timeout``
    seconds (the caller leaves a call that exceeds it, see ``device``).

    All methods raise the errors of :mod:`nova_ha.exception`:

    :raises DeviceUnreachable: no connection.
    :raises DeviceTimeout: no answer in time.
    :raises DeviceRefused: understood, and not done.
    :raises DeviceWrongState: the same, because of the state it is in.
    :raises DeviceCredentials: rejected; the device is left alone from then
        on, so be sure.
    :raises DeviceProtocolError: an answer that makes no sense.
    """

    PARAMETERS: ClassVar[tuple[params.Parameter, ...]] = ()
    """What ``fencing.yaml`` may set, beside ``COMMON_PARAMETERS``."""

    CAPABILITIES: ClassVar[frozenset[Capability]] = frozenset(Capability)

    FENCE_TIMEOUT: ClassVar[float] = 20.0
    """Default of ``fence_timeout``: seconds from an accepted power-off until
    off must have been seen. 20 s is what ClusterLabs' agents allow."""

    def __init__(
        self,
        name: str,
        parameters: params.Parameters,
        clock: clock_module.Clock,
        call_timeout: float,
    ) -> None:
        """
        :param name: the device's name in ``fencing.yaml``.
        :param parameters: validated against :meth:`schema`.
        :param call_timeout: seconds that one call may take.
        """
        self.name = name
        self.clock = clock
        self.call_timeout = call_timeout

    @classmethod
    def schema(cls) -> tuple[params.Parameter, ...]:
        """All parameters, the common ones included."""
        return cls.PARAMETERS + COMMON_PARAMETERS

    @classmethod
    def further_schema(
        cls, own: params.Parameters
    ) -> tuple[params.Parameter, ...]:
        """Parameters that depend on the values of those in :meth:`schema`:
        a driver that wraps other programs takes theirs.

        Asked when the file is loaded; may look at this machine, and not at
        the device.

        :raises ValueError: says what is wrong with the values; never holds
            one of a secret.
        """
        return ()

    @classmethod
    def chassis(cls, parameters: params.Parameters) -> str | None:
        """What the parameters point at, in one spelling, or None.

        Two devices that point at the same chassis must not serve two hosts:
        the power of one would be taken for the power of the other.
        """
        return None

    @abc.abstractmethod
    def power_state(self) -> model.PowerState:
        """Ask the device now. In transition is UNKNOWN, never OFF."""

    @abc.abstractmethod
    def power_off(self) -> None:
        """Command an immediate power-off. Returning means *accepted*."""

    @abc.abstractmethod
    def power_on(self) -> None:
        """Command power-on. Returning means *accepted*."""

    @abc.abstractmethod
    def system_uuid(self) -> str | None:
        """UUID of the machine that the device controls, None where it does
        not tell. Compare with :func:`nova_ha.fencing.identity.same_system`:
        devices differ in the order of its bytes."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


COMMON_PARAMETERS: tuple[params.Parameter, ...] = (
    params.Parameter(
        name="call_timeout",
        kind=params.Kind.NUMBER,
        minimum=0.1,
        maximum=300,
        help="Seconds that one question or command may take; default is "
        "[fencing] call_timeout.",
    ),
    params.Parameter(
        name="fence_timeout",
        kind=params.Kind.NUMBER,
        minimum=1,
        maximum=600,
        help="Seconds after the power-off command in which the device must "
        "be seen off; default depends on the driver.",
    ),
    params.Parameter(
        name="evidence_only",
        kind=params.Kind.BOOLEAN,
        default=False,
        help="Ask the device for its state and never switch it: it has to "
        "confirm what other devices of its level do.",
    ),
)
