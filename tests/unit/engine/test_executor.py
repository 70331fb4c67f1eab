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

import queue
import threading

from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.engine import executor
from nova_ha.engine import jobs
from tests import base
from tests.fakes import cloud as fakes
from tests.unit.core import builders as make

ON = {"host": "a", "case": "case-a"}
EPOCH = model.Epoch(1)
REQUEST = model.EvacuationRequest(host="a", by="admin", at=make.utc(1000))
DEADLINE = 10.0


class Performer:
    """Waits for the test before it answers."""

    def __init__(self):
        self.begun = queue.SimpleQueue()
        self.may_end = threading.Semaphore(0)
        self.error = None

    def perform(self, job, epoch):
        self.begun.put((job.key, epoch))
        if not self.may_end.acquire(timeout=DEADLINE):
            raise AssertionError("forgotten")
        if self.error is not None:
            raise self.error
        if isinstance(job, jobs.LoadCases):
            return events.CasesLoaded(epoch=epoch)
        return events.ActionDone(key=job.key, **ON)


class ThreadedExecutorTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.answers = queue.SimpleQueue()
        self.performer = Performer()
        self.executor = executor.ThreadedExecutor(
            self.performer, self.answers.put, workers=2, device_workers=2
        )
        self.addCleanup(self.end)

    def end(self):
        self.executor.stop()
        for _ in range(10):
            self.performer.may_end.release()

    def survey(self, host="a"):
        return jobs.Perform(
            host=host,
            action=actions.TakeSurvey(host=host, case=f"case-{host}"),
        )

    def begun(self):
        return self.performer.begun.get(timeout=DEADLINE)

    def answer(self):
        self.performer.may_end.release()
        return self.answers.get(timeout=DEADLINE)

    def test_a_job_is_answered(self):
        self.executor.submit(self.survey(), EPOCH)
        self.assertEqual(("case-a TakeSurvey", EPOCH), self.begun())
        self.assertIsInstance(self.answer(), events.ActionDone)

    def test_one_under_way_is_not_started_again(self):
        for _ in range(3):
            self.executor.submit(self.survey(), EPOCH)
        self.begun()
        self.answer()
        self.executor.submit(self.survey(), EPOCH)
        self.begun()
        self.answer()
        self.assertTrue(self.performer.begun.empty())
        self.assertTrue(self.answers.empty())

    def test_others_run_meanwhile(self):
        self.executor.submit(self.survey("a"), EPOCH)
        self.executor.submit(self.survey("b"), EPOCH)
        self.assertEqual(
            {"case-a TakeSurvey", "case-b TakeSurvey"},
            {self.begun()[0], self.begun()[0]},
        )

    def test_a_mistake_of_ours_is_answered_too(self):
        self.performer.error = KeyError("oops")
        self.executor.submit(self.survey(), EPOCH)
        event = self.answer()
        self.assertIsInstance(event, events.ActionFailed)
        self.assertIn("oops", event.error)
        self.performer.error = None
        self.executor.submit(self.survey(), EPOCH)
        self.assertIsInstance(self.answer(), events.ActionDone)


class NewTermTestCase(base.TestCase):
    def test_leadership_lost_and_won_again_while_the_cases_are_read(self):
        """The job of the new term is dropped, because that of the old one
        is still under way; its answer must not be the last word."""
        engine = fakes.EngineUnderTest(fakes.Cloud())
        waiting, submit = engine.executor.waiting, engine.executor.submit

        def one_of_a_kind(job, epoch):
            if job.key not in [other.key for other, _ in waiting]:
                submit(job, epoch)

        engine.executor.submit = one_of_a_kind
        for epoch in (2, None, 3):
            engine.controller.handle(events.LeadershipChanged(epoch=epoch))
        engine.cloud.epoch = model.Epoch(3)
        engine.drain()
        engine.run(5)
        self.assertTrue(engine.controller.leading)


