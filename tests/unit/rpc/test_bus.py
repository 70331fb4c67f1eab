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

"""Calls that nobody answers."""

import threading

import oslo_messaging

from nova_ha import clock
from nova_ha import exception
from nova_ha.rpc import bus
from nova_ha.rpc import messages
from tests import base


class FakeClient:
    """Does what a test says."""

    def __init__(self, does):
        self.does = does

    def call(self, context, method, body):
        return self.does()


class BusTest(base.TestCase):
    def ask(self, does, method="picture", timeout=5.0):
        one = bus.Bus(FakeClient(does), dict, timeout, clock.SystemClock())
        return one.ask(method, messages.Nothing)

    def raising(self, error):
        def does():
            raise error

        return does

    def test_nobody_in_time(self):
        error = self.assertRaises(
            exception.BusUnavailable,
            self.ask,
            self.raising(oslo_messaging.MessagingTimeout()),
        )
        self.assertIn("within 5 s", str(error))
        self.assertIn("--direct", str(error))
        self.assertNotIn("not known", str(error))

    def test_of_a_change_it_is_not_known_whether_it_was_made(self):
        error = self.assertRaises(
            exception.BusUnavailable,
            self.ask,
            self.raising(oslo_messaging.MessageDeliveryFailure()),
            "switch",
        )
        self.assertIn("not known whether it was done", str(error))

    def test_a_call_that_hangs_is_left_behind(self):
        hung = threading.Event()
        self.addCleanup(hung.set)
        bus._GRACE, grace = 0.1, bus._GRACE
        self.addCleanup(setattr, bus, "_GRACE", grace)
        self.assertRaises(
            exception.BusUnavailable, self.ask, hung.wait, timeout=0.1
        )

    def test_watchers_take_it_for_an_outage(self):
        self.assertTrue(
            issubclass(
                exception.BusUnavailable, exception.CoordinationUnavailable
            )
        )

    def test_an_engine_that_raises_serves_another_interface(self):
        for error in (
            oslo_messaging.RemoteError("NoSuchMethod", "text", []),
            oslo_messaging.UnsupportedVersion("2.0", method="picture"),
        ):
            found = self.assertRaises(
                exception.NovaHaError, self.ask, self.raising(error)
            )
            self.assertNotIsInstance(found, exception.BusUnavailable)
            self.assertIn("does not serve picture", str(found))

    def test_an_answer_that_makes_no_sense(self):
        for reply in (None, 7, [], {}, {"answer": 7}, {"answer": "{}"}):
            self.assertRaises(
                exception.PayloadError, self.ask, lambda reply=reply: reply
            )
