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

"""Nova's own notifications: they only say where to look sooner.

Anybody on the bus could have sent them, some are lost, and they come in any
order: so nothing in them is believed but the name of an instance.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import oslo_messaging
from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha.core import events
from nova_ha.core import model

LOG = logging.getLogger(__name__)

EXCHANGE = "nova"
"""Nova's control_exchange."""

TYPES = r"instance\.(rebuild|evacuate)(_scheduled)?\..*|compute\.exception"
"""Of the notifications that come when an evacuation begins, ends or fails."""

_AGAIN = 10.0
"""Seconds between two attempts to listen."""

_CLOSING = 2.0
"""Seconds that the end of the process waits for the bus."""


class NovaNotifications(ports.EvidenceSource):
    """Listens in a thread of its own; a bus that is away delays nothing.

    :param listen: makes a listener that calls an endpoint; called again
        until it succeeds.
    """

    def __init__(
        self,
        listen: Callable[[object], oslo_messaging.MessageHandlingServer],
        clock: clock_mod.Clock,
    ) -> None:
        self._listen = listen
        self._clock = clock
        self._stopped = threading.Event()
        self._listener: oslo_messaging.MessageHandlingServer | None = None

    def start(self, sink: ports.Sink) -> None:
        endpoint = Endpoint(sink)
        self._clock.spawn(lambda: self._run(endpoint), "nova-notifications")

    def _run(self, endpoint: "Endpoint") -> None:
        while not self._stopped.is_set():
            try:
                self._listener = self._listen(endpoint)
                # Returns once there is a broker.
                self._listener.start()
                return
            except Exception as error:
                # The edge of the thread: nothing depends on it. What it says
                # may quote the URL of the bus, which holds a password.
                LOG.warning(
                    "Nova's notifications cannot be listened to yet: %s",
                    type(error).__name__,
                )
            self._clock.wait(self._stopped, _AGAIN)

    def stop(self) -> None:
        """Leave the bus, without waiting for it for ever."""
        self._stopped.set()
        listener, ended = self._listener, threading.Event()
        if listener is None:
            return

        def close() -> None:
            try:
                listener.stop()
                listener.wait()
            finally:
                ended.set()

        self._clock.spawn(close, "nova-notifications-end")
        self._clock.wait(ended, _CLOSING)


class Endpoint:
    """What oslo.messaging calls, by the priority of the notification."""

    filter_rule = oslo_messaging.NotificationFilter(event_type=TYPES)

    def __init__(self, sink: ports.Sink) -> None:
        self._sink = sink

    def info(
        self,
        ctxt: Mapping[str, Any],
        publisher_id: str,
        event_type: str,
        payload: object,
        metadata: Mapping[str, Any],
    ) -> None:
        """Say which instance it is about; what makes no sense is nothing."""
        instance = instance_of(payload)
        if instance is not None:
            self._sink(events.InstanceStirred(instance=instance))

    error = info


def instance_of(payload: object) -> model.InstanceId | None:
    """The instance of a versioned payload (oslo.versionedobjects' form)."""
    data = _data(payload)
    found = data.get("uuid", data.get("instance_uuid"))
    return model.InstanceId(found) if isinstance(found, str) else None


def _data(payload: object) -> Mapping[str, object]:
    if isinstance(payload, dict):
        data = payload.get("nova_object.data")
        if isinstance(data, dict):
            return data
    return {}
