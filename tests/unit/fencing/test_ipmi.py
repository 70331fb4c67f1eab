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


"""The ``ipmi`` driver, with an ``ipmitool`` that says what a test wants.

What the real one does with a real BMC is in ``tests/contract``.
"""

import pathlib

import fixtures

from nova_ha import clock
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import ipmi
from nova_ha.fencing import parameters as params
from tests import base
from tests.unit.fencing import fakes


class IpmiTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.directory = pathlib.Path(directory)
        self.useFixture(
            fixtures.EnvironmentVariable("PATH", f"{directory}:/usr/bin:/bin")
        )

    def _driver(self, script: str, **overrides) -> ipmi.IpmiDriver:
        tool = self.directory / "ipmitool"
        tool.write_text(
            f'#!/bin/sh\necho "$*" >> {self.directory}/calls\n{script}\n'
        )
        tool.chmod(0o755)
        values = {each.name: each.default for each in ipmi.IpmiDriver.schema()}
        values |= {
            "address": "192.0.2.1",
            "username": "admin",
            "password": params.Secret("hunter2"),
            **overrides,
        }
        return ipmi.IpmiDriver(
            "bmc", params.Parameters(values), clock.SystemClock(), 0.5
        )

    def _calls(self) -> list[str]:
        return (self.directory / "calls").read_text().splitlines()

    def _fails(self, message: str) -> exception.DeviceError:
        driver = self._driver(f"echo '{message}' >&2; exit 1")
        return self.assertRaises(exception.DeviceError, driver.power_state)

    def test_messages_of_ipmitool(self) -> None:
        end = "\nError: Unable to establish IPMI v2 / RMCP+ session"
        for message, kind in (
            ("> RAKP 2 HMAC is invalid" + end, exception.DeviceCredentials),
            (
                "RAKP 2 message indicates an error : unauthorized name" + end,
                exception.DeviceCredentials,
            ),
            (
                "lanplus: password is longer than 20 bytes.",
                exception.DeviceCredentials,
            ),
            ("Get Auth Capabilities error" + end, exception.DeviceUnreachable),
            (
                "Address lookup for x failed\nCould not open socket!" + end,
                exception.DeviceUnreachable,
            ),
            (end, exception.DeviceUnreachable),
            (
                "Set Chassis Power Control to Down/Off failed: "
                "Insufficient privilege level",
                exception.DeviceRefused,
            ),
            (
                "Set Chassis Power Control to Down/Off failed: "
                "Command not supported in present state",
                exception.DeviceWrongState,
            ),
            ("Chassis Power burst", exception.DeviceProtocolError),
            ("", exception.DeviceProtocolError),
        ):
            self.assertIs(kind, type(self._fails(message)), message)

    def test_state(self) -> None:
        for answer, state in (
            ("Chassis Power is on", model.PowerState.ON),
            ("Chassis Power is off", model.PowerState.OFF),
        ):
            self.assertIs(state, self._driver(f"echo {answer}").power_state())

    def test_nonsense_is_never_off(self) -> None:
        for answer in ("", "off", "Chassis Power is offline", "power is off"):
            driver = self._driver(f"echo '{answer}'")
            self.assertRaises(
                exception.DeviceProtocolError, driver.power_state
            )

    def test_answer_of_a_failed_tool_does_not_count(self) -> None:
        driver = self._driver("echo Chassis Power is off; exit 1")
        self.assertRaises(exception.DeviceError, driver.power_state)

    def test_hanging_tool_is_killed_with_its_children(self) -> None:
        driver = self._driver(
            f"sleep 1000 & echo $! > {self.directory}/child; wait"
        )
        self.assertRaises(exception.DeviceTimeout, driver.power_off)
        child = int((self.directory / "child").read_text())
        self.assertTrue(fakes.ends(child))

    def test_password_is_in_the_environment_only(self) -> None:
        driver = self._driver(
            f'echo "$IPMITOOL_PASSWORD" > {self.directory}/env;'
            "echo Chassis Power is on"
        )
        driver.power_state()
        environment = (self.directory / "env").read_text()
        self.assertEqual("hunter2\n", environment)
        self.assertNotIn("hunter2", " ".join(self._calls()))
        self.assertNotIn("hunter2", repr(driver))

    def test_password_in_the_tools_own_words_is_masked(self) -> None:
        self.assertNotIn("hunter2", str(self._fails("bad hunter2 here")))

    def test_cipher_suite_is_found_and_kept(self) -> None:
        driver = self._driver(
            'case "$*" in *"-C 17"*) echo "Error in open session response '
            'message : invalid authentication algorithm" >&2; exit 1;; esac;'
            "echo Chassis Power is on"
        )
        driver.power_state()
        driver.power_state()
        used = [call.partition("-C ")[2].split()[0] for call in self._calls()]
        self.assertEqual(["17", "3", "3"], used)

    def test_cipher_suite_that_was_chosen_is_the_only_one(self) -> None:
        driver = self._driver(
            'echo "Error in open session response message : no cipher suite '
            'match with proposed security algorithms" >&2; exit 1',
            cipher_suite=17,
        )
        error = self.assertRaises(exception.DeviceRefused, driver.power_state)
        self.assertIn("set cipher_suite", error.problem)
        self.assertEqual(1, len(self._calls()))

    def test_system_uuid(self) -> None:
        driver = self._driver("echo ' 67 45 23 a1 ab 89 ef cd a1 23 45 67'")
        self.assertRaises(exception.DeviceProtocolError, driver.system_uuid)
        octets = "67 45 23 a1 ab 89 ef cd a1 23 45 67\n 89 ab cd ef"
        driver = self._driver(f"echo ' {octets}'")
        self.assertEqual(
            "a1234567-89ab-cdef-a123-456789abcdef", driver.system_uuid()
        )
        driver = self._driver("echo '" + " 00" * 16 + "'")
        self.assertIsNone(driver.system_uuid())
        driver = self._driver("echo 'rsp=0xc1): Invalid command' >&2; exit 1")
        self.assertIsNone(driver.system_uuid())

    def test_missing_tool(self) -> None:
        driver = self._driver("")
        (self.directory / "ipmitool").unlink()
        self.useFixture(
            fixtures.EnvironmentVariable("PATH", str(self.directory))
        )
        error = self.assertRaises(
            exception.DeviceUnreachable, driver.power_state
        )
        self.assertIn("install the package ipmitool", error.problem)
