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

from nova_ha.core import moves
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders as make


class FollowTestCase(base.TestCase):
    def follow(self, move, *records):
        return moves.follow(move, "a", records, make.now())

    def requested(self, **changes):
        values = {"target": "b", "attempts": 1} | changes
        return make.move(MoveState.REQUESTED, **values)

    def test_without_a_record_nothing_is_known(self):
        move = self.requested(unanswered=True)
        self.assertEqual(move, self.follow(move))

    def test_records_of_the_past_and_of_others_do_not_count(self):
        move = self.requested(ignored=5)
        self.assertEqual(
            move,
            self.follow(
                move,
                make.migration(5, "failed"),
                make.migration(6, "done", instance="i2"),
                make.migration(7, "done", kind="live-migration"),
                make.migration(8, "done", source="c"),
            ),
        )

    def test_running(self):
        move = self.follow(self.requested(), make.migration(1, "accepted"))
        self.assertEqual(
            (MoveState.RUNNING, "b", 1, ""),
            (move.state, move.target, move.migration, move.reason),
        )

    def test_done(self):
        move = self.follow(self.requested(), make.migration(1, "done"))
        self.assertIs(MoveState.DONE, move.state)
        self.assertEqual(make.now().utc, move.done_at)

    def look(self, look, *records):
        return moves.follow(self.requested(), "a", records, make.now(), look)

    def test_completed_by_a_source_that_came_back_proves_nothing(self):
        """Nova-compute says so of every evacuation when it starts."""
        record = make.migration(1, "completed")
        self.assertTrue(moves.unclear(self.requested(), "a", [record]))
        for look, state in (
            (None, MoveState.RUNNING),
            (make.instance(host="b"), MoveState.DONE),
            (make.instance(host="a"), MoveState.RETRY),
            (make.instance(task_state="rebuilding"), MoveState.RUNNING),
        ):
            self.assertIs(state, self.look(look, record).state, look)

    def test_a_stale_record_in_the_place_of_a_newer_one(self):
        stale, newer = (
            make.migration(1, "done"),
            make.migration(2, "accepted"),
        )
        moved = make.instance(host="b")
        self.assertIs(MoveState.DONE, self.look(moved, stale, newer).state)
        self.assertIs(MoveState.RUNNING, self.look(None, stale, newer).state)

    def test_two_destinations_leave_it_open(self):
        records = [
            make.migration(1, "done"),
            make.migration(2, "accepted", "c"),
        ]
        moved = make.instance(host="b")
        self.assertIs(MoveState.RUNNING, self.look(moved, *records).state)

    def test_somebody_elses_evacuation_is_adopted(self):
        move = self.follow(make.move(), make.migration(1, "accepted", "c"))
        self.assertEqual(
            (MoveState.RUNNING, "c", 1, "adopted"),
            (move.state, move.target, move.attempts, move.reason),
        )

    def test_a_failed_duplicate_beside_a_done_one_is_a_success(self):
        for records in (
            [make.migration(1, "done"), make.migration(2, "failed", "c")],
            [make.migration(1, "failed", "c"), make.migration(2, "done")],
        ):
            move = self.follow(self.requested(), *records)
            self.assertEqual((MoveState.DONE, "b"), (move.state, move.target))
            self.assertTrue(moves.had_duplicate_failure(move, "a", records))

    def test_a_lone_success_needs_no_repair(self):
        records = [make.migration(1, "done")]
        move = self.follow(self.requested(), *records)
        self.assertFalse(moves.had_duplicate_failure(move, "a", records))

    def test_while_one_is_in_flight_it_runs(self):
        """Whatever else has failed, or even succeeded."""
        for status in ("failed", "error", "done"):
            move = self.follow(
                self.requested(),
                make.migration(1, status),
                make.migration(2, "accepted"),
            )
            self.assertIs(MoveState.RUNNING, move.state, status)

    def test_two_in_flight_to_different_hosts_are_named(self):
        move = self.follow(
            self.requested(),
            make.migration(1, "accepted"),
            make.migration(2, "accepted", "c"),
        )
        self.assertEqual("b", move.target)
        self.assertIn("to b, c", move.reason)

    def test_a_failed_rebuild_keeps_its_target(self):
        move = self.follow(
            self.requested(unanswered=True), make.migration(4, "failed")
        )
        self.assertEqual(
            (MoveState.RETRY, "b", 4, False),
            (move.state, move.target, move.ignored, move.unanswered),
        )
        self.assertIn("b failed", move.reason)

    def test_a_refusal_leaves_no_runner(self):
        """So another target may be chosen, and this one is avoided."""
        move = self.follow(
            self.requested(),
            make.migration(1, "error"),
            make.migration(2, "error"),
        )
        self.assertEqual(
            (MoveState.RETRY, "b", 2),
            (move.state, move.target, move.ignored),
        )

    def test_a_refused_repeat_does_not_free_a_host_that_may_run_it(self):
        """The first rebuild failed on b, where it may have started the
        guest; the scheduler then refuses b once. To send it to b again is
        the only way on."""
        move = self.follow(self.requested(), make.migration(1, "failed"))
        move = self.requested(target="b", attempts=2, ignored=move.ignored)
        move = self.follow(
            move, make.migration(1, "failed"), make.migration(2, "error")
        )
        self.assertEqual("b", move.target)

    def test_what_is_over_stays_as_it_is(self):
        for state in (MoveState.DONE, MoveState.SKIPPED, MoveState.GONE):
            move = make.move(state)
            self.assertEqual(
                move, self.follow(move, make.migration(1, "accepted"))
            )

    def test_what_was_given_up_can_be_completed_by_somebody_else(self):
        move = self.follow(
            make.move(MoveState.FAILED), make.migration(1, "done", "c")
        )
        self.assertEqual((MoveState.DONE, "c"), (move.state, move.target))

    def test_a_target_that_died(self):
        move = moves.target_died(
            make.move(
                MoveState.RUNNING, target="b", migration=4, unanswered=True
            )
        )
        self.assertEqual(
            (MoveState.RETRY, None, 4, False),
            (move.state, move.target, move.ignored, move.unanswered),
        )
        self.assertIn("b died", move.reason)

    def test_what_a_target_had_taken_when_it_died_is_over(self):
        records = [
            make.migration(1, "pre-migrating", "c"),
            make.migration(2, "failed"),
            make.migration(3, "accepted"),
            make.migration(4, "pre-migrating"),
            make.migration(5, "pre-migrating", instance="i2"),
        ]
        move = make.move(MoveState.RUNNING, target="b", over=(1,))
        self.assertEqual((1, 4), moves.target_died(move, records).over)
