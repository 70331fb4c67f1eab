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

"""Evacuations that an operator asks for: what they overrule, and what not."""

import dataclasses
import datetime

from nova_ha.core import by_hand
from nova_ha.core import model
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders as make
from tests.unit.core import scenario


def request(**changes):
    values = {"host": "a", "by": "admin", "at": make.UTC} | changes
    return model.EvacuationRequest(**values)


class RefusalTestCase(base.TestCase):
    def refusal(self, asked=None, seconds=0, facts=None, **record):
        if facts is None:
            facts = make.facts(record=make.record(**record))
        return by_hand.refusal(
            asked or request(), facts, {"a", "b"}, make.utc(seconds)
        )

    def test_of_a_host_without_a_beacon_is_followed(self):
        self.assertEqual("", self.refusal())
        self.assertEqual("", self.refusal(request(target="b")))

    def test_a_beacon(self):
        alive = make.facts(beacon=make.beacon())
        self.assertIn("alive", self.refusal(facts=alive))

    def test_not_enrolled(self):
        self.assertIn("not enr", self.refusal(facts=make.facts(record=None)))

    def test_hands_off(self):
        self.assertIn("in maintenance", self.refusal(maintenance="RAM"))
        self.assertIn("never be fenced", self.refusal(protected="engine"))

    def test_a_target_that_can_be_none(self):
        self.assertIn("a cannot", self.refusal(request(target="a")))
        self.assertIn("c cannot", self.refusal(request(target="c")))

    def test_one_that_has_waited_for_too_long(self):
        self.assertEqual("", self.refusal(seconds=3600))
        self.assertIn("older than 1:00:00", self.refusal(seconds=3601))


class ByHandTestCase(scenario.ScenarioTestCase):
    def ask(self, **changes):
        at = self.cloud.clock.utcnow()
        self.cloud.asked["a"] = request(at=at, **changes)

    def fenced(self):
        return [call for call in self.cloud.calls if call[0] == "fence"]

    def test_a_host_that_somebody_has_disabled(self):
        self.host.disabled_reason = "broken fan"
        self.engine.run(5)
        self.crash()
        self.engine.run(60)
        self.assertIsNone(self.engine.state("a"))
        self.ask()
        self.reach(S.EVACUATED)
        self.assertEqual({}, self.cloud.asked)
        self.assertEqual("admin", self.case.request.by)

    def test_one_that_lives_is_left_alone(self):
        self.ask()
        self.engine.run(30)
        self.assertIn("host.request_refused", self.codes())
        self.assertEqual({}, self.cloud.asked)
        self.assertIsNone(self.engine.state("a"))

    def test_one_whose_nova_compute_reports_is_not_fenced(self):
        self.host.agent = False
        self.ask()
        self.engine.run(60)
        self.cloud.check_single_writer()
        self.assertEqual([], self.calls("evacuate"))
        self.assertEqual({"a0", "a1"}, self.host.guests)

    def test_it_is_no_proof(self):
        self.host.device = "fails"
        self.crash()
        self.ask()
        self.reach(S.FENCE_FAILED)
        self.engine.run(60)
        self.assertEqual([], self.calls("evacuate"))

    def test_a_successor_follows_it(self):
        self.host.disabled_reason = "broken fan"
        self.engine.run(5)
        self.crash()
        self.engine.run(30)
        self.ask()
        self.survive()
        self.reach(S.EVACUATED)

    def test_the_named_target_comes_first(self):
        self.crash()
        self.ask(target="d")
        self.reach(S.EVACUATED)
        self.assertEqual({"d"}, {call[2] for call in self.calls("evacuate")})

    def test_only_the_named_servers_move(self):
        self.crash()
        self.ask(servers=("a1",))
        self.reach(S.PARTIAL)
        self.assertIs(MoveState.SKIPPED, self.move("a0").state)
        self.assertIn("admin has named other", self.move("a0").reason)
        self.assertIs(MoveState.DONE, self.move("a1").state)
        self.ask()
        self.reach(S.EVACUATED)

    def test_what_was_given_up_is_tried_again(self):
        self.cloud.outcomes.extend(["error"] * 20)
        self.crash()
        self.reach(S.PARTIAL, seconds=600)
        self.assertIs(MoveState.FAILED, self.move("a0").state)
        self.cloud.outcomes.clear()
        before = self.move("a0").attempts
        self.ask()
        self.engine.run(1)
        self.assertGreaterEqual(self.move("a0").attempts, before)
        self.reach(S.EVACUATED)
        self.cloud.check_single_writer()

    def test_an_end_after_it_is_its_own(self):
        self.to_partial()
        self.ask()
        before = self.case.since
        self.engine.run(2)
        self.is_in(S.PARTIAL)
        self.assertEqual("admin", self.case.request.by)
        self.assertLess(before, self.case.since)
        self.assertFalse(by_hand.fulfilled(self.case))

    def test_what_may_move_by_now_does(self):
        self._others(disabled_reason="new firmware")
        self.to_partial()
        self.assertIs(MoveState.HELD, self.move("a1").state)
        self._others(disabled_reason="")
        self.change("a0", vm_state="stopped")
        self.engine.run(3)
        self.is_in(S.PARTIAL)
        self.ask()
        self.engine.run_until(lambda: self.case.request is not None, 2.0)
        self.is_in(S.EVACUATING)
        self.reach(S.EVACUATED)
        self.assertTrue(by_hand.fulfilled(self.case))

    def _others(self, **changes):
        for name, host in self.cloud.hosts.items():
            if name != "a":
                vars(host).update(changes)

    def test_a_goodbye_counts_again_once_the_host_is_back(self):
        self.crash()
        self.ask()
        self.reach(S.EVACUATED)
        self.come_back()
        self.reach(S.SOAKING)
        fenced = len(self.cloud.calls)
        self.host.goodbye = make.goodbye(
            boot=self.host.boot_id, said_at=self.cloud.clock.utcnow()
        )
        self.host.agent = self.host.compute = False
        self.engine.run(60)
        new = [call[0] for call in self.cloud.calls[fenced:]]
        self.assertNotIn("off", new)

    def test_one_for_a_host_that_is_back_is_refused(self):
        self.to_soaking()
        self.host.agent = False
        self.ask()
        self.engine.run(2)
        self.assertIn("host.request_refused", self.codes())


