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

"""Steps as notifications on the message bus, through oslo.messaging."""

import datetime
import queue
import threading
from collections.abc import Mapping
from typing import Any

import oslo_messaging
from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha.core import model

LOG = logging.getLogger(__name__)

VERSION = "1.1"
"""Of the payload: the minor number grows with fields, the major one with
changes that a consumer of the earlier one would trip over."""

WAITING = 1000
"""Steps kept while the bus is away: some fifty recoveries of small hosts."""

RETRIES = 3
"""Attempts of oslo.messaging before a step is given up; the log has it."""

CLOSING = 2.0
"""Seconds that the end of the process waits for the bus."""


_Step = tuple[model.AuditEvent, datetime.datetime]
"""With the time at which it was told."""


class BusNotifier(ports.Notifier):
    """Sends from a thread of its own, so that a bus that is away never
    delays a recovery. What no longer fits is dropped, the oldest first, and
    counted."""

    def __init__(
        self, notifier: oslo_messaging.Notifier, clock: clock_mod.Clock
    ) -> None:
        self._notifier = notifier
        self._clock = clock
        self._waiting: queue.Queue[_Step | None] = queue.Queue(WAITING)
        self._dropped = 0
        self._thread = threading.Thread(
            target=self._run, name="notifications", daemon=True
        )
        self._thread.start()

    def emit(self, event: model.AuditEvent) -> None:
        # Its time, not the time at which the bus takes it.
        step = (event, self._clock.utcnow())
        while True:
            try:
                self._waiting.put_nowait(step)
            except queue.Full:
                self._drop_oldest()
            else:
                return

    def close(self) -> None:
        """Send what waits, but not for ever."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(CLOSING)

    def _drop_oldest(self) -> None:
        try:
            self._waiting.get_nowait()
        except queue.Empty:
            return
        if not self._dropped:
            LOG.warning(
                "The message bus does not take notifications; the oldest are "
                "dropped, the log has them all"
            )
        self._dropped += 1

    def _run(self) -> None:
        while (step := self._waiting.get()) is not None:
            event, at = step
            try:
                self._send(event, at)
            except Exception as error:
                # The edge of the thread: whatever the driver raises, the
                # next step is to be told.
                LOG.warning("Notification %s not sent: %s", event.code, error)
            else:
                self._told_again()

    def _told_again(self) -> None:
        if self._dropped:
            LOG.warning(
                "The message bus takes notifications again; %d were dropped",
                self._dropped,
            )
            self._dropped = 0

    def _send(self, event: model.AuditEvent, at: datetime.datetime) -> None:
        send = {
            model.Severity.INFO: self._notifier.info,
            model.Severity.WARNING: self._notifier.warn,
            model.Severity.ALARM: self._notifier.error,
        }[event.severity]
        send({}, event_type(event.code), payload(event, at))


def event_type(code: str) -> str:
    """What a notification is called on the bus."""
    return f"nova_ha.{code}"


def payload(
    event: model.AuditEvent, at: datetime.datetime
) -> Mapping[str, Any]:
    """The versioned payload of a step that was told at a time in UTC; see
    :mod:`.schema`."""
    return {
        "version": VERSION,
        "code": event.code,
        "severity": event.severity.value,
        "at": at.isoformat(),
        "host": event.host,
        "case": event.case,
        "message": event.message,
        "details": dict(event.details),
    }
