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

from nova_ha.core import brake
from nova_ha.core import model
from nova_ha.core import storm
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from tests import base
from tests.unit.core import builders as make

WINDOW = make.verdict("unknown", "window")
OFF = make.verdict("down", "power-off")


class StormTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.memory = brake.Memory()

    def fold(self, now, *missing, verdicts=None, domain="", **changes):
        """Four hosts, of which some are missing; returns what is told."""
        views = []
        for host in "abcd":
            record = make.record(host, failure_domain=domain)
            facts = make.facts(host, record=record)
            views.append(
                make.missing(facts=facts)
                if host in missing
                else make.present(host=host)
            )
        world = make.world(
            *views, verdicts=verdicts, memory=self.memory, **changes
        )
        self.memory, told = storm.fold(self.memory, world, now)
        return told

    def codes(self, *arguments, **options):
        return [event.code for event in self.fold(*arguments, **options)]

    def test_one_dead_host_is_no_storm(self):
        self.assertEqual([], self.codes(0.0, "a"))

    def test_it_begins_with_counts_and_the_rule(self):
        (event,) = self.fold(0.0, "a", "b")
        self.assertEqual("storm.begun", event.code)
        self.assertIs(model.Severity.ALARM, event.severity)
        self.assertEqual(
            {
                "rule": "too-many",
                "failure_domain": "",
                "counted": "2",
                "allowed": "1",
                "monitored": "4",
            },
            dict(event.details),
        )
        self.assertIn("suspect: a, b", event.message)
        self.assertEqual([], self.codes(1.0, "a", "b"))

    def test_what_is_suspect_for_a_moment_begins_none(self):
        both = {"a": WINDOW, "b": WINDOW}
        self.assertEqual([], self.codes(0.0, "a", "b", verdicts=both))
        self.assertEqual(
            ["storm.begun"], self.codes(1.0, "a", "b", verdicts={"b": WINDOW})
        )

    def test_but_it_keeps_one_going(self):
        self.fold(0.0, "a", "b")
        both = {"a": WINDOW, "b": WINDOW}
        self.assertEqual([], self.codes(100.0, "a", "b", verdicts=both))
        self.assertEqual([], self.codes(130.0))
        self.assertEqual([], self.codes(189.0))
        self.assertEqual(["storm.over"], self.codes(190.0))

    def test_it_is_over_after_quiet_without_a_break(self):
        self.fold(0.0, "a", "b")
        self.assertEqual([], self.codes(10.0, "a"))
        self.assertEqual([], self.codes(50.0, "a", "b"))
        self.assertEqual([], self.codes(60.0, "a"))
        self.assertEqual([], self.codes(119.0, "a"))
        self.assertEqual(["storm.over"], self.codes(120.0, "a"))
        self.assertEqual([], self.codes(121.0))
        self.assertEqual({}, self.memory.storms)

    def test_an_outage_is_no_quiet(self):
        self.fold(0.0, "a", "b")
        self.fold(10.0)
        self.fold(60.0, connected=False)
        self.assertEqual([], self.codes(75.0))
        self.assertEqual(["storm.over"], self.codes(135.0))

    def test_hosts_that_read_off_make_none(self):
        off = dict.fromkeys("abc", OFF)
        self.assertEqual([], self.codes(0.0, "a", "b", "c", verdicts=off))

    def test_a_host_that_is_being_fenced_is_decided(self):
        case = make.case("a", state=CaseState.FENCING)
        said = {"b": WINDOW}
        self.assertEqual(
            [], self.codes(0.0, "a", "b", verdicts=said, cases=[case])
        )

    def test_a_failure_domain(self):
        gone = "abcd"
        events = self.fold(0.0, *gone, domain="rack")
        self.assertEqual(
            [("storm.begun", ""), ("storm.begun", "rack")],
            [(one.code, one.details["failure_domain"]) for one in events],
        )
        self.assertIn("failure domain rack", events[1].message)


class FencedTestCase(base.TestCase):
    def test_a_power_off_counts_for_the_window(self):
        memory = storm.fenced(brake.Memory(), "a", 100.0)
        world = make.world()
        for now, counts in ((159.9, True), (160.0, False)):
            after, _ = storm.fold(memory, world, now)
            self.assertEqual(counts, "a" in after.fenced_at, now)


class TakeOverTestCase(base.TestCase):
    def test_what_may_have_been_switched_off_was_so_just_now(self):
        memory = storm.take_over(
            [
                make.case("a", off_sent=True, state=CaseState.EVACUATED),
                make.case("b"),
            ],
            500.0,
        )
        self.assertEqual({"a": 500.0}, memory.fenced_at)
        self.assertEqual({}, memory.storms)

    def test_storms_go_on(self):
        memory = storm.take_over(
            [
                make.case("a", hold=Hold.STORM, held_by=BrakeRule.TOO_MANY),
                make.case(
                    "b",
                    hold=Hold.STORM,
                    held_by=BrakeRule.FAILURE_DOMAIN,
                    silent_domain="rack",
                ),
                make.case("c", hold=Hold.STORM, held_by=BrakeRule.PACE),
                make.case("d", hold=Hold.PAUSED),
            ],
            500.0,
        )
        self.assertEqual({"", "rack"}, set(memory.storms))
        told = []
        for now in (500.0, 560.0):
            memory, events = storm.fold(memory, make.world(), now)
            told += [event.code for event in events]
        self.assertEqual(["storm.over", "storm.over"], told)
