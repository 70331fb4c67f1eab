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
from nova_ha.core import events
from nova_ha.engine import service
from tests import base

DEADLINE = 10.0


class Controller:
    busy = False

    def __init__(self):
        self.handled = []
        self.fails_on = None
        self.ticked = threading.Event()

    def handle(self, event):
        self.handled.append(event)
        if isinstance(event, events.Tick):
            self.ticked.set()
        if event == self.fails_on:
            raise KeyError("oops")


class Part:
    """Membership, leadership or a source: notes what is done to it."""

    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.sink = None

    def start(self, sink):
        self.sink = sink
        self.log.append(f"start {self.name}")

    def stop(self):
        self.log.append(f"stop {self.name}")


class EngineTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.log = []
        self.controller = Controller()
        self.membership, self.leadership, self.source = (
            Part(name, self.log)
            for name in ("membership", "leadership", "source")
        )
        self.inbox = service.EventQueue(clock.SystemClock())
        self.engine = service.Engine(
            self.controller,
            self.inbox,
            self.membership,
            self.leadership,
            [self.source],
        )

    def test_it_stands_for_election_only_when_it_sees(self):
        self.engine.stop()
        self.engine.run()
        self.assertEqual(
            ["start membership", "start source", "start leadership"],
            self.log[:3],
        )

    def test_the_lease_goes_first(self):
        self.engine.stop()
        self.engine.run()
        self.assertEqual(
            ["stop leadership", "stop source", "stop membership"],
            self.log[3:],
        )

    def test_everything_comes_through_one_queue_in_order(self):
        said = [
            events.ServicesUnread(error=str(number)) for number in range(5)
        ]
        for event in said:
            self.inbox.put(event)
        self.engine.stop()
        self.engine.run()
        self.assertEqual(said, self.controller.handled)
        self.membership.sink(said[0])
        self.assertEqual(said[0], self.inbox.get(0))

    def test_a_mistake_about_one_event_does_not_blind_it(self):
        first, second = (
            events.ServicesUnread(error=error) for error in ("1", "2")
        )
        self.controller.fails_on = first
        self.inbox.put(first)
        self.inbox.put(second)
        self.engine.stop()
        self.engine.run()
        self.assertEqual([first, second], self.controller.handled)

    def test_time_passes(self):
        self.controller.busy = True
        thread = threading.Thread(target=self.engine.run, daemon=True)
        thread.start()
        self.addCleanup(thread.join, DEADLINE)
        self.addCleanup(self.engine.stop)
        self.assertTrue(self.controller.ticked.wait(DEADLINE))
