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

"""A device that was seen to lie is barred, and stays barred."""

from nova_ha import exception
from nova_ha.core import model
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import Hold
from nova_ha.core.model import PowerState
from tests.unit.core import scenario


class OtherMachineTestCase(scenario.ScenarioTestCase):
    """The round finds a device that controls another machine, and off."""

    def setUp(self):
        super().setUp()
        self.host.device = "other machine"
        self.crash(power=PowerState.ON)
        self.reach(S.FENCE_FAILED)

    def test_it_is_barred_at_once(self):
        self.engine.run(2)
        self.assertIn("another machine", self.host.barred["bmc-a"].reason)
        self.assertIn(self.case.id, self.host.barred["bmc-a"].reason)

    def test_nobody_is_switched_off(self):
        self.engine.run(600)
        self.assertNotIn(("off", "a"), self.cloud.calls)

    def test_it_is_not_believed_while_the_bar_is_yet_to_be_written(self):
        def away(*_):
            raise exception.CoordinationUnavailable("no quorum")

        self.cloud.bar = away
        self.host.power = PowerState.OFF
        self.engine.run(600)
        self.is_in(S.FENCE_FAILED)


class BarringTestCase(scenario.ScenarioTestCase):
    """The device belongs to another chassis: it reads off, the host runs."""

    def setUp(self):
        super().setUp()
        self.host.device = "lies"
        self.cut_off()
        self.host.power = PowerState.OFF
        self.cloud.nova_down = True  # nothing is evacuated so far
        self.engine.run(2)
        self.is_in(S.FENCED)

    def show_life(self):
        self.host.agent = True
        self.engine.run(2)
        self.assertIs(Hold.LIFE_AFTER_OFF, self.case.hold)

    def alarms(self):
        return [
            one.message
            for one in self.engine.notifier.events
            if one.code == "device.barred"
        ]

    def test_it_is_barred_and_told_once(self):
        self.show_life()
        self.engine.run(30)
        self.assertEqual({"bmc-a"}, self.host.barred.keys())
        (alarm,) = self.alarms()
        self.assertIn("nova-ha fence clear a bmc-a", alarm)
        self.assertEqual((), self.case.accused)

    def test_its_case_is_named(self):
        self.show_life()
        self.assertIn(self.case.id, self.host.barred["bmc-a"].reason)

    def away(self, *_):
        raise exception.CoordinationUnavailable("no quorum")

    def test_a_bar_that_cannot_be_written_is_tried_again(self):
        self.cloud.bar = self.away
        self.show_life()
        self.engine.run(10)
        self.assertEqual(("bmc-a",), self.case.accused)
        self.assertEqual([], self.alarms())
        del self.cloud.bar
        self.engine.run(5)
        self.assertEqual({"bmc-a"}, self.host.barred.keys())

    def test_a_successor_bars_what_its_predecessor_could_not(self):
        self.cloud.bar = self.away
        self.show_life()
        del self.cloud.bar
        self.survive()
        self.engine.run(5)
        self.assertEqual({"bmc-a"}, self.host.barred.keys())

    def test_from_then_on_it_proves_nothing(self):
        """The host returns and dies again: its off is not believed."""
        self.show_life()
        self.host.crash()
        self.cloud.nova_down = False
        self.host.power_on()
        self.engine.run_until(lambda: not self.cloud.stored, 600)
        self.crash(power=PowerState.OFF)
        self.reach(S.FENCE_FAILED)
        self.engine.run(60)
        self.is_in(S.FENCE_FAILED)
        self.assertEqual([], self.calls("evacuate"))
        self.host.barred = {}
        self.reach(S.EVACUATED)


class ReadingTestCase(scenario.ScenarioTestCase):
    def test_what_was_read_before_it_was_barred_counts_no_more(self):
        self.crash(power=PowerState.OFF)
        self.host.barred = {
            "bmc-a": model.Bar(
                reason="it lied", since=self.cloud.clock.utcnow()
            )
        }
        self.engine.run(60)
        self.assertIs(S.FENCE_FAILED, self.engine.state("a"))
        self.assertEqual([], self.calls("evacuate"))
