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

from nova_ha import exception
from nova_ha.agent import colocated
from nova_ha.agent import service
from nova_ha.core import agent_policy
from nova_ha.core import model
from tests import base
from tests.unit.agent import fakes


class FakeWriter:
    def __init__(self):
        self.calls = []

    def start(self):
        self.calls.append("start")

    def stop(self):
        self.calls.append("stop")


class FakeMarker(FakeWriter):
    domain = None


class FakeManager:
    def __init__(self):
        self.lines = []

    def tell(self, *lines):
        self.lines += lines


class TestAgent(base.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = fakes.FakeClock()
        self.began = self.clock.now
        self.beacons = fakes.FakeBeacons()
        self.manager = FakeManager()
        self.writer = FakeWriter()
        self.marker = FakeMarker()
        self.check = fakes.FakeCheck()
        self.shutting_down = False
        self.roles = colocated.RoleFinder(
            self.beacons, "machine-1", given=(), zookeeper_hosts=""
        )
        self.agent = service.Agent(
            fakes.IDENTITY,
            self.beacons,
            checks=[self.check],
            guests=fakes.FakeGuests(fakes.GUEST),
            roles=self.roles,
            policy=agent_policy.AgentPolicy(),
            clock=self.clock,
            manager=self.manager,
            shutting_down=lambda: self.shutting_down,
            heartbeats=[self.writer],
            marker=self.marker,
        )
        # The checks are run by the test, not by threads.
        for check in (*self.agent._checks, self.agent._guests):
            check.start = lambda: None

    def _run(self, seconds, change=lambda: None):
        def tick():
            change()
            if self.clock.now >= self.began + seconds:
                self.agent.stop()

        self.clock.tick = tick
        self.agent.run()

    def _count(self, name):
        return self.beacons.calls.count(name)

    def test_shows_once_and_touches_each_second(self):
        self._run(10)
        self.assertEqual(
            ["show", *["touch"] * 9, "goodbye", "close"], self.beacons.calls
        )
        self.assertEqual([fakes.IDENTITY], self.beacons.shown)

    def test_heartbeats_begin_with_the_first_beacon_and_go_on_without(self):
        """A name that another machine holds is not ours to write for."""
        self.beacons.error = fakes.UNAVAILABLE
        self.agent.turn()
        self.assertEqual([], self.writer.calls)
        self.beacons.error = None
        self.agent.turn()
        self.beacons.error = fakes.UNAVAILABLE
        self.agent.turn()
        self.assertEqual(["start"], self.writer.calls)
        self._run(1)
        self.assertEqual(["start", "stop"], self.writer.calls)

    def test_the_time_of_a_touch_counts(self):
        def slow():
            self.clock.now += 0.7

        self.beacons.touch = slow
        self.agent.turn()
        self._run(5)
        self.assertEqual(0.3, round(self.clock.waits[0], 6))

    def test_the_beacon_is_rewritten_only_when_it_changes(self):
        self.agent.turn()
        self.agent._checks[0].run_once()
        self.agent.turn()
        self.agent._checks[0].run_once()
        self.agent.turn()
        self.check.ok = False
        self.agent._checks[0].run_once()
        self.agent.turn()
        self.assertEqual(["show", "show", "touch", "show"], self.beacons.calls)
        self.assertEqual(1, len(self.beacons.shown[-1].failed_checks))

    def test_a_change_does_not_wait_for_the_next_touch(self):
        self.agent.turn()
        self.agent._wake.clear()
        self.agent._checks[0].run_once()
        self.assertTrue(self.agent._wake.is_set())

    def test_roles_are_published(self):
        self.roles._seen = frozenset({"zookeeper", "engine"})
        self.agent.turn()
        self.assertEqual(
            ("engine", "zookeeper"), self.beacons.shown[0].colocated
        )

    def test_what_the_marker_proves_is_published(self):
        self.agent.turn()
        self.marker.domain = "nfs-1"
        self.agent.turn()
        self.assertEqual(
            [None, "nfs-1"], [one.storage for one in self.beacons.shown]
        )
        self._run(1)
        self.assertEqual(["start", "stop"], self.marker.calls)

    def test_the_guests_check_is_part_of_the_beacon(self):
        self.agent._guests.run_once()
        self.assertEqual(
            (model.CheckResult(name="guests", ok=True),),
            self.agent.beacon().checks,
        )

    def test_a_vanished_beacon_is_shown_again(self):
        self.agent.turn()
        self.beacons.error = fakes.UNAVAILABLE
        self.agent.turn()
        self.beacons.error = None
        self.agent.turn()
        self.agent.turn()
        self.assertEqual(
            ["show", "touch", "show", "touch"], self.beacons.calls
        )
        self.assertEqual(self.beacons.shown[0], self.beacons.shown[1])

    def test_goes_on_through_an_outage_of_zookeeper(self):
        def outage():
            out = self.began + 5 <= self.clock.now < self.began + 65
            self.beacons.error = fakes.UNAVAILABLE if out else None

        self._run(70, outage)
        self.assertEqual(2, len(self.beacons.shown))
        self.assertEqual(70, self.manager.lines.count("WATCHDOG=1"))
        self.assertEqual("goodbye", self.beacons.calls[-2])

    def test_starts_without_zookeeper(self):
        self.beacons.error = fakes.UNAVAILABLE
        self._run(3)
        self.assertEqual(["show"] * 3 + ["close"], self.beacons.calls)
        self.assertEqual(1, self.manager.lines.count("READY=1"))

    def test_denied_is_tried_again(self):
        self.beacons.error = exception.CoordinationDenied("/nova-ha/x")
        self._run(3)
        self.assertEqual(3, self._count("show"))

    def test_no_guests_are_reported_while_no_beacon_is_shown(self):
        self.agent._guests.run_once()
        self.assertEqual([], self.beacons.inventories)
        self.agent.turn()
        self.agent._guests.run_once()
        self.assertEqual(1, len(self.beacons.inventories))
        self.beacons.error = fakes.UNAVAILABLE
        self.agent.turn()
        self.beacons.error = None
        self.agent._guests.run_once()
        self.assertEqual(1, len(self.beacons.inventories))

    def test_another_machine_of_this_name_ends_it_without_goodbye(self):
        self.beacons.error = exception.CoordinationError("another machine")
        self.assertRaises(exception.CoordinationError, self.agent.run)
        self.assertEqual(["show", "close"], self.beacons.calls)
        self.assertNotIn("READY=1", self.manager.lines)

    def test_a_stop_says_goodbye(self):
        self._run(1)
        self.assertEqual(model.GoodbyeReason.STOP, self.beacons.said.reason)
        self.assertEqual(120.0, self.beacons.said.ttl)
        self.assertEqual("boot-1", self.beacons.said.boot_id)
        self.assertEqual(self.clock.utcnow(), self.beacons.said.said_at)
        self.assertIn("STOPPING=1", self.manager.lines)

    def test_a_shutdown_says_so(self):
        self.shutting_down = True
        self._run(1)
        self.assertEqual(
            model.GoodbyeReason.SHUTDOWN, self.beacons.said.reason
        )
        self.assertEqual(300.0, self.beacons.said.ttl)

    def test_a_goodbye_without_zookeeper_does_not_hold_it_up(self):
        self.agent.turn()
        self.beacons.error = fakes.UNAVAILABLE
        self._run(1)
        self.assertEqual(["goodbye", "close"], self.beacons.calls[-2:])
