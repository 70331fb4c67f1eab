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

from nova_ha.core import actions
from tests import base

CASE = {"host": "a", "case": "case-a"}


class KeyTestCase(base.TestCase):
    def test_one_of_a_kind_at_a_time(self):
        self.assertEqual("TakeSurvey", actions.TakeSurvey(**CASE).key)
        self.assertEqual("Close", actions.Close(**CASE).key)

    def test_instances_apart(self):
        keys = {
            cls(**CASE, instance=instance, target="b").key
            for cls in (actions.Evacuate, actions.Repair)
            for instance in ("i1", "i2")
        }
        self.assertEqual(4, len(keys))

    def test_the_target_makes_no_difference(self):
        """Else two requests for one instance could be under way."""
        keys = {
            actions.Evacuate(**CASE, instance="i1", target=target).key
            for target in ("b", "c")
        }
        self.assertEqual(1, len(keys))
