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

import json
import pathlib

import fixtures

from nova_ha import clock
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import operator
from nova_ha.fencing import topology
from tests import base
from tests.unit.fencing import fakes

ONE, TWO = model.HostName("rack7-1"), model.HostName("rack7-2")


class OperatorTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.path = pathlib.Path(directory, "fencing.yaml")
        self.path.touch(mode=0o600)
        self.logger = self.useFixture(fixtures.FakeLogger())

    def _topology(
        self, levels: list[list[str]], **parameters: object
    ) -> topology.Topology:
        bmc = {"driver": "fake", "address": "{host}", "password": "p"}
        devices = {
            "bmc": bmc,
            "person": {"driver": "operator", **parameters},
        }
        rules = {"rack7-*": {"levels": levels}}
        self.path.write_text(json.dumps({"devices": devices, "hosts": rules}))
        return topology.Topology(
            str(self.path),
            clock.SystemClock(),
            find_driver=fakes.finder(
                fake=fakes.FakeDriver, operator=operator.OperatorDriver
            ),
        )

    def _guard(self) -> None:
        self.fail("nothing is going to be commanded")

    def test_fence_waits_for_the_confirmation(self) -> None:
        outcome = self._topology([["person"]]).fence(ONE, self._guard)
        self.assertIsNone(outcome.evidence)
        self.assertFalse(outcome.off_sent)
        self.assertIn("switch rack7-1 off by hand", outcome.error)
        self.assertIn("nova-ha confirm-fenced", outcome.error)
        # As configured: neither a failure in the log nor an attempt.
        self.assertEqual((), outcome.attempts)
        self.assertNotIn("WARNING", self.logger.output)

    def test_state_is_not_known(self) -> None:
        reading = self._topology([["person"]]).power_state(ONE)
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertIn("person: needs operator: switch", reading.error)

    def test_one_person_for_many_hosts(self) -> None:
        fencing = self._topology([["person"]], instructions="call 112")
        for host in (ONE, TWO):
            outcome = fencing.fence(host, self._guard)
            self.assertIn("person: call 112, see", outcome.error)

    def test_last_level_when_the_devices_fail(self) -> None:
        bmc = fakes.FakeBmc(ONE)
        bmc.alive = False
        bmc.password = "p"
        self.useFixture(
            fixtures.MonkeyPatch(
                "tests.unit.fencing.fakes.FakeDriver.bmcs", {ONE: bmc}
            )
        )
        fencing = self._topology([["bmc"], ["person"]])
        outcome = fencing.fence(ONE, self._guard)
        self.assertIn("level 1: bmc: no connection", outcome.error)
        self.assertIn("level 2: person: switch", outcome.error)

    def test_nothing_is_switched(self) -> None:
        fencing = self._topology([["person"]])
        self.assertIsNone(fencing.system_uuid(ONE))
        self.assertRaises(exception.DeviceRefused, fencing.power_on, ONE)
        [[device]] = fencing.levels(ONE)
        self.assertRaises(exception.DeviceRefused, device.power_off)
