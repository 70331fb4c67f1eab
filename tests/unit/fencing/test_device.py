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

import fixtures

from nova_ha import clock
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base as fencing_base
from nova_ha.fencing import device
from nova_ha.fencing import parameters as params
from tests import base


class Driver(fencing_base.FenceDriver):
    """Does in each call what a test tells it to."""

    def __init__(self, call_timeout: float = 0.1) -> None:
        super().__init__(
            "bmc", params.Parameters({}), clock.SystemClock(), call_timeout
        )
        self.action = lambda: model.PowerState.ON
        self.calls = 0

    def power_state(self) -> model.PowerState:
        self.calls += 1
        return self.action()

    def power_off(self) -> None:
        self.power_state()

    def power_on(self) -> None:
        self.power_state()

    def system_uuid(self) -> str | None:
        return str(self.power_state())


class ReadOnly(Driver):
    CAPABILITIES = frozenset()


class DeviceTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch("nova_ha.fencing.device.GRACE", 0.05)
        )
        self.driver = Driver()
        self.device = device.Device(
            self.driver, 20.0, clock.SystemClock(), remedy="; see x:1"
        )

    def test_answers_pass_through(self) -> None:
        self.assertIs(model.PowerState.ON, self.device.power_state())
        self.assertEqual("on", self.device.system_uuid())

    def test_errors_pass_through(self) -> None:
        for kind in (
            exception.DeviceUnreachable,
            exception.DeviceTimeout,
            exception.DeviceRefused,
            exception.DeviceProtocolError,
        ):
            self._will_raise(kind("bmc", "because"))
            error = self.assertRaises(kind, self.device.power_off)
            self.assertEqual(("bmc", "because"), (error.device, error.problem))

    def _will_raise(self, error: Exception) -> None:
        def action() -> model.PowerState:
            raise error

        self.driver.action = action

    def test_credentials_are_rejected_once(self) -> None:
        self._will_raise(exception.DeviceCredentials("bmc", "wrong"))
        for _ in range(3):
            error = self.assertRaises(
                exception.DeviceCredentials, self.device.power_state
            )
        self.assertEqual(1, self.driver.calls)
        self.assertIn("wrong; not asked again", error.problem)
        self.assertIn("see x:1", error.problem)

    def test_hanging_calls_are_left_and_limited(self) -> None:
        release = threading.Event()
        self.addCleanup(release.set)

        def hang() -> model.PowerState:
            release.wait()
            return model.PowerState.OFF

        self.driver.action = hang
        for _ in range(device.MAX_CALLS + 2):
            self.assertRaises(exception.DeviceTimeout, self.device.power_state)
        self.assertEqual(device.MAX_CALLS, self.driver.calls)
        release.set()
        for thread in threading.enumerate():
            if thread.name == "fence-bmc":
                thread.join()
        self.driver.action = lambda: model.PowerState.ON
        self.assertIs(model.PowerState.ON, self.device.power_state())

    def test_what_the_driver_cannot(self) -> None:
        limited = device.Device(ReadOnly(), 20.0, clock.SystemClock())
        self.assertIs(model.PowerState.ON, limited.power_state())
        self.assertIsNone(limited.system_uuid())
        for command in (limited.power_off, limited.power_on):
            self.assertRaises(exception.DeviceRefused, command)

    def test_bug_of_a_driver(self) -> None:
        self._will_raise(KeyError("hunter2"))
        error = self.assertRaises(
            exception.DeviceProtocolError, self.device.power_state
        )
        self.assertEqual("its driver failed (KeyError)", error.problem)
