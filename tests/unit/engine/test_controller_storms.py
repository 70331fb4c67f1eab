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

"""Storms, breaks of the engine itself, and hosts that keep failing."""

from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from tests import base
from tests.fakes import cloud as fakes


class ControllerTestCase(base.TestCase):
    POLICY = policy_mod.Policy()

    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.engine = fakes.EngineUnderTest(self.cloud, policy=self.POLICY)
        self.engine.run(60)

    def offs(self):
        return [call[1] for call in self.cloud.calls if call[0] == "off"]

    def wait_for(self, host, *states, seconds=300.0):
        self.engine.run_until(
            lambda: self.engine.state(host) in states, seconds
        )

    def codes(self, code):
        return self.engine.notifier.codes().count(code)

    def survive(self):
        """Another engine takes over."""
        self.cloud.clock.now += 12.0
        self.engine = fakes.EngineUnderTest(
            self.cloud, policy=self.POLICY, epoch=self.cloud.epoch + 1
        )


class StormTestCase(ControllerTestCase):
    def crash(self, *hosts):
        for host in hosts:
            self.cloud.hosts[host].crash()

    def test_a_second_death_within_the_window_waits_until_all_is_quiet(self):
        self.crash("a")
        self.wait_for("a", CaseState.EVACUATED)
        fenced = self.cloud.clock.now
        self.crash("d")
        self.engine.run(50)
        self.assertEqual(["a"], self.offs())
        self.assertIs(BrakeRule.TOO_MANY, self.engine.case("d").held_by)
        self.assertIn("switched off", self.engine.case("d").message)
        self.wait_for("d", CaseState.EVACUATED)
        self.assertGreater(self.cloud.clock.now - fenced, 115)
        self.assertEqual(
            (1, 1), (self.codes("storm.begun"), self.codes("storm.over"))
        )

    def test_a_second_death_after_the_window_does_not(self):
        self.crash("a")
        self.wait_for("a", CaseState.EVACUATED)
        self.engine.run(50)
        self.crash("d")
        self.wait_for("d", CaseState.EVACUATED, seconds=30)
        self.assertEqual(0, self.codes("storm.begun"))

    def test_a_successor_counts_what_was_switched_off(self):
        self.crash("a")
        self.wait_for("a", CaseState.EVACUATED)
        self.engine.run(70)
        self.survive()
        self.crash("d")
        self.engine.run(30)
        self.assertEqual(["a"], self.offs())
        self.wait_for("d", CaseState.EVACUATED)

    def test_a_storm_survives_its_leader(self):
        self.crash("a", "b")
        self.engine.run(30)
        self.assertEqual(1, self.codes("storm.begun"))
        self.cloud.hosts["b"].power_on()
        self.engine.run(1)
        self.survive()
        self.engine.run(50)
        self.assertEqual([], self.offs())
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(
            (0, 1), (self.codes("storm.begun"), self.codes("storm.over"))
        )

    def test_a_storm_is_over_when_all_are_back(self):
        self.crash("a", "b")
        self.engine.run(30)
        for host in ("a", "b"):
            self.cloud.hosts[host].power_on()
        self.engine.run(55)
        self.assertEqual(0, self.codes("storm.over"))
        self.engine.run(10)
        self.assertEqual(
            (1, 1), (self.codes("storm.begun"), self.codes("storm.over"))
        )

    def test_hosts_that_are_switched_off_at_their_device_go_on(self):
        self.crash("a", "b", "d")
        self.engine.run(30)
        for host in ("a", "b"):
            self.cloud.hosts[host].power = model.PowerState.OFF
        self.wait_for("a", CaseState.EVACUATED)
        self.wait_for("b", CaseState.EVACUATED)
        self.assertEqual([], self.offs())
        # Alone, the other one is no storm any more.
        self.wait_for("d", CaseState.EVACUATED)

    def test_a_silent_rack_waits_for_the_operator(self):
        for host in ("a", "b"):
            self.cloud.hosts[host].failure_domain = "rack"
        self.engine.run(1)
        self.crash("a", "b")
        self.engine.run(300)
        self.assertEqual([], self.offs())
        for host in ("a", "b"):
            case = self.engine.case(host)
            self.assertIs(BrakeRule.FAILURE_DOMAIN, case.held_by)
        # Also where the brake would permit it, and for a successor.
        self.cloud.hosts["a"].power = model.PowerState.OFF
        self.wait_for("a", CaseState.EVACUATED)
        self.survive()
        self.engine.run(300)
        self.assertEqual([], self.offs())
        self.assertIs(BrakeRule.FAILURE_DOMAIN, self.engine.case("b").held_by)


