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
from tests.unit.sim import nova_cloud
from tests.unit.sim.nova_cloud import ONE


class EvacuationTestCase(nova_cloud.NovaTestCase):
    """An evacuation from a host that is off."""

    def setUp(self):
        super().setUp()
        self.lose("a")

    def check_refused(self, answer, status):
        self.assertIsInstance(answer, exception.ComputeRefused)
        self.assertEqual(status, answer.status)

    def test_one_guest(self):
        self.assertIsNone(self.evacuate("b"))
        self.assertEqual(["accepted"], self.statuses())
        self.run_for(10.0)
        self.assertEqual(["b"], self.runs_on())
        self.assertEqual(["done"], self.statuses())
        server = self.nova.servers[ONE]
        self.assertEqual(("b", "active"), (server.host, server.vm_state))
        self.assertIsNone(server.task_state)

    def test_story(self):
        self.evacuate("b")
        self.run_for(10.0)
        sent, accepted = (
            next(e for e in self.journal.entries if e.what == what)
            for what in ("nova.evacuate-sent", "nova.evacuate-accepted")
        )
        self.assertEqual(nova_cloud.ENGINE, sent.who)
        self.assertEqual(
            {"instance": ONE, "target": "b", "source": "a"},
            dict(sent.details),
        )
        self.assertLess(sent.at, accepted.at)
        self.assertEqual(1, accepted.details["record"])
        self.assertEqual(
            ["accepted", "pre-migrating", "done"],
            [
                entry.details["status"]
                for entry in self.journal.entries
                if entry.what == "nova.migration"
            ],
        )

    def test_stopped_instance_stays_stopped(self):
        self.nova.records.change(ONE, vm_state="stopped", power_state=4)
        self.evacuate("b")
        self.run_for(10.0)
        self.assertEqual([], self.runs_on())
        self.assertEqual("stopped", self.nova.servers[ONE].vm_state)
        self.assertEqual("b", self.nova.servers[ONE].host)

    def test_active_before_its_host_changes(self):
        self.nova.rebuild_seconds = (100.0, 100.0)
        self.evacuate("b")
        self.run_for(95.0)
        server = self.nova.servers[ONE]
        self.assertEqual(("a", "active"), (server.host, server.vm_state))
        self.assertEqual(["pre-migrating"], self.statuses())

    # -- what is refused --

    def test_unknown_instance(self):
        self.check_refused(self.evacuate("b", "three"), 404)

    def test_unknown_target(self):
        self.check_refused(self.evacuate("x"), 404)

    def test_target_is_its_host(self):
        self.check_refused(self.evacuate("a"), 400)

    def test_not_evacuable(self):
        self.nova.records.change(ONE, vm_state="suspended")
        self.check_refused(self.evacuate("b"), 409)

    def test_source_in_use(self):
        self.nova.operator_force_down("a", False)
        self.check_refused(self.evacuate("b"), 400)
        self.assertEqual([], self.statuses())

    def test_source_silent_long_enough(self):
        self.nova.operator_force_down("a", False)
        self.run_for(70.0)
        self.assertIsNone(self.evacuate("b"))

    # -- what the scheduler refuses --

    def check_no_valid_host(self):
        self.evacuate("b")
        self.run_for(10.0)
        self.assertEqual(["error"], self.statuses())
        server = self.nova.servers[ONE]
        self.assertEqual(("a", "error"), (server.host, server.vm_state))
        self.assertIsNone(server.task_state)
        self.assertEqual([], self.runs_on())

    def test_target_down(self):
        self.nova.operator_force_down("b", True)
        self.check_no_valid_host()

    def test_target_disabled(self):
        self.nova.operator_disable("b", "repair")
        self.check_no_valid_host()

    def test_target_full(self):
        self.nova.capacity["b"] = {"VCPU": 0, "MEMORY_MB": 4096}
        self.check_no_valid_host()

    def test_target_filtered(self):
        self.nova.evacuations.filters.append(lambda _, host: host != "b")
        self.check_no_valid_host()

    def test_again_after_no_valid_host(self):
        self.nova.rebuild_outcomes.append("error")
        self.check_no_valid_host()
        self.assertIsNone(self.evacuate("b"))
        self.run_for(10.0)
        self.assertEqual(["b"], self.runs_on())
        self.assertEqual(["error", "done"], self.statuses())

    # -- what goes wrong at the target --

    def end(self, outcome):
        self.nova.rebuild_outcomes.append(outcome)
        self.evacuate("b")
        self.run_for(30.0)
        server = self.nova.servers[ONE]
        return self.statuses(), self.runs_on(), server.vm_state, server.host

    def test_failed(self):
        self.assertEqual((["failed"], [], "error", "a"), self.end("failed"))
        self.assertEqual((2, 0), (self.used("a"), self.used("b")))

    def test_failed_running(self):
        self.assertEqual(
            (["failed"], ["b"], "error", "a"), self.end("failed-running")
        )

    def test_failed_running_is_there_already(self):
        self.end("failed-running")
        self.evacuate("b")
        self.run_for(10.0)
        self.assertEqual(["failed", "failed"], self.statuses())
        self.assertEqual(["b"], self.runs_on())

    def test_stuck(self):
        self.assertEqual(
            (["pre-migrating"], [], "active", "a"), self.end("stuck")
        )
        self.assertEqual((2, 1), (self.used("a"), self.used("b")))
        self.assertEqual("rebuilding", self.nova.servers[ONE].task_state)

    def test_stuck_running(self):
        self.assertEqual(
            (["pre-migrating"], ["b"], "active", "a"),
            self.end("stuck-running"),
        )

    def test_lost(self):
        self.assertEqual((["accepted"], [], "active", "a"), self.end("lost"))

    def test_unknown_outcome(self):
        self.nova.rebuild_outcomes.append("exploded")
        self.assertRaises(ValueError, self.evacuate, "b")

    def test_target_dies(self):
        self.nova.rebuild_seconds = (4.0, 4.0)
        self.evacuate("b")
        self.run_for(2.0)
        self.machines["b"].power_off()
        self.run_for(60.0)
        self.assertEqual(["pre-migrating"], self.statuses())
        self.assertEqual([], self.runs_on())
        self.machines["b"].power_on()
        self.run_for(60.0)
        self.assertEqual(["pre-migrating"], self.statuses())
        self.assertEqual([], self.runs_on())

    def test_targets_compute_dies_after_the_spawn(self):
        self.nova.rebuild_seconds = (10.0, 10.0)
        self.evacuate("b")
        self.run_for(8.0)
        self.machines["b"].kill_compute()
        self.run_for(60.0)
        self.assertEqual(["pre-migrating"], self.statuses())
        self.assertEqual(["b"], self.runs_on())
        self.assertEqual("a", self.nova.servers[ONE].host)

    def test_target_freezes(self):
        self.nova.rebuild_seconds = (4.0, 4.0)
        self.evacuate("b")
        self.run_for(1.0)
        self.machines["b"].freeze()
        self.run_for(30.0)
        self.assertEqual([], self.runs_on())
        self.machines["b"].thaw()
        self.run_for(5.0)
        self.assertEqual(["b"], self.runs_on())
        self.assertEqual(["done"], self.statuses())

    def test_target_frozen_then_killed_takes_it_in_its_next_life(self):
        self.machines["b"].freeze()
        self.evacuate("b")
        self.run_for(5.0)
        self.machines["b"].power_off()
        self.machines["b"].power_on()
        self.run_for(60.0)
        self.assertEqual(["b"], self.runs_on())

    def test_deleted_while_being_rebuilt(self):
        self.nova.rebuild_seconds = (4.0, 4.0)
        self.evacuate("b")
        self.run_for(1.0)
        self.nova.delete(ONE)
        self.run_for(10.0)
        self.assertEqual([], self.runs_on())
        self.assertEqual([], self.statuses())

    # -- twice --

    def test_two_targets_two_guests(self):
        self.nova.rebuild_seconds = (4.0, 4.0)
        self.evacuate("b")
        self.run_for(2.0)
        self.evacuate("c")
        self.run_for(30.0)
        self.assertEqual(["b", "c"], self.runs_on())
        self.assertEqual(["done", "failed"], self.statuses())
        server = self.nova.servers[ONE]
        self.assertEqual(("b", "error"), (server.host, server.vm_state))

    def test_same_target_one_guest(self):
        self.nova.rebuild_seconds = (4.0, 4.0)
        self.evacuate("b")
        self.run_for(2.0)
        self.evacuate("b")
        self.run_for(30.0)
        self.assertEqual(["b"], self.runs_on())
        self.assertEqual({"done", "failed"}, set(self.statuses()))

    def test_stale_record_takes_the_place_of_a_new_one(self):
        self.nova.rebuild_outcomes.append("lost")
        self.evacuate("b")
        self.run_for(5.0)
        self.evacuate("c")
        self.run_for(10.0)
        first, second = self.nova.migrations
        self.assertEqual(("done", "c"), (first.status, first.dest))
        self.assertEqual(("accepted", "c"), (second.status, second.dest))
        self.assertEqual(["c"], self.runs_on())

    def test_after_it_was_done(self):
        self.evacuate("b")
        self.run_for(10.0)
        self.check_refused(self.evacuate("c"), 400)
        self.check_refused(self.evacuate("b"), 400)

    def test_waits_for_a_target_that_is_down(self):
        self.machines["b"].stop_compute()
        self.evacuate("b")
        self.run_for(3600.0)
        self.assertEqual(["accepted"], self.statuses())
        self.machines["b"].start_compute()
        self.run_for(10.0)
        self.assertEqual(["b"], self.runs_on())

    def test_cell_down_on_the_way(self):
        self.evacuate("b")
        self.nova.down_cells.add("b")
        self.run_for(30.0)
        self.assertEqual(["accepted"], self.statuses())
        self.nova.down_cells.clear()
        self.run_for(10.0)
        self.assertEqual(["done"], self.statuses())

    def test_conductor_away_for_too_long(self):
        self.nova.rebuild_seconds = (4.0, 4.0)
        self.evacuate("b")
        self.run_for(2.0)
        self.nova.down_cells.add("b")
        self.run_for(120.0)
        self.nova.down_cells.clear()
        self.run_for(30.0)
        self.assertEqual(["pre-migrating"], self.statuses())
        self.assertEqual(["b"], self.runs_on())

    # -- by an operator --

    def test_operator_lets_the_scheduler_choose(self):
        self.nova.capacity["b"] = {"VCPU": 1, "MEMORY_MB": 2048}
        self.nova.operator_evacuate(ONE)
        self.run_for(10.0)
        self.assertEqual(["c"], self.runs_on())
        self.assertEqual(
            2, len([c for c in self.codes("operator") if "evacuate-" in c])
        )

    def test_operator_is_refused(self):
        self.nova.operator_evacuate(ONE, "a")
        self.assertIn("nova.refused", self.codes("operator"))
