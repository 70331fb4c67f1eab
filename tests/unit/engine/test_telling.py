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

from nova_ha.core import model
from nova_ha.engine import telling
from tests import base
from tests.fakes import cloud as fakes


class TellerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.notifier = fakes.Notifier()
        self.teller = telling.Teller(self.notifier)

    def once(self, code, host="a", topic="verdict"):
        return self.teller.once(
            host, topic, model.AuditEvent(code=code, host=host)
        )

    def test_a_change_is_told_once(self):
        self.assertTrue(self.once("host.down"))
        self.assertFalse(self.once("host.down"))
        self.assertTrue(self.once("host.alive"))
        self.assertTrue(self.once("host.down"))
        self.assertEqual(3, len(self.notifier.events))

    def test_hosts_and_topics_are_apart(self):
        self.assertTrue(self.once("x"))
        self.assertTrue(self.once("x", host="b"))
        self.assertTrue(self.once("x", topic="would"))

    def test_again_on_demand(self):
        for again in (
            lambda: self.teller.renew("a", "verdict"),
            lambda: self.teller.drop("a"),
            self.teller.forget,
        ):
            self.once("x")
            again()
            self.assertEqual("", self.teller.last("a", "verdict"))
            self.assertTrue(self.once("x"))

    def test_nothing_is_kept_of_a_host_that_is_gone(self):
        self.once("x")
        self.teller.drop("a")
        self.teller.renew("b", "verdict")
        self.assertEqual({}, self.teller._told)
