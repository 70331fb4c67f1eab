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

"""Nova's notifications on a real broker, which goes and comes back."""

import pathlib
import tempfile

import oslo_messaging
from oslo_config import cfg

from lab import proc
from lab import process
from lab.services import base as services
from lab.services import rabbitmq
from nova_ha import clock as nova_clock
from nova_ha.assembly import notify
from nova_ha.core import events
from nova_ha.notify import nova
from tests import base

TOPIC = "versioned_notifications"
REBUILT = {"nova_object.data": {"uuid": "u1"}}


class NovaNotificationsTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.addCleanup(
            proc.kill_marked, f"{process.CLOUD_MARKER}={state}", 20
        )
        self.broker = rabbitmq.RabbitMQ(services.Site.at(state))
        self.told: list[events.Event] = []

    def configured(self, **values: object) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        notify.register_opts(conf)
        conf([])
        oslo_messaging.get_notification_transport(conf)  # its options
        conf.set_override("transport_url", self.broker.transport_url)
        for name, value in values.items():
            conf.set_override(name, value)
        return conf

    def listen(self) -> None:
        conf = self.configured()
        conf.set_override("nova_topics", [TOPIC], "notifications")
        self.addCleanup(conf.clear_override, "nova_topics", "notifications")
        clock = nova_clock.SystemClock()
        (source,) = notify.nova_notifications(conf, clock)
        source.start(self.told.append)
        self.addCleanup(source.stop)

    def nova(self) -> oslo_messaging.Notifier:
        """What a nova-compute sends with."""
        conf = self.configured(control_exchange=nova.EXCHANGE)
        return oslo_messaging.Notifier(
            oslo_messaging.get_notification_transport(conf),
            "nova-compute:cmp2",
            driver="messagingv2",
            topics=[TOPIC],
            retry=1,
        )

    def wait_heard(self) -> None:
        notifier = self.nova()
        self.told.clear()

        def heard() -> bool:
            notifier.info({}, "instance.rebuild.end", REBUILT)
            return bool(self.told)

        process.wait_until(heard, 60, "a notification", interval=0.5)
        self.assertEqual(events.InstanceStirred(instance="u1"), self.told[0])

    def test_heard_again_when_the_broker_is_back(self) -> None:
        self.listen()  # before there is one
        self.broker.start()
        self.wait_heard()
        self.broker.stop()
        self.broker.start()
        self.wait_heard()