class FulfilledTestCase(base.TestCase):
    def fulfilled(self, *states, surveyed=True, servers=()):
        moves = tuple(
            make.move(state, instance=f"i{number}")
            for number, state in enumerate(states)
        )
        return by_hand.fulfilled(
            make.case(
                moves=moves,
                surveyed=surveyed,
                request=request(servers=servers),
            )
        )

    def test_all_have_moved(self):
        self.assertTrue(self.fulfilled(MoveState.DONE, MoveState.GONE))
        self.assertTrue(self.fulfilled())

    def test_not_all(self):
        self.assertFalse(self.fulfilled(MoveState.DONE, MoveState.FAILED))
        self.assertFalse(self.fulfilled(surveyed=False))

    def test_what_was_not_named_does_not_count(self):
        states = (MoveState.DONE, MoveState.SKIPPED)
        self.assertTrue(self.fulfilled(*states, servers=("i0",)))
        self.assertFalse(self.fulfilled(*states, servers=("i1",)))

    def test_one_that_was_named_and_is_not_there(self):
        self.assertFalse(self.fulfilled(MoveState.DONE, servers=("i9",)))

    def test_without_a_request(self):
        case = make.case(moves=(make.move(MoveState.DONE),), surveyed=True)
        self.assertTrue(by_hand.fulfilled(case))


class TakeTestCase(base.TestCase):
    def test_a_pinned_target_stays_pinned(self):
        move = model.Move(
            instance="i1", state=MoveState.FAILED, target="b", attempts=5
        )
        self.assertEqual(
            dataclasses.replace(
                move, state=MoveState.RETRY, forgiven=5, reason="again"
            ),
            by_hand._revived(move, "again"),
        )
        self.assertEqual(datetime.timedelta(hours=1), by_hand.LIFETIME)
