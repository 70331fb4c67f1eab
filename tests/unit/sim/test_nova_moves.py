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

from tests.unit.sim import nova_cloud
from tests.unit.sim.nova_cloud import ONE


class LiveMigrationTestCase(nova_cloud.NovaTestCase):
    """A live migration, whole and cut at each phase: it copies for 8 s, and
    2 s later Nova books it on its new host."""

    def setUp(self):
        super().setUp()
        self.nova.live_migrate(ONE, "b")

    def picture(self):
        return self.runs_on(), self.nova.servers[ONE].host, self.statuses()

    def test_copying(self):
        self.run_for(5.0)
        self.assertEqual((["a"], "a", ["running"]), self.picture())

    def test_switched_over(self):
        self.run_for(9.0)
        self.assertEqual((["b"], "a", ["running"]), self.picture())

    def test_done(self):
        self.run_for(20.0)
        self.assertEqual((["b"], "b", ["completed"]), self.picture())
        self.assertIsNone(self.nova.servers[ONE].task_state)
        self.assertEqual((1, 1), (self.used("a"), self.used("b")))

    def test_rolled_back(self):
        self.run_for(5.0)
        self.machines["b"].power_off()
        self.run_for(20.0)
        self.assertEqual((2, 0), (self.used("a"), self.used("b")))

    def test_source_dies_while_copying(self):
        self.run_for(5.0)
        self.machines["a"].power_off()
        self.run_for(60.0)
        self.assertEqual(([], "a", ["running"]), self.picture())

    def test_source_dies_after_the_switch(self):
        self.run_for(9.0)
        self.machines["a"].power_off()
        self.run_for(60.0)
        self.assertEqual((["b"], "a", ["running"]), self.picture())

    def test_source_comes_back_after_the_switch(self):
        self.run_for(9.0)
        self.machines["a"].reboot(after=20.0)
        self.run_for(60.0)
        self.assertEqual((["b"], "a", ["error"]), self.picture())

    def test_dest_dies_while_copying(self):
        self.run_for(5.0)
        self.machines["b"].power_off()
        self.run_for(20.0)
        self.assertEqual((["a"], "a", ["failed"]), self.picture())
        self.assertIsNone(self.nova.servers[ONE].task_state)

    def test_dest_dies_after_the_switch(self):
        self.run_for(9.0)
        self.machines["b"].power_off()
        self.run_for(20.0)
        self.assertEqual(([], "b", ["error"]), self.picture())
        self.assertEqual("error", self.nova.servers[ONE].vm_state)

    def test_dest_does_not_answer(self):
        self.machines["b"].kill_compute()
        self.run_for(20.0)
        self.assertEqual((["a"], "a", ["failed"]), self.picture())

    def test_dest_freezes(self):
        self.run_for(5.0)
        self.machines["b"].freeze()
        self.run_for(30.0)
        self.assertEqual((["a"], "a", ["running"]), self.picture())
        self.machines["b"].thaw()
        self.run_for(10.0)
        self.assertEqual((["b"], "b", ["completed"]), self.picture())

    def test_sources_compute_dies_while_copying(self):
        self.run_for(5.0)
        self.machines["a"].kill_compute()
        self.run_for(20.0)
        self.assertEqual((["b"], "a", ["running"]), self.picture())

    def test_sources_compute_aborts_it_at_its_start(self):
        self.run_for(5.0)
        self.machines["a"].kill_compute()
        self.machines["a"].start_compute()
        self.run_for(20.0)
        self.assertEqual((["a"], "a", ["error"]), self.picture())
        self.assertIsNone(self.nova.servers[ONE].task_state)

    def test_guest_deleted_while_copying(self):
        self.run_for(5.0)
        self.nova.delete(ONE)
        self.run_for(20.0)
        self.assertEqual([], self.runs_on())

    def test_busy(self):
        self.nova.live_migrate(ONE, "c")
        self.assertEqual(1, self.codes("operator").count("nova.refused"))


class RefusedMigrationTestCase(nova_cloud.NovaTestCase):
    """What Nova does not begin."""

    def check(self):
        self.assertEqual(["nova.refused"], self.codes("operator"))
        self.assertEqual([], self.statuses())

    def test_unknown_instance(self):
        self.nova.live_migrate("three", "b")
        self.check()

    def test_same_host(self):
        self.nova.cold_migrate(ONE, "a")
        self.check()

    def test_no_valid_host(self):
        self.machines["b"].kill_compute()
        self.run_for(100.0)
        self.nova.live_migrate(ONE, "b")
        self.check()

    def test_nothing_to_confirm(self):
        self.nova.confirm_resize(ONE)
        self.check()


class ColdMigrationTestCase(nova_cloud.NovaTestCase):
    """A cold migration, whole and cut; it copies for 6 s."""

    def setUp(self):
        super().setUp()
        self.nova.cold_migrate(ONE, "b")

    def picture(self):
        server = self.nova.servers[ONE]
        return self.runs_on(), server.host, server.vm_state, self.statuses()

    def test_copying(self):
        self.run_for(3.0)
        self.assertEqual(([], "a", "active", ["migrating"]), self.picture())

    def test_finished(self):
        self.run_for(10.0)
        self.assertEqual((["b"], "b", "resized", ["finished"]), self.picture())

    def test_confirmed(self):
        self.run_for(10.0)
        self.nova.confirm_resize(ONE)
        self.assertEqual(["confirming"], self.statuses())
        self.run_for(5.0)
        self.assertEqual((["b"], "b", "active", ["confirmed"]), self.picture())
        self.assertEqual((1, 1), (self.used("a"), self.used("b")))

    def test_source_dies(self):
        self.run_for(3.0)
        self.machines["a"].power_off()
        self.run_for(30.0)
        self.assertEqual(([], "a", "active", ["migrating"]), self.picture())
        self.machines["a"].power_on()
        self.run_for(60.0)
        self.assertEqual((["a"], "a", "active", ["migrating"]), self.picture())

    def test_dest_dies_before_the_guest_is_started(self):
        self.run_for(3.0)
        self.machines["b"].power_off()
        self.run_for(30.0)
        self.assertEqual(
            ([], "b", "active", ["post-migrating"]), self.picture()
        )

    def test_overtaken(self):
        self.run_for(3.0)
        self.nova.records.set_task(ONE, None)
        self.run_for(10.0)
        self.assertEqual(([], "a", "active", ["migrating"]), self.picture())
