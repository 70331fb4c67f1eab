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

from nova_ha import clock
from nova_ha.agent import bounded
from tests import base
from tests.unit.agent import fakes


class TestBounded(base.TestCase):
    def _bounded(self, function, deadline=5.0, a_clock=None):
        return bounded.Bounded(
            function,
            deadline=deadline,
            clock=a_clock or clock.SystemClock(),
            name="test",
        )

    def test_returns_and_raises_what_the_function_does(self):
        self.assertEqual(7, self._bounded(lambda: 7).call())
        failing = self._bounded(lambda: {}["nothing"])
        self.assertRaises(KeyError, failing.call)

    def test_a_hung_call_is_given_up_and_not_repeated(self):
        release = threading.Event()
        self.addCleanup(release.set)
        calls = []

        def hang():
            calls.append(1)
            release.wait()

        call = self._bounded(hang, a_clock=fakes.FakeClock()).call
        for _ in range(5):
            error = self.assertRaises(bounded.NoAnswer, call)
        self.assertEqual("no answer within 5 s", str(error))
        self.assertEqual(1, len(calls))

    def test_a_late_answer_is_thrown_away(self):
        release = threading.Event()
        finished = threading.Event()
        answers = iter(["old", "new"])

        def answer():
            value = next(answers)
            release.wait()
            finished.set()
            return value

        call = self._bounded(answer, deadline=0.01)
        self.assertRaises(bounded.NoAnswer, call.call)
        release.set()
        self.assertTrue(finished.wait(10))
        call._deadline = 10.0
        self.assertEqual("new", call.call())
