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

"""The arithmetic of the design's safety page."""

from nova_ha.core import policy as policy_mod
from tests import base


class PolicyTestCase(base.TestCase):
    def test_the_window_covers_one_common_cause(self):
        policy = policy_mod.Policy(touch_interval=1.0, tick=2.0)
        # i + tick + tick/2 + 1 s
        self.assertEqual(5.0, policy.window)

    def test_after_an_outage_sessions_may_still_be_reconnecting(self):
        policy = policy_mod.Policy(session_timeout=30.0)
        self.assertEqual(30.0 + policy.window, policy.settle)

    def test_a_predecessors_requests_have_to_be_over(self):
        policy = policy_mod.Policy(leader_lease=6.0, request_timeout=15.0)
        self.assertEqual(21.0, policy.takeover)
