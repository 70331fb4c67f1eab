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

from nova_ha.core import actions
from nova_ha.core import model
from nova_ha.core import transitions
from nova_ha.core import work as work_mod
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from tests import base
from tests.unit.core import builders as make


class WorkTestCase(base.TestCase):
    def bench(self, at=1000.0, case=None, progress=None, **world):
        return work_mod.Work(
            case or make.case(),
            progress or work_mod.Progress(),
            make.world(make.missing(), **world),
            make.now(at),
            transitions.TRANSITIONS,
        )

    def action(self):
        return actions.ReadPower(host="a", case="case-a")


class ChangeTestCase(WorkTestCase):
    def test_nothing_done_nothing_changed(self):
        self.assertFalse(self.bench().finish().changed)

    def test_a_state_is_entered_with_time_and_event(self):
        work = self.bench(case=make.case(hold=Hold.STORM))
        work.enter(CaseState.FENCING, "all silent")
        step = work.finish()
        self.assertTrue(step.changed)
        self.assertEqual(
            (CaseState.FENCING, None, {"fencing": make.utc(1000)}),
            (step.case.state, step.case.hold, step.case.times),
        )
        (event,) = step.audit
        self.assertEqual(
            ("case.fencing", "all silent"), (event.code, event.message)
        )

    def test_a_state_that_is_entered_again_keeps_its_first_time(self):
        case = make.case(
            state=CaseState.SOAKING, times={"returning": make.utc(1)}
        )
        work = self.bench(case=case)
        work.enter(CaseState.RETURNING, "a check fails")
        self.assertEqual({"returning": make.utc(1)}, work.case.times)
        self.assertEqual(make.utc(1000), work.case.since)

    def test_a_case_of_an_earlier_release_says_since_when(self):
        case = make.case(times={"suspected": make.utc(1)})
        self.assertEqual(make.utc(1), case.since)

    def test_codes_have_no_dashes(self):
        work = self.bench(case=make.case(state=CaseState.FENCING))
        work.enter(CaseState.FENCE_FAILED, "no answer")
        self.assertEqual("case.fence_failed", work.finish().audit[0].code)

    def test_what_the_table_does_not_have_is_a_mistake_of_ours(self):
        self.assertRaises(
            ValueError, self.bench().enter, CaseState.EVACUATING, ""
        )

    def test_a_milestone_is_the_first_time(self):
        work = self.bench()
        work.milestone("listed", make.utc(1))
        work.milestone("listed", make.utc(2))
        self.assertEqual({"listed": make.utc(1)}, work.case.times)


class HoldTestCase(WorkTestCase):
    def test_a_hold_is_told_once(self):
        work = self.bench()
        work.hold(Hold.STORM, "one")
        work.hold(Hold.STORM, "two")
        step = work.finish()
        self.assertEqual("two", step.case.message)
        self.assertEqual(["case.held"], [one.code for one in step.audit])

    def test_so_is_its_end(self):
        work = self.bench(case=make.case(hold=Hold.STORM))
        work.release()
        work.release()
        self.assertEqual(
            ["case.resumed"], [one.code for one in work.finish().audit]
        )


class ActionTestCase(WorkTestCase):
    def test_never_twice_at_once(self):
        work = self.bench()
        work.act(self.action())
        work.act(self.action())
        self.assertEqual(1, len(work.finish().actions))
        self.assertFalse(work.due("ReadPower"))

    def test_again_after_its_answer(self):
        work = self.bench()
        work.act(self.action())
        work.arrived("ReadPower")
        self.assertTrue(work.due("ReadPower"))

    def test_not_before_its_time(self):
        work = self.bench()
        work.later("ReadPower", 5.0)
        progress = work.finish().progress
        for at, due in ((1004.9, False), (1005.0, True)):
            work = self.bench(at, progress=progress)
            work.act_when_due(self.action())
            self.assertEqual(due, bool(work.finish().actions))

    def test_evacuations_of_two_instances_are_two_actions(self):
        work = self.bench()
        for instance in ("i1", "i2"):
            work.act(
                actions.Evacuate(
                    host="a", case="case-a", instance=instance, target="b"
                )
            )
        self.assertEqual(2, len(work.finish().actions))


class FailureTestCase(WorkTestCase):
    def told(self, progress, *errors):
        """What the same action comes to, again and again."""
        told = []
        for error in errors:
            work = self.bench(progress=progress)
            work.arrived("ReadPower", error)
            step = work.finish()
            progress = step.progress
            told.append([event.message for event in step.audit])
        return told, progress

    def test_told_once(self):
        told, _ = self.told(work_mod.Progress(), "no answer", "no answer")
        self.assertEqual([["ReadPower failed: no answer"], []], told)

    def test_another_reason_is_news(self):
        told, _ = self.told(work_mod.Progress(), "no answer", "refused")
        self.assertEqual(["ReadPower failed: refused"], told[1])

    def test_so_is_the_next_time(self):
        told, _ = self.told(work_mod.Progress(), "no answer", "", "no answer")
        self.assertEqual([[], ["ReadPower failed: no answer"]], told[1:])

    def test_each_action_has_its_own(self):
        _, progress = self.told(work_mod.Progress(), "no answer")
        work = self.bench(progress=progress)
        work.arrived("ForceDown")
        self.assertEqual({"ReadPower": "no answer"}, work.progress.failures)

    def test_the_reminder_names_them(self):
        _, progress = self.told(
            work_mod.Progress(reminded_at=1.0), "no answer"
        )
        work = self.bench(
            case=make.case(message="is fenced"), progress=progress
        )
        work.remind(model.Severity.ALARM)
        self.assertEqual(
            "is fenced; ReadPower failed: no answer",
            work.finish().audit[0].message,
        )


class RemindTestCase(WorkTestCase):
    def test_now_and_then(self):
        case = make.case(message="waiting for you")
        progress, told = work_mod.Progress(), []
        for at in range(1000, 2000, 10):
            work = self.bench(float(at), case=case, progress=progress)
            work.remind(model.Severity.ALARM)
            step = work.finish()
            progress = step.progress
            told += [(at, event) for event in step.audit]
        self.assertEqual([1300, 1600, 1900], [at for at, _ in told])
        self.assertEqual(
            {("case.waiting", model.Severity.ALARM, "waiting for you")},
            {(one.code, one.severity, one.message) for _, one in told},
        )
