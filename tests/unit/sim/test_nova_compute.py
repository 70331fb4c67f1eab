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

from nova_ha.sim import network
from tests.unit.sim import nova_cloud
from tests.unit.sim.nova_cloud import ONE
from tests.unit.sim.nova_cloud import TWO


class ReportTestCase(nova_cloud.NovaTestCase):
    """Whether a nova-compute reports."""

    def moves(self, host="a"):
        before = self.nova.service(host).reported_at
        self.run_for(25.0)
        return self.nova.service(host).reported_at > before

    def test_reports(self):
        self.assertTrue(self.moves())

    def test_report_interval(self):
        self.nova.report_interval = 60.0
        self.run_for(15.0)
        self.assertFalse(self.moves())

    def test_not_when_its_machine_is_off(self):
        self.machines["a"].power_off()
        self.assertFalse(self.moves())
        self.assertTrue(self.moves("b"))

    def test_not_when_killed(self):
        self.machines["a"].kill_compute()
        self.assertFalse(self.moves())
        self.machines["a"].start_compute()
        self.assertTrue(self.moves())

    def test_not_while_frozen(self):
        self.machines["a"].freeze()
        self.assertFalse(self.moves())
        self.machines["a"].thaw()
        self.assertTrue(self.moves())

    def test_not_without_the_queue(self):
        self.networks.cut_link("a", network.Server.QUEUE)
        self.assertFalse(self.moves())

    def test_not_while_its_cell_is_down(self):
        self.nova.down_cells.add("a")
        self.assertFalse(self.moves())

    def test_also_while_forced_down(self):
        self.nova.operator_force_down("a", True)
        self.assertTrue(self.moves())
        self.assertFalse(self.nova.service("a").up)

    def test_down_after_a_while(self):
        self.nova.service_down_time = 30.0
        self.machines["a"].kill_compute()
        self.assertTrue(self.nova.service("a").up)
        self.run_for(41.0)
        self.assertFalse(self.nova.service("a").up)

    def test_told(self):
        self.machines["a"].kill_compute()
        self.machines["a"].start_compute()
        codes = [code for code in self.codes("a") if "compute" in code]
        self.assertEqual(
            ["compute.started", "compute.stopped", "compute.started"], codes
        )


class ReturnTestCase(nova_cloud.NovaTestCase):
    """What nova-compute does when it starts."""

    def bring_back(self):
        self.machines["a"].power_on()
        self.run_for(60.0)

    def test_starts_what_is_booked_on_it(self):
        self.machines["a"].power_off()
        self.assertEqual([], self.runs_on())
        self.bring_back()
        self.assertEqual(["a"], self.runs_on())
        self.assertEqual(["a"], self.runs_on(TWO))

    def test_not_what_was_stopped(self):
        self.nova.stop(ONE)
        self.run_for(5.0)
        self.machines["a"].power_off()
        self.bring_back()
        self.assertEqual([], self.runs_on())

    def test_not_what_is_in_error(self):
        self.nova.records.change(ONE, vm_state="error")
        self.machines["a"].power_off()
        self.bring_back()
        self.assertEqual([], self.runs_on())

    def test_not_what_was_evacuated(self):
        self.lose("a")
        self.evacuate("b")
        self.run_for(10.0)
        self.bring_back()
        self.assertEqual(["b"], self.runs_on())
        self.assertEqual(["a"], self.runs_on(TWO))
        self.assertEqual(["completed"], self.statuses())
        self.assertEqual((1, 1), (self.used("a"), self.used("b")))

    def test_completes_what_has_got_nowhere(self):
        self.lose("a")
        self.nova.rebuild_outcomes.extend(["lost", "stuck"])
        self.evacuate("b")
        self.evacuate("b", TWO)
        self.run_for(10.0)
        self.bring_back()
        self.assertEqual(["completed"], self.statuses())
        self.assertEqual(["completed"], self.statuses(TWO))
        self.assertEqual([], self.runs_on() + self.runs_on(TWO))
        self.assertEqual("a", self.nova.servers[ONE].host)

    def test_not_what_nova_is_said_to_evacuate(self):
        self.lose("a")
        self.nova.rebuild_outcomes.append("lost")
        self.evacuate("b")
        self.run_for(5.0)
        self.ask(self.api.repair_state, ONE)
        self.bring_back()
        self.assertEqual(["completed"], self.statuses())
        self.assertEqual([], self.runs_on())

    def test_completes_only_the_last_record(self):
        self.lose("a")
        self.nova.rebuild_outcomes.extend(["lost", "lost"])
        self.evacuate("b")
        self.evacuate("b")
        self.run_for(10.0)
        self.bring_back()
        self.assertEqual(["accepted", "completed"], self.statuses())

    def test_destroys_guests_that_run_elsewhere_now(self):
        self.machines["a"].kill_compute()
        self.nova.operator_force_down("a", True)
        self.evacuate("b")
        self.run_for(10.0)
        self.assertEqual(["a", "b"], self.runs_on())
        self.machines["a"].start_compute()
        self.run_for(10.0)
        self.assertEqual(["b"], self.runs_on())

    def test_destroys_guests_of_deleted_servers(self):
        self.machines["a"].kill_compute()
        self.nova.delete(ONE)
        self.run_for(10.0)
        self.assertEqual(["a"], self.runs_on())
        self.machines["a"].start_compute()
        self.run_for(10.0)
        self.assertEqual([], self.runs_on())

    def test_half_done_rebuild_of_its_own(self):
        self.nova.records.set_task(ONE, "rebuild_spawning")
        self.machines["a"].kill_compute()
        self.machines["a"].start_compute()
        self.run_for(10.0)
        server = self.nova.servers[ONE]
        self.assertEqual(("error", None), (server.vm_state, server.task_state))

    def test_waits_for_its_conductor(self):
        self.machines["a"].power_off()
        self.nova.down_cells.add("a")
        self.bring_back()
        self.assertEqual([], self.runs_on())
        self.nova.down_cells.clear()
        self.run_for(5.0)
        self.assertEqual(["a"], self.runs_on())
