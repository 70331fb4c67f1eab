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

from nova_ha import exception
from nova_ha.core import model
from tests.unit.sim import nova_cloud
from tests.unit.sim.nova_cloud import ONE
from tests.unit.sim.nova_cloud import TWO


class KnobsTestCase(nova_cloud.NovaTestCase):
    """How long things take. What goes wrong is tested where it does."""

    def test_rebuild_seconds(self):
        self.lose("a")
        self.nova.rebuild_seconds = (30.0, 30.0)
        self.evacuate("b")
        self.run_for(29.0)
        self.assertEqual(["pre-migrating"], self.statuses())
        self.run_for(3.0)
        self.assertEqual(["done"], self.statuses())

    def test_live_migration(self):
        self.nova.live_seconds = self.nova.post_seconds = 1.0
        self.nova.live_migrate(ONE, "b")
        self.run_for(4.0)
        self.assertEqual(["completed"], self.statuses())

    def test_cold_migration(self):
        self.nova.copy_seconds = 1.0
        self.nova.cold_migrate(ONE, "b")
        self.run_for(3.0)
        self.assertEqual(["finished"], self.statuses())

    def test_request_timeout(self):
        self.nova.request_timeout = 3.0
        self.nova.lose_requests()
        answer = self.ask(self.api.force_down, "service-a", True, seconds=4.0)
        self.assertIsInstance(answer, exception.ComputeUnavailable)

    def test_outcomes_in_order(self):
        self.lose("a")
        self.nova.rebuild_outcomes.extend(["failed", "done"])
        self.evacuate("b")
        self.run_for(1.0)
        self.evacuate("b", TWO)
        self.run_for(10.0)
        self.assertEqual(["failed"], self.statuses())
        self.assertEqual(["done"], self.statuses(TWO))

    def test_fates_in_order(self):
        self.nova.lose_requests(1)
        self.nova.lose_answers(1)
        for forced in (False, True):
            self.ask(self.api.force_down, "service-a", True)
            self.assertIs(forced, self.nova.service("a").forced_down)

    def test_same_seed_same_story(self):
        def story():
            self.set_up_cloud()
            self.lose("a")
            self.ask(self.api.evacuate, ONE, model.HostName("b"))
            self.nova.operator_evacuate(TWO)
            self.run_for(30.0)
            return self.journal.entries

        self.assertEqual(story(), story())