class BreakTestCase(ControllerTestCase):
    def test_ages_that_span_a_break_of_its_own_mean_nothing(self):
        self.cloud.hosts["a"].agent = False
        self.cloud.hosts["a"].compute = False
        self.engine.run(4)
        self.cloud.clock.now += 60
        self.engine.handle(events.Tick())
        self.assertFalse(self.engine.controller.fleet.connected)
        self.assertEqual(1, self.codes("engine.stalled"))
        self.engine.run(8)
        self.assertEqual([], self.offs())
        self.wait_for("a", CaseState.EVACUATED)

    def test_a_slow_tick_is_no_break(self):
        self.cloud.clock.now += 4
        self.engine.handle(events.Tick())
        self.assertTrue(self.engine.controller.fleet.connected)


class QuarantineTestCase(ControllerTestCase):
    POLICY = policy_mod.Policy(flap_count=2, quarantine_time=500.0)

    def setUp(self):
        super().setUp()
        self.host = self.cloud.hosts["a"]

    def die_and_return(self):
        self.host.crash()
        self.wait_for("a", CaseState.EVACUATED)
        self.host.power_on()
        self.cloud.clean_up("a")
        self.engine.run_until(lambda: not self.cloud.stored)

    def reboot(self):
        """It crashes and is back before anybody can miss it."""
        self.host.boot += 1
        self.engine.run(20)

    def test_one_death_is_none_too_many(self):
        self.die_and_return()
        self.assertEqual(1, len(self.host.incidents))
        self.assertIsNone(self.host.quarantine)
        self.assertEqual("", self.host.disabled_reason)

    def test_it_stays_disabled_at_the_end_of_its_return(self):
        self.die_and_return()
        self.cloud.calls.clear()
        self.die_and_return()
        self.assertNotIn(("enable", "a"), self.cloud.calls)
        self.assertIn("2 deaths", self.host.quarantine.reason)
        self.assertFalse(self.host.forced_down)
        self.assertTrue(
            self.host.disabled_reason.startswith("nova-ha: quarantine: 2")
        )
        self.engine.run(5)
        self.assertEqual(1, self.codes("host.quarantined"))
        self.assertFalse(self.cloud.verdicts["a"].schedulable)
        self.assertIn("quarantine", self.cloud.verdicts["a"].message)

    def test_it_is_not_fenced_a_third_time(self):
        self.die_and_return()
        self.die_and_return()
        self.host.crash()
        self.engine.run(120)
        self.assertEqual(2, len(self.offs()))
        self.assertIs(Hold.QUARANTINE, self.engine.case("a").hold)
        self.assertEqual(1, self.codes("host.spared"))
        # Nor does it hold up others.
        self.cloud.hosts["d"].crash()
        self.wait_for("d", CaseState.EVACUATED)
        self.assertEqual(["a", "a", "d"], self.offs())

    def test_crashes_count_too(self):
        self.reboot()
        self.assertEqual(1, len(self.host.incidents))
        self.reboot()
        self.assertIsNotNone(self.host.quarantine)
        self.assertIn("quarantine", self.host.disabled_reason)

    def test_counting_survives_a_leader(self):
        self.reboot()
        self.survive()
        self.engine.run(5)
        self.reboot()
        self.assertIsNotNone(self.host.quarantine)

    def test_to_be_switched_on_in_the_middle_is_no_death(self):
        self.cloud.rebuild_seconds = 10.0
        self.host.crash()
        self.wait_for("a", CaseState.EVACUATING)
        self.engine.run(1)
        self.host.power_on()
        self.wait_for("a", CaseState.EVACUATED)
        self.engine.run(5)
        self.assertEqual(2, len(self.offs()))
        self.assertEqual(1, len(self.host.incidents))

    def test_an_operator_releases_it(self):
        self.reboot()
        self.reboot()
        self.host.quarantine, self.host.incidents = None, ()
        self.engine.run(5)
        self.assertEqual("", self.host.disabled_reason)
        self.engine.run(60)
        self.assertNotIn("a", self.cloud.verdicts)

    def test_a_long_healthy_time_ends_it(self):
        self.reboot()
        self.reboot()
        self.engine.run(450)
        self.assertIsNotNone(self.host.quarantine)
        self.engine.run(60)
        self.assertIsNone(self.host.quarantine)
        self.assertEqual("", self.host.disabled_reason)
        self.assertEqual(1, self.codes("host.released"))

    def test_what_an_operator_has_disabled_stays_so(self):
        self.host.disabled_reason = "broken fan"
        self.reboot()
        self.reboot()
        self.engine.run(600)
        self.assertEqual("broken fan", self.host.disabled_reason)
