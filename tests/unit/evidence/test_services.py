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

from nova_ha import clock
from nova_ha import exception
from nova_ha.core import events
from nova_ha.evidence import services
from tests import base
from tests.fakes import cloud as fakes

DEADLINE = 10.0


class Clock(fakes.FakeClock):
    """Waits only on paper, and notes for how long."""

    def __init__(self):
        super().__init__()
        self.waited = queue.SimpleQueue()

    def wait(self, event, timeout):
        self.waited.put(timeout)
        return super().wait(event, timeout)

    def spawn(self, body, name):
        return clock.SystemClock().spawn(body, name)


class ServiceReportsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.clock = self.cloud.clock = Clock()
        self.reports = services.ServiceReports(self.cloud, self.clock, 2.0)

    def test_a_look(self):
        began = self.clock.now
        real = self.cloud.services

        def slow():
            self.clock.now += 1.5
            return real()

        self.cloud.services = slow
        event = self.reports.look()
        self.assertIsInstance(event, events.ServicesRead)
        self.assertEqual(set("abcd"), set(event.services))
        self.assertEqual(began, event.began)

    def test_nova_does_not_answer(self):
        self.cloud.nova_down = True
        self.assertEqual(
            events.ServicesUnread(error="no answer"), self.reports.look()
        )
        self.cloud.nova_down = False
        self.assertIsInstance(self.reports.look(), events.ServicesRead)

    def run_until(self, count):
        """Looks in a thread, until ``count`` events have come."""
        seen, enough = [], threading.Event()

        def sink(event):
            seen.append(event)
            if len(seen) >= count:
                self.reports.stop()
                enough.set()

        self.reports.start(sink)
        self.assertTrue(enough.wait(DEADLINE))
        return seen

    def test_the_time_a_look_takes_is_part_of_the_interval(self):
        real = self.cloud.services
        times = iter([0.5, 60.0, 0.0])

        def slow():
            self.clock.now += next(times, 0.0)
            return real()

        self.cloud.services = slow
        self.run_until(3)
        # At least a breath, however slow Nova is.
        self.assertEqual(
            [1.5, 0.5],
            [self.clock.waited.get(timeout=DEADLINE) for _ in range(2)],
        )

    def test_it_outlives_odd_answers(self):
        real = self.cloud.services
        answers = iter([TypeError("odd"), exception.ComputeError("500")])

        def odd():
            error = next(answers, None)
            if error is not None:
                raise error
            return real()

        self.cloud.services = odd
        unread, read = self.run_until(2)
        self.assertIsInstance(unread, events.ServicesUnread)
        self.assertIsInstance(read, events.ServicesRead)
