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

"""From options to the notifier of a process."""

import socket
from collections.abc import Callable, Sequence

import oslo_messaging
from oslo_config import cfg

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.conf import notifications
from nova_ha.core import model
from nova_ha.notify import bus
from nova_ha.notify import log
from nova_ha.notify import nova
from nova_ha.notify import several


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register our own options and those of oslo.messaging."""
    notifications.register_opts(conf)
    oslo_messaging.set_transport_defaults("nova-ha")


class ProcessNotifier(ports.Notifier):
    """The log, the bus where one is configured, and ``others``."""

    def __init__(
        self,
        bus_notifier: bus.BusNotifier | None,
        others: Sequence[ports.Notifier] = (),
    ) -> None:
        self._bus = bus_notifier
        told: list[ports.Notifier] = [log.LogNotifier(), *others]
        if bus_notifier is not None:
            told.append(bus_notifier)
        self._all = several.SeveralNotifiers(told)

    def emit(self, event: model.AuditEvent) -> None:
        self._all.emit(event)

    def close(self) -> None:
        """Send what still waits."""
        if self._bus is not None:
            self._bus.close()


def open_notifier(
    conf: cfg.ConfigOpts, clock: clock_mod.Clock, *others: ports.Notifier
) -> ProcessNotifier:
    """The notifier of this process.

    :param others: who is to be told besides.
    :raises ConfigError: oslo.messaging cannot use its options.
    """
    sender = transport(conf, oslo_messaging.get_notification_transport)
    if not any(conf.oslo_messaging_notifications.driver):
        return ProcessNotifier(None, others)
    notifier = oslo_messaging.Notifier(
        sender,
        publisher_id=f"nova-ha.{socket.gethostname()}",
        topics=conf.notifications.topics,
        retry=bus.RETRIES,
    )
    return ProcessNotifier(bus.BusNotifier(notifier, clock), others)


def nova_notifications(
    conf: cfg.ConfigOpts, clock: clock_mod.Clock
) -> Sequence[ports.EvidenceSource]:
    """Who listens to Nova's notifications; nobody unless asked for.

    :raises ConfigError: oslo.messaging cannot use its options.
    """
    topics = conf.notifications.nova_topics
    if not topics:
        return ()
    way = transport(conf, oslo_messaging.get_notification_transport)

    def listen(endpoint: object) -> oslo_messaging.MessageHandlingServer:
        return oslo_messaging.get_notification_listener(
            way,
            [
                oslo_messaging.Target(topic=topic, exchange=nova.EXCHANGE)
                for topic in topics
            ],
            [endpoint],
            executor="threading",
            # Every engine hears all, and nobody else misses anything.
            pool=f"nova_ha.{socket.gethostname()}",
        )

    return (nova.NovaNotifications(listen, clock),)


def transport(
    conf: cfg.ConfigOpts,
    get: Callable[[cfg.ConfigOpts], oslo_messaging.Transport],
) -> oslo_messaging.Transport:
    """The way to the message bus.

    :param get: of oslo.messaging: the kind of transport.
    :raises ConfigError: oslo.messaging cannot use its options.
    """
    try:
        return get(conf)
    except oslo_messaging.DriverLoadFailure as error:
        raise exception.ConfigError(
            "[DEFAULT] transport_url", str(error)
        ) from None
    except (oslo_messaging.InvalidTransportURL, ValueError):
        # What it says may quote the URL, which holds a password.
        raise exception.ConfigError(
            "[DEFAULT] transport_url",
            "is no URL of a message bus",
            "write rabbit://USER:PASSWORD@HOST:PORT/VHOST",
        ) from None
