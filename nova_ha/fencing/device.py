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


"""What makes any driver safe to call.

A :class:`Device` wraps a driver: each call has a hard deadline whatever the
driver does, a device that rejected its credentials is not asked again, and a
driver that fails in an unforeseen way is a device that failed.
"""

import copy
import threading
from collections.abc import Callable
from concurrent import futures
from typing import TypeVar

from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base

LOG = logging.getLogger(__name__)

T = TypeVar("T")

GRACE = 1.0
"""Seconds that a driver may exceed its call_timeout before it is left: its
own error says more than ours."""

MAX_CALLS = 4
"""Calls at the same time to one device, abandoned ones included: one that
hangs for ever must not collect threads."""

_SWITCHING = frozenset({base.Capability.POWER_OFF, base.Capability.POWER_ON})


class Device:
    """One fence device, safe to call from any thread."""

    def __init__(
        self,
        driver: base.FenceDriver,
        fence_timeout: float,
        clock: clock_mod.Clock,
        remedy: str = "",
        evidence_only: bool = False,
    ) -> None:
        """
        :param fence_timeout: seconds from the power-off command until the
            device must be seen off.
        :param remedy: where to correct its credentials.
        :param evidence_only: it must never be switched.
        """
        self.name = driver.name
        self.fence_timeout = fence_timeout
        self._driver = driver
        self._clock = clock
        self._remedy = remedy
        self._can = driver.CAPABILITIES
        if evidence_only:
            self._can -= _SWITCHING
        self._deadline = driver.call_timeout + GRACE
        self._slots = threading.BoundedSemaphore(MAX_CALLS)
        self._rejected = ""
        self._barred = False

    def barred(self) -> "Device":
        """The same device, but nobody speaks to it."""
        found = copy.copy(self)
        found._barred = True
        return found

    @property
    def driver(self) -> str:
        """Kind of the device, by the module of its driver."""
        return type(self._driver).__module__.rpartition(".")[2]

    def can(self, capability: base.Capability) -> bool:
        """Whether the device knows how to, and may."""
        return capability in self._can

    @property
    def rejected(self) -> str:
        """Why the device is not asked any more; empty where it is."""
        return self._rejected

    def power_state(self) -> model.PowerState:
        """See :meth:`base.FenceDriver.power_state`."""
        return self._call(self._driver.power_state)

    def power_off(self) -> None:
        """See :meth:`base.FenceDriver.power_off`."""
        self._require(base.Capability.POWER_OFF)
        self._call(self._driver.power_off)

    def power_on(self) -> None:
        """See :meth:`base.FenceDriver.power_on`."""
        self._require(base.Capability.POWER_ON)
        self._call(self._driver.power_on)

    def system_uuid(self) -> str | None:
        """See :meth:`base.FenceDriver.system_uuid`."""
        if not self.can(base.Capability.SYSTEM_UUID):
            return None
        return self._call(self._driver.system_uuid)

    def _require(self, capability: base.Capability) -> None:
        if not self.can(capability):
            raise exception.DeviceRefused(
                self.name, f"it is not used for {capability}"
            )

    def _call(self, function: Callable[[], T]) -> T:
        if self._barred:
            raise exception.DeviceBarred(self.name)
        if self._rejected:
            raise exception.DeviceCredentials(self.name, self._rejected)
        try:
            return self._in_time(function)
        except exception.DeviceCredentials as error:
            self._rejected = (
                f"{error.problem}; not asked again until the file changes, "
                f"or the BMC may lock the account{self._remedy}"
            )
            raise exception.DeviceCredentials(
                self.name, self._rejected
            ) from None

    def _in_time(self, function: Callable[[], T]) -> T:
        """Run a call in a thread that is left behind if it hangs.

        A time-out of a socket is not a deadline: a BMC that sends a byte
        now and then keeps its client for ever.
        """
        if not self._slots.acquire(blocking=False):
            raise exception.DeviceTimeout(
                self.name, f"{MAX_CALLS} earlier calls have not ended yet"
            )
        answer: futures.Future[T] = futures.Future()
        answered = threading.Event()

        def ask() -> None:
            self._answer(function, answer)
            answered.set()

        self._clock.spawn(ask, f"fence-{self.name}")
        if not self._clock.wait(answered, self._deadline):
            raise exception.DeviceTimeout(
                self.name, f"no answer within {self._deadline:g} s"
            )
        return answer.result(timeout=0)

    def _answer(
        self, function: Callable[[], T], answer: "futures.Future[T]"
    ) -> None:
        try:
            result = function()
        except exception.DeviceError as error:
            answer.set_exception(error)
        except Exception as error:  # a driver's bug must not end the engine
            # Its text may hold what the driver was configured with.
            kind = type(error).__name__
            LOG.error(
                "Fence driver of device %s failed with %s", self.name, kind
            )
            answer.set_exception(
                exception.DeviceProtocolError(
                    self.name, f"its driver failed ({kind})"
                )
            )
        else:
            answer.set_result(result)
        finally:
            self._slots.release()
