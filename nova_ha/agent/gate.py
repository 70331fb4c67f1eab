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

"""``wait-ready``: hold back nova-compute until its host may run guests.

Only reads. The decision is :func:`nova_ha.core.gate.may_start`.
"""

import pathlib
import threading
from collections.abc import Callable

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.core import gate
from nova_ha.core import model

_POLL_SECONDS = 1.0
_REMINDER_SECONDS = 30.0


class StartGate:
    """Asks again and again until the start is permitted."""

    def __init__(
        self,
        read_case: Callable[[], model.RecoveryCase | None],
        *,
        allow_file: pathlib.Path,
        clock: nova_clock.Clock,
        tell: Callable[[str], None],
    ) -> None:
        """:param read_case: the open case of this host, from ZooKeeper.
        :param allow_file: an operator's override; permits if it exists.
        :param tell: shows a line to the operator."""
        self._read_case = read_case
        self._allow_file = allow_file
        self._clock = clock
        self._tell = tell
        self._told: tuple[str, float] | None = None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the start is permitted, and tell why (not).

        :param timeout: seconds; None: for ever.
        :returns: False if the time is over.
        """
        never = threading.Event()
        began = self._clock.monotonic()
        while True:
            allowed, why = self._ask()
            if allowed:
                self._tell(f"May start: {why}")
                return True
            self._explain(why)
            pause = _POLL_SECONDS
            if timeout is not None:
                left = began + timeout - self._clock.monotonic()
                if left <= 0:
                    self._tell(f"Gave up after {timeout:g} s: {why}")
                    return False
                pause = min(pause, left)
            self._clock.wait(never, pause)

    def _ask(self) -> tuple[bool, str]:
        if self._allow_file.exists():
            return True, (
                f"WARNING: the operator's file {self._allow_file} exists, "
                "ZooKeeper was not asked; delete it when it has served"
            )
        try:
            return gate.may_start(self._read_case())
        except exception.CoordinationUnavailable:
            # Without the library's words: they vary, this line should not.
            return False, "ZooKeeper cannot be reached"
        except (exception.CoordinationError, exception.PayloadError) as error:
            return False, str(error)

    def _explain(self, why: str) -> None:
        now = self._clock.monotonic()
        if self._told is not None:
            said, when = self._told
            if said == why and now - when < _REMINDER_SECONDS:
                return
        self._told = (why, now)
        self._tell(
            f"Waiting: {why}. To start regardless, when you are sure that no "
            f"instance of this host runs elsewhere: touch {self._allow_file}"
        )
