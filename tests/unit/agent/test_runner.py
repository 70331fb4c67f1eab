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

import threading

from nova_ha.agent import periodic
from nova_ha.agent import runner
from nova_ha.core import model
from tests import base
from tests.unit.agent import fakes


class TestCheckRunner(base.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = fakes.FakeClock()
        self.check = fakes.FakeCheck()
        self.changes = []
        self.runner = runner.CheckRunner(
            self.check,
            interval=5.0,
            deadline=2.0,
            clock=self.clock,
            changed=lambda: self.changes.append(self.runner.result()),
        )

    def test_makes_no_claim_before_the_first_result(self):
        self.assertIsNone(self.runner.result())

    def test_tells_of_changes_only(self):
        self.runner.run_once()
        self.runner.run_once()
        self.check.ok, self.check.detail = False, "full"
        self.runner.run_once()
        self.assertEqual(
            [
                model.CheckResult(name="thing", ok=True),
                model.CheckResult(name="thing", ok=False, detail="full"),
            ],
            self.changes,
        )

    def test_a_broken_check_has_failed(self):
        self.check.error = ValueError("with a secret in it")
        self.runner.run_once()
        result = self.runner.result()
        self.assertFalse(result.ok)
        self.assertEqual("the check broke: ValueError", result.detail)

    def _start_hanging(self):
        began, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def hang():
            began.set()
            release.wait()
            return model.CheckResult(name="thing", ok=True)

        self.check.run = hang
        thread = threading.Thread(target=self.runner.run_once, daemon=True)
        thread.start()
        self.assertTrue(began.wait(10))
        return thread, release

    def test_a_hanging_check_has_failed_until_it_answers(self):
        self.runner.run_once()
        thread, release = self._start_hanging()
        self.clock.now += 3.0
        self.assertTrue(self.runner.result().ok)
        self.clock.now += 0.1
        self.assertEqual(
            model.CheckResult(
                name="thing", ok=False, detail="no answer within 2 s"
            ),
            self.runner.result(),
        )
        release.set()
        thread.join(10)
        self.assertTrue(self.runner.result().ok)

    def test_a_check_that_never_answered_has_failed(self):
        self._start_hanging()
        self.clock.now += 3.1
        self.assertFalse(self.runner.result().ok)


class TestPeriodic(base.TestCase):
    def test_goes_on_after_a_failure_and_keeps_its_pace(self):
        clock = fakes.FakeClock()
        times = []

        def work():
            times.append(clock.now)
            clock.now += 3.0 if len(times) == 1 else 20.0
            if len(times) == 3:
                again.stop()
            raise ValueError

        again = periodic.Periodic("work", work, interval=5.0, clock=clock)
        again._loop()
        self.assertEqual([1000.0, 1005.0, 1025.0], times)
