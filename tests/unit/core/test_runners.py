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

"""Invariant 1: who could be running an instance."""

from nova_ha.core import guests
from nova_ha.core import runners
from tests import base
from tests.unit.core import builders as make


class RunnersTestCase(base.TestCase):
    def agents(self, *inventories, fenced=()):
        listed = guests.Guests()
        for one in inventories:
            listed.put(one.host, one)
        return runners.Agents(guests=listed, fenced=frozenset(fenced))

    def possible(self, records, agents=None, marks=None, over=()):
        finding = runners.possible(
            "i1", "a", records, agents or self.agents(), marks or {}, over=over
        )
        self.marks = finding.marks
        return set(finding.runners)


class RecordsTestCase(RunnersTestCase):
    def test_no_record_no_runner(self):
        self.assertEqual(set(), self.possible([]))

    def test_records_of_others_say_nothing(self):
        other = make.migration(1, "done", instance="i2")
        self.assertEqual(set(), self.possible([other]))

    def test_a_refused_evacuation_has_reached_nobody(self):
        self.assertEqual(set(), self.possible([make.migration(1, "error")]))

    def test_an_error_of_another_kind_proves_nothing(self):
        """A live migration goes into error after it has switched over."""
        record = make.migration(1, "error", kind=runners.LIVE)
        self.assertEqual({"b"}, self.possible([record]))

    def test_every_other_status_makes_its_destination_a_runner(self):
        for status in ("accepted", "done", "failed", "pre-migrating", "odd"):
            self.assertEqual(
                {"b"}, self.possible([make.migration(1, status)]), status
            )

    def test_a_record_without_a_destination(self):
        self.assertEqual(
            set(), self.possible([make.migration(1, "accepted", dest=None)])
        )

    def test_the_dead_host_itself_is_none(self):
        record = make.migration(1, "done", dest="a", source="b")
        self.assertEqual(set(), self.possible([record]))

    def test_a_later_completed_live_migration_moved_it_away(self):
        records = [
            make.migration(1, "completed", "b", "c", kind=runners.LIVE),
            make.migration(2, "completed", "a", "b", kind=runners.LIVE),
        ]
        self.assertEqual(set(), self.possible(records))

    def test_an_earlier_one_did_not(self):
        records = [
            make.migration(1, "completed", "a", "b", kind=runners.LIVE),
            make.migration(2, "completed", "b", "c", kind=runners.LIVE),
        ]
        self.assertEqual({"b"}, self.possible(records))

    def test_what_cleans_a_source_depends_on_the_kind(self):
        for kind, status, left in (
            ("evacuation", "completed", True),
            ("evacuation", "done", False),
            ("migration", "confirmed", True),
            ("migration", "finished", False),
            ("resize", "confirmed", True),
            ("live-migration", "completed", True),
            ("live-migration", "error", False),
        ):
            records = [
                make.migration(1, "failed"),
                make.migration(2, status, "a", "b", kind=kind),
            ]
            self.assertEqual(
                set() if left else {"b"},
                self.possible(records),
                (kind, status),
            )

    def test_several_destinations(self):
        records = [
            make.migration(1, "failed", "b"),
            make.migration(2, "failed", "c"),
        ]
        self.assertEqual({"b", "c"}, self.possible(records))


class AgentsTestCase(RunnersTestCase):
    FAILED = (make.migration(1, "failed"),)

    def test_a_fenced_destination_runs_nothing(self):
        self.assertEqual(
            set(), self.possible(self.FAILED, self.agents(fenced="b"))
        )

    def test_absent_counts_two_collections_later(self):
        """The one under way when we asked may have begun before."""
        for sequence, found in ((5, {"b"}), (6, {"b"}), (7, set())):
            inventory = make.inventory("b", sequence=sequence)
            marks = {("i1", "b"): ("boot-1", 5)}
            self.assertEqual(
                found,
                self.possible(self.FAILED, self.agents(inventory), marks),
                sequence,
            )

    def test_the_mark_is_set_by_the_first_question(self):
        inventory = make.inventory("b", sequence=5)
        self.possible(self.FAILED, self.agents(inventory))
        self.assertEqual({("i1", "b"): ("boot-1", 5)}, self.marks)
        later = make.inventory("b", sequence=7)
        self.assertEqual(
            set(), self.possible(self.FAILED, self.agents(later), self.marks)
        )

    def test_a_new_boot_has_to_say_so_itself(self):
        marks = {("i1", "b"): ("boot-1", 5)}
        inventory = make.inventory("b", boot="boot-2", sequence=9)
        self.assertEqual(
            {"b"}, self.possible(self.FAILED, self.agents(inventory), marks)
        )
        self.assertEqual({("i1", "b"): ("boot-2", 9)}, self.marks)
        inventory = make.inventory("b", boot="boot-2", sequence=11)
        self.assertEqual(
            set(),
            self.possible(self.FAILED, self.agents(inventory), self.marks),
        )

    def test_marks_belong_to_one_instance(self):
        marks = {("i2", "b"): ("boot-1", 1)}
        inventory = make.inventory("b", sequence=9)
        self.assertEqual(
            {"b"}, self.possible(self.FAILED, self.agents(inventory), marks)
        )

    def test_present_counts_always(self):
        inventory = make.inventory("b", "i1", sequence=99)
        marks = {("i1", "b"): ("boot-1", 1)}
        self.assertEqual(
            {"b"}, self.possible(self.FAILED, self.agents(inventory), marks)
        )

    def test_listed_by_an_agent_without_any_record(self):
        inventory = make.inventory("c", "i1")
        self.assertEqual({"c"}, self.possible([], self.agents(inventory)))

    def test_listed_by_the_dead_host_itself(self):
        inventory = make.inventory("a", "i1")
        self.assertEqual(set(), self.possible([], self.agents(inventory)))

    def test_what_may_still_be_started_is_not_disproved_by_absence(self):
        """A cold migration or evacuation that is not over is started by
        its destination alone."""
        inventory = make.inventory("b", sequence=99)
        marks = {("i1", "b"): ("boot-1", 1)}
        for kind, status in (
            ("evacuation", "accepted"),
            ("migration", "post-migrating"),
            ("resize", "finished"),
        ):
            record = make.migration(1, status, kind=kind)
            self.assertEqual(
                {"b"}, self.possible([record], self.agents(inventory), marks)
            )

    def test_a_live_migration_that_was_cut_needs_its_source(self):
        inventory = make.inventory("b", sequence=9)
        marks = {("i1", "b"): ("boot-1", 1)}
        record = make.migration(1, "running", kind=runners.LIVE)
        self.assertEqual(
            set(), self.possible([record], self.agents(inventory), marks)
        )
        # It may have switched over just before.
        self.assertEqual({"b"}, self.possible([record]))

    def test_nothing_comes_of_one_that_is_over(self):
        """But its host may still run what it has begun."""
        inventory = make.inventory("b", sequence=99)
        marks = {("i1", "b"): ("boot-1", 1)}
        record, over = make.migration(1, "pre-migrating"), (1,)
        agents = self.agents(inventory)
        self.assertEqual({"b"}, self.possible([record], agents, marks))
        self.assertEqual(set(), self.possible([record], agents, marks, over))
        self.assertEqual({"b"}, self.possible([record], agents, {}, over))

    def test_one_startable_record_is_enough(self):
        inventory = make.inventory("b", sequence=99)
        marks = {("i1", "b"): ("boot-1", 1)}
        records = [
            make.migration(1, "accepted"),
            make.migration(2, "failed"),
        ]
        self.assertEqual(
            {"b"}, self.possible(records, self.agents(inventory), marks)
        )
