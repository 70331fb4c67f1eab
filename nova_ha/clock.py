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

"""Time, injected. The only module of nova_ha that imports ``time``.

Durations are measured on a monotonic clock, records carry UTC. Everything
that needs either takes a :class:`Clock`, so that tests and the simulator
run the same code on virtual time. For the same reason whatever has to run
beside its caller, and may wait, is started by the clock: in the simulator
all of it takes turns in one thread, in the same order every time.
"""

import abc
import datetime
import threading
import time
from collections.abc import Callable
from typing import Protocol


class Thread(Protocol):
    """Something that runs beside its starter, and can be waited for."""

    def join(self) -> None: ...


class Clock(abc.ABC):
    """A source of time."""

    @abc.abstractmethod
    def monotonic(self) -> float:
        """Seconds on a clock that never steps; only differences count."""

    @abc.abstractmethod
    def boottime(self) -> float:
        """Like :meth:`monotonic`, but counts the time spent suspended.

        What an agent must judge its own lease by: a laptop lid or a paused
        virtual machine does not stop ZooKeeper from expiring a session.
        """

    @abc.abstractmethod
    def utcnow(self) -> datetime.datetime:
        """The time of day, timezone-aware, in UTC; for records only."""

    @abc.abstractmethod
    def wait(self, event: threading.Event, timeout: float) -> bool:
        """Wait until ``event`` is set or ``timeout`` seconds have passed.

        :returns: whether the event is set.
        """

    @abc.abstractmethod
    def spawn(self, body: Callable[[], None], name: str) -> Thread:
        """Run ``body`` beside the caller; it never keeps the process from
        ending."""

    def sleep(self, seconds: float) -> None:
        """Pause this thread for ``seconds``."""
        self.wait(threading.Event(), seconds)


class SystemClock(Clock):
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def utcnow(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)

    def wait(self, event: threading.Event, timeout: float) -> bool:
        return event.wait(timeout)

    def spawn(self, body: Callable[[], None], name: str) -> Thread:
        thread = threading.Thread(target=body, name=name, daemon=True)
        thread.start()
        return thread
