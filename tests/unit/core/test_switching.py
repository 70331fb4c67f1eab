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

"""A host is switched on after its recovery only where that is safe."""

from nova_ha import exception
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import PowerOn
from nova_ha.core.model import PowerState
from tests.fakes import chaos
from tests.unit.core import scenario

POLICY = policy_mod.Policy(power_on_after_recovery=True)


class SwitchingTestCase(scenario.ScenarioTestCase):
    policy = POLICY

    def setUp(self):
        super().setUp()
        self.engine = chaos.ChaosEngine(
            self.cloud, epoch=2, policy=self.policy
        )
        self.engine.run(30)

    def recover(self):
        self.crash()
        self.reach(S.EVACUATED, S.RETURNING)
        self.engine.run(5)

    def test_it_is_switched_on_once_and_comes_back(self):
        self.recover()
        self.assertEqual([("on", "a")], self.calls("on"))
        self.assertIn("case.powered_on", self.codes())
        self.cloud.clean_up("a")
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertEqual(1, len(self.calls("on")))

    def test_every_instance_was_recovered_before(self):
        self.recover()
        on = self.cloud.calls.index(("on", "a"))
        moved = [
            number
            for number, call in enumerate(self.cloud.calls)
            if call[0] == "evacuate"
        ]
        self.assertEqual(2, len(moved))
        self.assertLess(max(moved), on)

    def test_not_one_that_was_off_already(self):
        self.cloud.crash("a", power=PowerState.OFF)
        self.reach(S.EVACUATED)
        self.engine.run(5)
        self.assertEqual([], self.calls("on"))

    def test_not_one_in_quarantine(self):
        self.crash()
        self.reach(S.EVACUATING)
        self.host.quarantine = model.Quarantine(
            reason="it flaps", since=self.cloud.clock.utcnow()
        )
        self.reach(S.EVACUATED)
        self.engine.run(5)
        self.assertEqual([], self.calls("on"))

    def test_not_one_that_goes_to_maintenance_meanwhile(self):
        self.cloud.rebuild_seconds = 10.0
        self.crash()
        self.reach(S.EVACUATING)
        self.engine.run(2)
        read_host = self.cloud.read_host

        def changed(host):
            self.host.maintenance = "I look after it"
            return read_host(host)

        self.cloud.read_host = changed
        self.reach(S.EVACUATED)
        self.engine.run(5)
        self.assertEqual([], self.calls("on"))

    def test_not_one_that_an_operator_has_disabled(self):
        self.host.device = "fails"
        self.crash()
        self.reach(S.FENCE_FAILED)
        self.host.disabled_reason = "mine"
        self.host.device = "obeys"
        self.reach(S.EVACUATED)
        self.engine.run(5)
        self.assertEqual([], self.calls("on"))

    def test_not_while_paused(self):
        self.cloud.rebuild_seconds = 10.0
        self.crash()
        self.reach(S.EVACUATING)
        self.engine.run(2)
        self.cloud.control = model.Control(armed=True, paused=True)
        self.engine.run(60)
        self.assertEqual([], self.calls("on"))

    def test_a_device_that_fails_is_told_and_not_tried_again(self):
        self.cloud.rebuild_seconds = 10.0
        self.crash()
        self.reach(S.EVACUATING)
        self.engine.run(2)
        power_on = []

        def refused(host, barred):
            power_on.append(host)
            raise exception.DeviceRefused("bmc-a", "it is broken")

        self.cloud.power_on = refused
        self.reach(S.EVACUATED)
        self.engine.run(60)
        self.assertEqual(["a"], power_on)
        self.assertIs(PowerOn.FAILED, self.case.power_on)
        self.assertEqual(1, self.codes().count("case.power_on_failed"))
        self.assertIn("nova-ha fence on a", self.case.message)


class DefaultTestCase(scenario.ScenarioTestCase):
    def test_nothing_is_switched_on_unless_that_is_asked_for(self):
        self.to_evacuated()
        self.engine.run(5)
        self.assertEqual([], self.calls("on"))
        self.assertIs(PowerOn.NO, self.case.power_on)
