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

"""Who may be asked for a health that is good."""

import json

from nova_ha.core import census
from nova_ha.metrics import health
from tests import base


class HealthTestCase(base.TestCase):
    def judge(self, age=0.5, connected=True, epoch=None):
        taken = census.Census(taken_at=0.0, connected=connected, epoch=epoch)
        return health.judge(taken, age)

    def test_a_leader_and_a_standby_are_healthy(self):
        self.assertTrue(self.judge(epoch=3).good)
        self.assertTrue(self.judge().good)

    def test_a_loop_that_stands_still_is_not(self):
        found = self.judge(age=health.LOOP_LATE + 1)
        self.assertFalse(found.good)
        self.assertIn("loop", found.problems[0])

    def test_nor_is_one_without_a_session(self):
        found = self.judge(connected=False)
        self.assertFalse(found.good)
        self.assertIn("ZooKeeper", found.problems[0])

    def test_nor_one_that_has_not_begun(self):
        found = health.judge(None, 5.0)
        self.assertFalse(found.good)
        self.assertIsNone(found.loop_age)

    def test_as_json(self):
        told = json.loads(self.judge(epoch=3, connected=False).to_json())
        self.assertEqual(False, told["healthy"])
        self.assertEqual(3, told["epoch"])
        self.assertTrue(told["leading"])
        self.assertEqual(1, len(told["problems"]))