class FailureTestCase(base.TestCase):
    """Each job has an event that says that nothing is known."""

    def failure(self, job):
        return executor.failure(job, EPOCH, "oops")

    def test_jobs(self):
        case = make.case()
        for job, event in (
            (
                jobs.LoadCases(),
                events.CasesLoaded(epoch=EPOCH, error="oops"),
            ),
            (
                jobs.SaveCase(host="a", case=case, version=1),
                events.SaveFailed(error="oops", **ON),
            ),
            (
                jobs.CloseCase(host="a", case=case, version=1),
                events.ActionFailed(key="Close", error="oops", **ON),
            ),
            (
                jobs.PublishVerdict(host="a", verdict=None),
                events.Published(host="a", verdict=None, error="oops"),
            ),
            (
                jobs.EnrolHost(
                    host="a",
                    beacon=make.beacon(),
                    service=make.service(),
                    engines=(),
                ),
                events.Enrolled(host="a", error="oops"),
            ),
            (
                jobs.DropRequest(host="a", request=REQUEST),
                events.RequestDropped(host="a", error="oops"),
            ),
            (
                jobs.ChallengeHost(host="a", session=1, quiet=30.0),
                events.Challenged(host="a", quiet=30.0, error="oops"),
            ),
        ):
            self.assertEqual(event, self.failure(job))

    def test_actions(self):
        job = jobs.Perform(
            host="a", action=actions.ForceDown(service_id="s", **ON)
        )
        self.assertEqual(
            events.ActionFailed(key="ForceDown", error="oops", **ON),
            self.failure(job),
        )

    def test_an_evacuation_may_have_been_sent(self):
        job = jobs.Perform(
            host="a", action=actions.Evacuate(instance="i1", target="b", **ON)
        )
        event = self.failure(job)
        self.assertEqual(
            ("i1", False, False),
            (event.instance, event.accepted, event.refused),
        )

    def test_an_unknown_job(self):
        self.assertRaises(TypeError, self.failure, jobs.Job())


class GatherTestCase(base.TestCase):
    def test_in_order(self):
        gather = executor.in_threads(2)
        self.assertEqual(
            list(range(5)), gather([lambda n=n: n for n in range(5)])
        )
        self.assertEqual([], gather([]))

    def test_at_the_same_time(self):
        meet = threading.Barrier(2, timeout=DEADLINE)
        executor.in_threads(1)([meet.wait, meet.wait])

    def test_the_first_error(self):
        gather = executor.in_threads(1)
        self.assertRaises(
            ZeroDivisionError, gather, [lambda: 1, lambda: 1 / 0]
        )

    def test_nested_without_starving(self):
        gather = executor.in_threads(1)

        def nested():
            return gather([lambda: 1])

        self.assertEqual([[1], [1]], gather([nested, nested]))


class LaneTestCase(ThreadedExecutorTestCase):
    """Devices that hang keep nobody else from being served."""

    def fence(self, host, **changes):
        action = actions.Fence(host=host, case=f"case-{host}", boot_id="b")
        return jobs.Perform(host=host, action=action)

    def read_power(self, host):
        action = actions.ReadPower(host=host, case=f"case-{host}")
        return jobs.Perform(host=host, action=action)

    def test_each_kind_has_its_own(self):
        wave = actions.TakeSurvey(host="a", case="case-a", power=True)
        for job, lane in (
            (self.fence("a"), executor.Lane.FENCING),
            (jobs.Perform(host="a", action=wave), executor.Lane.FENCING),
            (self.read_power("a"), executor.Lane.ASKING),
            (
                jobs.CheckDevices(host="a", system_uuid=""),
                executor.Lane.ASKING,
            ),
            (self.survey(), executor.Lane.WORK),
            (jobs.LoadCases(), executor.Lane.WORK),
        ):
            self.assertIs(lane, executor.lane_of(job))

    def test_hung_devices_hold_up_neither_fences_nor_saves(self):
        for host in "abcdef":
            self.executor.submit(self.read_power(host), EPOCH)
        self.assertEqual(
            {"case-a ReadPower", "case-b ReadPower"},
            {self.begun()[0], self.begun()[0]},
        )
        self.executor.submit(self.fence("g"), EPOCH)
        self.assertEqual("case-g Fence", self.begun()[0])
        self.executor.submit(self.survey("h"), EPOCH)
        self.assertEqual("case-h TakeSurvey", self.begun()[0])
