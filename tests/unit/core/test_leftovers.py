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

"""Failed evacuations keep a returned host out until an operator decides."""

import collections

from nova_ha.core import leftovers
from nova_ha.core import model
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders as make
from tests.unit.core import scenario


class UndecidedTestCase(base.TestCase):
    def undecided(self, *moves, **changes):
        case = make.case(moves=moves, **changes)
        return [one.instance for one in leftovers.undecided(case)]

    def test_only_what_was_asked_for_can_have_failed(self):
        never = model.Move(instance="i1", state=MoveState.FAILED)
        asked = model.Move(instance="i2", state=MoveState.FAILED, attempts=1)
        self.assertEqual(["i2"], self.undecided(never, asked))
        self.assertEqual([], self.undecided(asked, accepted=("i2",)))

    def test_what_ends_otherwise_has_not_failed(self):
        moves = [
            model.Move(instance=state.value, state=state, attempts=1)
            for state in MoveState
            if state is not MoveState.FAILED
        ]
        self.assertEqual([], self.undecided(*moves))

    def test_many_are_not_all_named(self):
        moves = tuple(model.Move(instance=f"i{number}") for number in range(7))
        self.assertEqual(
            "i0, i1, i2, i3, i4 and 2 more", leftovers.names(moves)
        )


class FailureTestCase(scenario.ScenarioTestCase):
    """All evacuations fail, and then the host is back and healthy."""

    def setUp(self):
        super().setUp()
        self.let_all_fail()

    def let_all_fail(self):
        self.cloud.outcomes = collections.deque(["failed"] * 10)
        self.crash()
        self.reach(S.PARTIAL, seconds=300)
        self.cloud.outcomes.clear()
        self.come_back()
        self.reach(S.SOAKING)

    def accept(self, **changes):
        values = {"case": self.case.id, "by": "me", "at": make.UTC} | changes
        self.host.acceptance = model.Acceptance(**values)


class DecisionTestCase(FailureTestCase):
    def test_it_is_about_what_has_failed_by_then(self):
        """It dies again, and the same case recovers it once more."""
        self.accept()
        self.engine.run(1)
        self.assertEqual(("a0", "a1"), self.case.accepted)
        self.let_all_fail()
        self.engine.run(90)
        self.is_in(S.SOAKING)
        self.assertIn("2 failed evacuations", self.case.message)


class LeftoversTestCase(FailureTestCase):
    """After its soak time."""

    def setUp(self):
        super().setUp()
        self.engine.run(90)

    def in_service(self):
        return not self.host.disabled_reason

    def told(self, code):
        return [
            one.message
            for one in self.engine.notifier.events
            if one.code == code
        ]

    def test_it_stays_disabled(self):
        self.engine.run(30)
        self.is_in(S.SOAKING)
        self.assertFalse(self.in_service())
        self.assertIn("2 failed evacuations: server-a0", self.case.message)
        self.assertIn("nova-ha host release a", self.case.message)

    def test_its_nova_compute_is_up_so_that_they_can_be_looked_after(self):
        self.assertFalse(self.host.forced_down)

    def test_that_is_told_once_and_then_reminded_of(self):
        self.engine.run(700)
        self.assertEqual(1, len(self.told("case.undecided")))
        waiting = [
            one.severity
            for one in self.engine.notifier.events
            if one.code == "case.waiting" and "failed evac" in one.message
        ]
        self.assertEqual([model.Severity.ALARM] * 2, waiting)

    def test_it_is_known_to_a_successor(self):
        self.survive()
        self.engine.run(90)
        self.is_in(S.SOAKING)
        self.assertEqual([], self.told("case.undecided"))
        self.accept()
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertTrue(self.in_service())

    def test_an_operator_leaves_them_there(self):
        self.accept()
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertTrue(self.in_service())
        self.assertEqual(
            ["me leaves server-a0, server-a1 on it"],
            self.told("case.accepted"),
        )
        (case,) = self.cloud.history.values()
        self.assertEqual(("a0", "a1"), case.accepted)

    def test_a_word_about_another_case_counts_for_nothing(self):
        self.accept(case="case-of-last-year")
        self.engine.run(30)
        self.is_in(S.SOAKING)
        self.assertEqual([], self.told("case.accepted"))

    def test_deleted_or_moved_by_an_operator(self):
        del self.cloud.servers["a0"]
        self.change("a1", host="b")
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertTrue(self.in_service())
        (case,) = self.cloud.history.values()
        self.assertEqual(
            {"deleted, or moved by others"},
            {move.reason for move in case.moves},
        )

    def test_what_comes_to_it_meanwhile_is_none_of_it(self):
        self.cloud.boot("a", "new")
        self.engine.run(120)
        self.assertEqual(2, len(self.case.moves))

    def test_dead_again_it_is_recovered_again(self):
        self.crash()
        self.reach(S.EVACUATED, seconds=200)


class GivenBackTestCase(scenario.ScenarioTestCase):
    def test_what_a_rule_has_left_keeps_no_host_out(self):
        self.to_partial()
        self.come_back()
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertEqual("", self.host.disabled_reason)
        (case,) = self.cloud.history.values()
        self.assertEqual("back in service, with server-a0 on it", case.message)

    def test_what_was_never_asked_for_is_there_again_with_its_host(self):
        self.cloud.targets = lambda _: []
        self.crash()
        self.reach(S.PARTIAL)
        self.come_back()
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertEqual("", self.host.disabled_reason)
