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

"""Nova's notifications are a reason to look, and nothing more."""

import threading
from unittest import mock

import oslo_messaging
from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha.assembly import notify
from nova_ha.core import events
from nova_ha.notify import nova
from tests import base
from tests.zookeeper_server import wait_until

REBUILT = {
    "nova_object.name": "InstanceActionRebuildPayload",
    "nova_object.data": {"uuid": "u1", "host": "cmp2"},
}


class PayloadTest(base.TestCase):
    def test_instance(self):
        self.assertEqual("u1", nova.instance_of(REBUILT))
        failed = {"nova_object.data": {"instance_uuid": "u2"}}
        self.assertEqual("u2", nova.instance_of(failed))

    def test_what_makes_no_sense(self):
        for payload in (
            None,
            [],
            "u1",
            {},
            {"uuid": "u1"},
            {"nova_object.data": None},
            {"nova_object.data": {"uuid": 7}},
        ):
            self.assertIsNone(nova.instance_of(payload))


class EndpointTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.told = []
        self.endpoint = nova.Endpoint(self.told.append)

    def test_tells_of_an_instance(self):
        for take in (self.endpoint.info, self.endpoint.error):
            take({}, "nova-compute:cmp2", "instance.rebuild.end", REBUILT, {})
        self.assertEqual(
            [events.InstanceStirred(instance="u1")] * 2, self.told
        )

    def test_tells_of_nothing_else(self):
        self.endpoint.info({}, "x", "instance.rebuild.end", {}, {})
        self.assertEqual([], self.told)

    def test_hears_only_what_may_end_an_evacuation(self):
        def heard(kind):
            return self.endpoint.filter_rule.match(
                {}, "nova-compute:cmp2", kind, {}, {}
            )

        for kind in (
            "instance.rebuild.end",
            "instance.rebuild.error",
            "instance.rebuild_scheduled.start",
            "instance.evacuate.start",
            "compute.exception",
        ):
            self.assertTrue(heard(kind), kind)
        for kind in (
            "instance.update",
            "instance.create.end",
            "service.update",
        ):
            self.assertFalse(heard(kind), kind)


class ListenerTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = nova_clock.SystemClock()
        self.listener = mock.Mock()
        self.ready = threading.Event()
        self.listener.start.side_effect = self.ready.set

    def test_a_broken_bus_is_tried_again_and_named_without_its_url(self):
        listen = mock.Mock(side_effect=ValueError("rabbit://u:secret@x"))
        source = nova.NovaNotifications(listen, self.clock)
        with self.assertLogs("nova_ha.notify.nova", "WARNING") as logs:
            source.start(mock.Mock())
            wait_until(lambda: listen.called, 10)
            source.stop()
        self.assertNotIn("secret", "".join(logs.output))

    def test_listens_and_leaves(self):
        source = nova.NovaNotifications(lambda _: self.listener, self.clock)
        source.start(mock.Mock())
        self.assertTrue(self.ready.wait(10))
        source.stop()
        self.listener.stop.assert_called_once_with()

    def test_stopped_before_there_is_a_bus(self):
        nova.NovaNotifications(lambda _: self.listener, self.clock).stop()
        self.listener.stop.assert_not_called()


class AssemblyTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.conf = cfg.ConfigOpts()
        notify.register_opts(self.conf)
        self.conf([])
        # What oslo.messaging registers, and where its fake driver lives.
        oslo_messaging.get_notification_transport(self.conf)
        self.set("transport_url", "fake://")
        self.set("control_exchange", nova.EXCHANGE)

    def set(self, name, value, group=None):
        self.conf.set_override(name, value, group)
        self.addCleanup(self.conf.clear_override, name, group)

    def sources(self):
        return notify.nova_notifications(self.conf, nova_clock.SystemClock())

    def test_off_unless_asked_for(self):
        self.assertEqual((), self.sources())

    def test_hears_what_nova_sends(self):
        self.set("nova_topics", ["news"], "notifications")
        (source,) = self.sources()
        told = []
        source.start(told.append)
        self.addCleanup(source.stop)
        way = oslo_messaging.get_notification_transport(self.conf)
        notifier = oslo_messaging.Notifier(
            way, "nova-compute:cmp2", driver="messagingv2", topics=["news"]
        )

        def heard():
            notifier.info({}, "instance.rebuild.end", REBUILT)
            return told

        wait_until(heard, 10)
        self.assertEqual(events.InstanceStirred(instance="u1"), told[0])
