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

"""Calls with a deadline, for functions that can hang for ever.

A write to a dead NFS server or a question to a hung libvirtd cannot be
interrupted from Python. It is made in a helper thread that is waited for only
so long, and while that thread hangs no second one is started.
"""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from nova_ha import clock as nova_clock

T = TypeVar("T")


class NoAnswer(Exception):
    """A bounded call did not return in time.

    :ivar seconds: the deadline that passed.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"no answer within {seconds:g} s")


class _Task(Generic[T]):
    """One call in a thread of its own."""

    def __init__(
        self, function: Callable[[], T], name: str, clock: nova_clock.Clock
    ) -> None:
        self.done = threading.Event()
        self._future: concurrent.futures.Future[T] = (
            concurrent.futures.Future()
        )
        self._function = function
        clock.spawn(self._run, name)

    def _run(self) -> None:
        try:
            self._future.set_result(self._function())
        except BaseException as error:  # handed over to the caller
            self._future.set_exception(error)
        self.done.set()

    def outcome(self) -> T:
        return self._future.result(timeout=0)


class Bounded(Generic[T]):
    """Calls one function, each time with a deadline; not reentrant."""

    def __init__(
        self,
        function: Callable[[], T],
        *,
        deadline: float,
        clock: nova_clock.Clock,
        name: str,
    ) -> None:
        """:param deadline: seconds.
        :param name: of the helper thread."""
        self._function = function
        self._deadline = deadline
        self._clock = clock
        self._name = name
        self._hung: _Task[T] | None = None

    def call(self) -> T:
        """Call the function and return what it returns.

        An answer to an earlier call that comes late is thrown away: it tells
        of another moment.

        :raises NoAnswer: the deadline has passed.
        """
        limit = self._clock.monotonic() + self._deadline
        if self._hung is not None:
            self._wait(self._hung, limit)
        task = _Task(self._function, self._name, self._clock)
        self._wait(task, limit)
        return task.outcome()

    def _wait(self, task: _Task[T], limit: float) -> None:
        remaining = max(0.0, limit - self._clock.monotonic())
        if not self._clock.wait(task.done, remaining):
            self._hung = task
            raise NoAnswer(self._deadline)
        self._hung = None
