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
from nova_ha.core import model
from nova_ha.fencing import device
from nova_ha.fencing import examination
from nova_ha.fencing import parameters as params
from tests import base
from tests.unit.fencing import fakes

UUID = "4c4c4544-0042-3510-8052-b4c04f564231"
OTHER = "11111111-2222-3333-4444-555555555555"


class ExaminationTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.bmc = fakes.FakeBmc("bmc")
        values = params.Parameters(
            {"address": "bmc", "password": params.Secret("secret")}
        )
        clock = fakes.FakeClock()
        driver = fakes.FakeDriver("bmc", values, clock, 1.0)
        driver.bmcs = {"bmc": self.bmc}
        self.device = device.Device(driver, 20.0, clock)

    def examine(self, system_uuid: str = UUID) -> model.DeviceReport:
        return examination.examine(self.device, 1, system_uuid)

    def test_its_own_machine(self) -> None:
        self.bmc.uuid = UUID
        report = self.examine()
        self.assertTrue(report.ok)
        self.assertEqual("system UUID matches", report.detail)
        self.assertIs(model.PowerState.ON, report.power)

    def test_another_machine(self) -> None:
        self.bmc.uuid = OTHER
        report = self.examine()
        self.assertFalse(report.ok)
        self.assertTrue(report.other_chassis)
        self.assertIn(OTHER, report.problem)

    def test_what_cannot_be_compared_is_no_mismatch(self) -> None:
        for told, enrolled in (
            ("", UUID),
            (OTHER, ""),
            ("00000000-0000-0000-0000-000000000000", UUID),
        ):
            self.bmc.uuid = told
            report = self.examine(enrolled)
            self.assertTrue(report.ok)
            self.assertFalse(report.other_chassis)

    def test_one_that_does_not_know_the_state_could_not_fence(self) -> None:
        self.bmc.state = model.PowerState.UNKNOWN
        self.assertIn("does not say", self.examine().problem)

    def test_what_only_an_operator_can_switch_is_no_failure(self) -> None:
        self.bmc.fails_reading = [
            exception.DeviceNeedsOperator("bmc", "pull the cords")
        ]
        report = self.examine()
        self.assertTrue(report.ok)
        self.assertEqual("pull the cords", report.detail)

    def test_one_that_does_not_answer(self) -> None:
        self.bmc.alive = False
        report = self.examine()
        self.assertEqual("no connection", report.problem)
        self.assertFalse(report.other_chassis)
        self.assertIs(model.PowerState.UNKNOWN, report.power)
