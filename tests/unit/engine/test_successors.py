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

"""Two engines, one recovery: no request twice, no host fenced twice, and what
one had noted, the other does."""

import dataclasses

from nova_ha import exception
from nova_ha.core import actions
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.engine import jobs
from tests import base
from tests.fakes import cloud as fakes


class SuccessorTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.first = fakes.EngineUnderTest(self.cloud)
        self.first.run(60)

    def calls(self, kind):
        return [call for call in self.cloud.calls if call[0] == kind]

    def kill_first_at(self, matches, *, before):
        """The first engine dies before, or after, it performs such a job."""
        perform = self.first.executor.run_one

        def run_one():
            job, _ = self.first.executor.waiting[0]
            dies = matches(job)
            if dies and before:
                raise _Killed
            event = perform()
            if dies:
                raise _Killed
            return event

        self.first.executor.run_one = run_one
        self.cloud.hosts["a"].crash()
        try:
            self.first.run_until(lambda: False, 120)
        except _Killed:
            return
        raise AssertionError("it never came to that")

    def take_over(self):
        self.cloud.clock.now += 12.0
        self.second = fakes.EngineUnderTest(self.cloud, epoch=2)

    def finish(self):
        self.second.run_until(
            lambda: self.second.state("a") is CaseState.EVACUATED, 200
        )


def performs(kind):
    return lambda job: (
        isinstance(job, jobs.Perform) and isinstance(job.action, kind)
    )


class IdempotentFencingTestCase(SuccessorTestCase):
    def test_a_host_that_was_switched_off_is_not_switched_off_again(self):
        self.kill_first_at(performs(actions.Fence), before=False)
        self.assertIs(CaseState.FENCING, self.cloud.stored["a"][0].state)
        self.take_over()
        self.finish()
        self.assertEqual([("off", "a")], self.calls("off"))

    def test_one_that_was_not_is(self):
        self.kill_first_at(performs(actions.Fence), before=True)
        self.assertEqual([], self.calls("off"))
        self.take_over()
        self.finish()
        self.assertEqual([("off", "a")], self.calls("off"))

    def test_a_round_of_a_deposed_leader_switches_nothing_off(self):
        self.kill_first_at(performs(actions.Fence), before=True)
        self.take_over()
        self.finish()
        self.cloud.calls.clear()
        # It was only frozen, and wakes up now.
        job, epoch = self.first.executor.waiting[0]
        outcome = self.first.performer.perform(job, epoch).outcome
        self.assertIsNone(outcome.evidence)
        self.assertEqual([], self.cloud.calls)


class SingleFlightTestCase(SuccessorTestCase):
    def sent(self, instance):
        return [call for call in self.calls("evacuate") if call[1] == instance]

    def test_a_request_that_was_sent_is_adopted(self):
        self.kill_first_at(performs(actions.Evacuate), before=False)
        ((_, instance, target),) = self.calls("evacuate")
        self.take_over()
        self.finish()
        self.assertEqual([("evacuate", instance, target)], self.sent(instance))

    def test_one_that_may_be_on_its_way_is_waited_for(self):
        """Its record may appear as long as a request can live; and after
        that it is repeated to the very same target."""
        self.kill_first_at(performs(actions.Evacuate), before=True)
        pinned = {
            move.instance: move.target
            for move in self.cloud.stored["a"][0].moves
            if move.state is model.MoveState.REQUESTED
        }
        self.assertNotEqual({}, pinned)
        self.take_over()
        self.second.run(15)
        self.assertEqual([], self.calls("evacuate"))
        self.finish()
        for instance, target in pinned.items():
            self.assertEqual(
                [("evacuate", instance, target)], self.sent(instance)
            )

    def test_a_request_of_a_deposed_leader_never_leaves_it(self):
        self.kill_first_at(performs(actions.Evacuate), before=True)
        self.take_over()
        job, epoch = self.first.executor.waiting[0]
        event = self.first.performer.perform(job, epoch)
        self.assertTrue(event.refused)
        self.assertEqual([], self.calls("evacuate"))


class RepairTestCase(SuccessorTestCase):
    """A duplicate of ``a0``'s evacuation fails, and the leader dies before it
    has put the instance right."""

    def setUp(self):
        super().setUp()
        settle = self.cloud._settle

        def with_duplicate():
            settle()
            done = [one for one in self.cloud.records if self._arrived(one)]
            if done and len(self.cloud.records) == 2:
                self._fail_duplicate(done[0])

        self.cloud._settle = with_duplicate
        self.kill_first_at(performs(actions.Repair), before=True)

    def _arrived(self, one):
        return one.instance == "a0" and one.status == "done"

    def _fail_duplicate(self, done):
        self.cloud.records.append(
            dataclasses.replace(done, id=3, status="failed")
        )
        self.cloud.servers["a0"] = dataclasses.replace(
            self.cloud.servers["a0"], vm_state="error"
        )

    def state(self):
        return self.cloud.servers["a0"].vm_state

    def moves(self):
        return self.second.case("a").moves

    def test_the_successor_does_it(self):
        self.assertEqual("error", self.state())
        self.take_over()
        self.second.run(5)
        self.assertEqual("active", self.state())
        self.assertEqual([("repair", "a0")], self.calls("repair"))
        self.assertFalse(any(move.repair for move in self.moves()))

    def test_it_is_tried_again(self):
        repair, tries = self.cloud.repair_state, []

        def fail_twice(instance):
            tries.append(instance)
            if len(tries) < 3:
                raise exception.ComputeUnavailable("timed out")
            repair(instance)

        self.cloud.repair_state = fail_twice
        self.take_over()
        self.second.run(20)
        self.assertEqual("active", self.state())

    def test_what_nova_refuses_is_told_and_not_tried_for_ever(self):
        tries = []

        def refuse(instance):
            tries.append(instance)
            raise exception.ComputeRefused("not allowed")

        self.cloud.repair_state = refuse
        self.take_over()
        self.second.run(60)
        self.assertLess(len(tries), 4)
        self.assertIn("action.failed", self.second.notifier.codes())
        self.assertFalse(any(move.repair for move in self.moves()))

    def test_not_while_the_operator_has_paused(self):
        self.cloud.control = model.Control(armed=True, paused=True)
        self.take_over()
        self.second.run(20)
        self.assertEqual([], self.calls("repair"))
        self.cloud.control = model.Control(armed=True)
        self.second.run(5)
        self.assertEqual("active", self.state())


class _Killed(Exception):
    pass
