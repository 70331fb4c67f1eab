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

"""The loop: everything that happens comes through one queue."""

import collections
import threading
from collections.abc import Sequence

from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha.core import events
from nova_ha.engine import controller as controller_mod

LOG = logging.getLogger(__name__)

TICK_BUSY = 0.1
"""Seconds between two ticks while some host wants attention."""

TICK_IDLE = 0.5


class EventQueue:
    """A sink that any thread may call, and the loop's source."""

    def __init__(self, clock: clock_mod.Clock) -> None:
        self._clock = clock
        self._events: collections.deque[events.Event] = collections.deque()
        self._filled = threading.Event()

    def put(self, event: events.Event) -> None:
        self._events.append(event)
        self._filled.set()

    def get(self, timeout: float) -> events.Event:
        """The next event, or a tick when none has come in ``timeout``
        seconds. For one thread only."""
        if not self._events:
            self._clock.wait(self._filled, timeout)
        # Before the look: what is put after it will wake the next call.
        self._filled.clear()
        return self._events.popleft() if self._events else events.Tick()


class Engine:
    """One engine process: sources in, controller in the middle."""

    def __init__(
        self,
        controller: controller_mod.Controller,
        inbox: EventQueue,
        membership: ports.Membership,
        leadership: ports.Leadership,
        sources: Sequence[ports.EvidenceSource],
    ) -> None:
        self._controller = controller
        self._inbox = inbox
        self._membership = membership
        self._leadership = leadership
        self._sources = sources

    def run(self) -> None:
        """Work until :class:`events.Stop` comes."""
        self._membership.start(self._inbox.put)
        for source in self._sources:
            source.start(self._inbox.put)
        self._leadership.start(self._inbox.put)
        try:
            self._loop()
        finally:
            # The lease goes first: a successor need not wait for the rest.
            self._leadership.stop()
            for source in self._sources:
                source.stop()
            self._membership.stop()

    def stop(self) -> None:
        """Make :meth:`run` return; safe in a signal handler."""
        self._inbox.put(events.Stop())

    def _loop(self) -> None:
        while True:
            busy = self._controller.busy
            event = self._inbox.get(TICK_BUSY if busy else TICK_IDLE)
            if isinstance(event, events.Stop):
                return
            try:
                self._controller.handle(event)
            except Exception:
                # The edge of the loop: a mistake of ours about one event
                # must not blind the engine to all others. The case that it
                # hit stays where it was saved. Only its kind is logged: an
                # event can hold all that is known of ten thousand hosts.
                kind = type(event).__name__
                LOG.exception("A %s could not be handled", kind)
