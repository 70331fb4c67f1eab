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

"""What a drain asks for, waits for and leaves."""

import dataclasses

from nova_ha.core import drain
from nova_ha.core.drain import Standing
from tests import base
from tests.unit.core import builders as make


def live(number, status, **changes):
    return make.migration(number, status, kind="live-migration", **changes)


def cold(number, status, **changes):
    return make.migration(number, status, kind="migration", **changes)


def tried(**changes):
    return drain.Try(**({"at": 1000.0} | changes))


class DrainTestCase(base.TestCase):
    def look(self, *instances, records=(), tries=None, after=0.0, cold=False):
        return drain.look(
            "a",
            instances,
            records,
            {} if tries is None else {"i1": tries},
            1000.0 + after,
            cold=cold,
        )

    def one(self, *records, tries=None, after=0.0, cold=False, **changes):
        """The standing and the words about an instance on the host."""
        instance = make.instance(**changes)
        (item,) = self.look(
            instance, records=records, tries=tries, after=after, cold=cold
        ).items
        return item.standing, item.reason

    def away(self, *records, tries=None, cold=False):
        """The same of one that is booked elsewhere."""
        items = self.look(records=records, tries=tries, cold=cold).items
        return [(item.standing, item.reason) for item in items]


class ReadyTestCase(DrainTestCase):
    def test_what_can_be_live_migrated(self):
        for state in ("active", "paused"):
            item = self.look(make.instance(vm_state=state)).items[0]
            self.assertEqual(
                (Standing.READY, drain.Way.LIVE), (item.standing, item.way)
            )

    def test_stopped_ones_only_if_wanted(self):
        standing, why = self.one(vm_state="stopped")
        self.assertIs(Standing.LEFT, standing)
        self.assertIn("--cold", why)
        item = self.look(make.instance(vm_state="stopped"), cold=True).items[0]
        self.assertEqual(
            (Standing.READY, drain.Way.COLD), (item.standing, item.way)
        )

    def test_what_nova_does_not_move(self):
        for state in ("error", "suspended", "rescued", "resized", "building"):
            standing, why = self.one(vm_state=state, cold=True)
            self.assertIs(Standing.LEFT, standing)
            self.assertIn(state, why)

    def test_a_task_of_its_owner(self):
        self.assertEqual(
            (Standing.LEFT, "a task is under way: image_uploading"),
            self.one(task_state="image_uploading"),
        )

    def test_what_went_wrong_in_an_earlier_run(self):
        for status in ("error", "failed", "cancelled"):
            self.assertIs(Standing.READY, self.one(live(3, status))[0])

    def test_a_record_that_nobody_goes_on_with(self):
        self.assertIs(Standing.READY, self.one(live(3, "accepted"))[0])

    def test_so_many_at_a_time(self):
        ready = [make.instance(f"r{number}") for number in range(9)]
        busy = make.instance(task_state="migrating")
        look = self.look(busy, *ready, records=[live(1, "running")])
        self.assertEqual(
            ["r0", "r1", "r2"], [item.instance for item in look.next]
        )
        self.assertFalse(look.over)


class MovingTestCase(DrainTestCase):
    def test_one_that_somebody_else_has_begun(self):
        self.assertEqual(
            (Standing.MOVING, "live-migration to b: running"),
            self.one(live(3, "running"), task_state="migrating"),
        )

    def test_one_that_was_just_asked_for(self):
        asked = tried(newest=3)
        self.assertEqual(
            (Standing.MOVING, "asked for"),
            self.one(live(3, "error"), tries=asked, after=59),
        )
        self.assertEqual(
            (Standing.MOVING, "asked for"),
            self.one(tries=asked, task_state="migrating", after=999),
        )

    def test_one_that_has_arrived_since_the_list_was_read(self):
        moved = live(4, "completed")
        self.assertIs(
            Standing.MOVING, self.one(moved, tries=tried(newest=3))[0]
        )
        # It has come back since.
        self.assertIs(Standing.READY, self.one(moved)[0])


class FailedTestCase(DrainTestCase):
    def test_refused(self):
        self.assertEqual(
            (Standing.LEFT, "Nova refuses: HTTP 409"),
            self.one(tries=tried(refused="HTTP 409")),
        )

    def test_its_record_tells(self):
        self.assertEqual(
            (Standing.LEFT, "live-migration: error (No valid host)"),
            self.one(
                live(4, "error", dest=None),
                tries=tried(newest=3),
                fault="No valid host",
            ),
        )

    def test_nothing_shows(self):
        standing, why = self.one(tries=tried(), after=60)
        self.assertIs(Standing.LEFT, standing)
        self.assertIn("shows nothing", why)

    def test_then_the_drain_is_over(self):
        look = self.look(make.instance(), tries=tried(refused="no"))
        self.assertTrue(look.over)
        self.assertEqual([], look.next)


class ElsewhereTestCase(DrainTestCase):
    def test_what_has_left(self):
        self.assertEqual([], self.away(live(3, "completed")))
        self.assertEqual([], self.away(cold(3, "confirmed"), cold=True))
        self.assertTrue(self.look().over)

    def test_a_cold_migration_on_its_way(self):
        moving = cold(3, "post-migrating")
        ((standing, why),) = self.away(moving, tries=tried(), cold=True)
        self.assertIs(Standing.MOVING, standing)
        self.assertEqual("leaves (migration to b: post-migrating)", why)
        ((standing, _),) = self.away(moving, cold=True)
        self.assertIs(Standing.LEFT, standing)

    def test_one_that_is_to_be_confirmed(self):
        finished = cold(3, "finished")
        ((standing, _),) = self.away(finished, cold=True)
        self.assertIs(Standing.ARRIVED, standing)
        ((standing, why),) = self.away(finished)
        self.assertIs(Standing.LEFT, standing)
        self.assertIn("confirmed or reverted", why)
        ((standing, _),) = self.away(cold(3, "confirming"), cold=True)
        self.assertIs(Standing.MOVING, standing)

    def test_a_resize_is_its_owners(self):
        resized = dataclasses.replace(cold(3, "finished"), kind="resize")
        ((standing, _),) = self.away(resized, cold=True)
        self.assertIs(Standing.LEFT, standing)

    def test_one_that_is_about_to_arrive(self):
        coming = live(3, "running", source="b", dest="a")
        self.assertEqual(
            [(Standing.LEFT, "arrives (live-migration to a: running)")],
            self.away(coming),
        )

    def test_one_that_has_moved_on(self):
        records = [cold(3, "finished"), cold(4, "confirmed", source="b")]
        self.assertEqual([], self.away(*records, cold=True))
