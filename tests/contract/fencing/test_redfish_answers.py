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


"""Answers that a Redfish service can give and the emulator does not."""

import contextlib
import time

import fixtures

from nova_ha import clock
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import device
from nova_ha.fencing import parameters
from nova_ha.fencing import redfish
from nova_ha.fencing import testing
from tests import base
from tests.contract.fencing import benches
from tests.contract.fencing import emulators
from tests.contract.fencing import redfish_stub

HOST = testing.HOST
OTHER_UUID = "33333333-3333-4333-8333-333333333333"


def permit() -> None:
    """A guard that lets everything pass."""


class RedfishAnswersTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.stub = redfish_stub.RedfishStub()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.url = stack.enter_context(self.stub.running())

    def _topology(self, **overrides):
        device = {
            "driver": "redfish",
            "address": self.url,
            "username": "admin",
            "password": "secret",
            "call_timeout": 2,
            "fence_timeout": 2,
            **overrides,
        }
        directory = self.useFixture(fixtures.TempDir()).path
        bench = benches.RedfishBench(directory)
        return bench.topology_of({"bmc": device}, {HOST: [["bmc"]]})

    def _state(self, **overrides):
        return self._topology(**overrides).power_state(HOST)

    # -- the answer to a command ---------------------------------------------

    def test_conflict_while_already_off_counts_by_the_state(self) -> None:
        for status in (400, 409):
            self.stub.power = "On"
            self.stub.reset_status = status
            self.stub.off_anyway = True
            outcome = self._topology().fence(HOST, permit)
            self.assertIsNotNone(outcome.evidence, outcome)

    def test_conflict_while_on_is_a_failure_at_once(self) -> None:
        self.stub.reset_status = 409
        began = time.monotonic()
        outcome = self._topology(fence_timeout=30).fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertIn("HTTP 409", outcome.error)
        self.assertIn("wrong state:", outcome.attempts[1].result)
        self.assertLess(time.monotonic() - began, 2)

    def test_conflict_while_powering_off_is_waited_for(self) -> None:
        self.stub.reset_status = 409
        self.stub.power = "PoweringOff"
        outcome = self._topology().fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertIn("2 s after the command", outcome.error)

    def test_server_error_on_command_is_decided_by_the_state(self) -> None:
        self.stub.reset_status = 503
        self.stub.off_anyway = True
        self.assertIsNotNone(self._topology().fence(HOST, permit).evidence)

    def test_command_is_sent_once_a_round(self) -> None:
        for status in (204, 400, 409, 500, 503):
            self.stub.power = "On"
            self.stub.resets.clear()
            self.stub.obeys = False
            self.stub.reset_status = status
            self._topology().fence(HOST, permit)
            self.assertEqual(["ForceOff"], self.stub.resets)

    def test_denied_command_stops_the_device(self) -> None:
        topology = self._topology()
        self.stub.reset_status = 403
        self.assertIn("HTTP 403", topology.fence(HOST, permit).error)
        self.stub.requests.clear()
        self.assertIsNone(topology.fence(HOST, permit).evidence)
        self.assertEqual([], self.stub.requests)

    # -- the answer to a question --------------------------------------------

    def test_server_error_is_asked_again_once(self) -> None:
        self.stub.get_statuses = [503]
        self.assertIs(model.PowerState.ON, self._state().state)
        self.stub.get_statuses = [503, 503, 503]
        reading = self._state()
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertIn("HTTP 503", reading.error)

    def test_nonsense_is_never_off(self) -> None:
        for body in (
            b"",
            b"[]",
            b"null",
            b"Off",
            b'{"PowerState": "Off"',
            b'{"PowerState": ["Off"]}',
            b'{"PowerState": 0}',
            b'{"Id": "1", "Name": "n", "PowerState": {"Off": 1}}',
            b"<html>Off</html>",
            b"\xff\xfe\x00",
        ):
            self.stub.body = body
            reading = self._state()
            self.assertIs(model.PowerState.UNKNOWN, reading.state, body)
            self.assertIn("protocol", reading.error)

    def test_states_other_than_off_are_not_off(self) -> None:
        for power, state in (
            ("On", model.PowerState.ON),
            ("Paused", model.PowerState.ON),
            ("PoweringOff", model.PowerState.UNKNOWN),
            ("PoweringOn", model.PowerState.UNKNOWN),
            ("off", model.PowerState.UNKNOWN),
            (None, model.PowerState.UNKNOWN),
            ("Off", model.PowerState.OFF),
        ):
            self.stub.power = power
            self.assertIs(state, self._state().state, power)

    def test_answer_that_never_ends_costs_one_call(self) -> None:
        self.stub.drip = True
        began = time.monotonic()
        reading = self._state()
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertIn("timeout", reading.error)
        self.assertLess(time.monotonic() - began, 2 + device.GRACE + 1)

    def test_abandoned_call_sends_no_command_later(self) -> None:
        """A call that outlives its deadline must not switch off a host that
        has been recovered meanwhile."""
        ticks = iter([0.0, 0.0, 0.0, 99.0, 99.0, 99.0])

        class Jumping(clock.SystemClock):
            def monotonic(self) -> float:
                return next(ticks, 99.0)

        values = {each.name: each.default for each in _schema()}
        values |= {
            "address": self.url,
            "username": "admin",
            "password": parameters.Secret("secret"),
        }
        driver = redfish.RedfishDriver(
            "bmc", parameters.Parameters(values), Jumping(), 2.0
        )
        self.assertRaises(exception.DeviceTimeout, driver.power_off)
        self.assertEqual([], self.stub.resets)
        self.assertNotEqual([], self.stub.requests)

    # -- which system --------------------------------------------------------

    def test_one_of_several_systems_must_be_named(self) -> None:
        other = "/redfish/v1/Systems/2"
        self.stub.systems[other] = OTHER_UUID
        self.assertIn("'system'", self._state().error)
        for system in (other, OTHER_UUID, OTHER_UUID.upper()):
            self.stub.requests.clear()
            topology = self._topology(system=system)
            self.assertIs(
                model.PowerState.ON, topology.power_state(HOST).state
            )
            self.assertEqual(OTHER_UUID, topology.system_uuid(HOST))
            topology.fence(HOST, permit)
            self.assertEqual(
                [f"POST {other}/Actions/ComputerSystem.Reset"],
                [each for each in self.stub.requests if "POST" in each],
            )
            self.stub.power = "On"

    def test_unknown_system(self) -> None:
        missing = "44444444-4444-4444-8444-444444444444"
        self.assertIn("0 systems", self._state(system=missing).error)
        reading = self._state(system="/redfish/v1/Systems/9")
        self.assertIn("check 'system'", reading.error)

    # -- redirects -----------------------------------------------------------

    def test_redirect_within_the_service_is_followed(self) -> None:
        reset = f"{redfish_stub.SYSTEM}/Actions/ComputerSystem.Reset"
        by_name = "/redfish/v1/Systems/compute-1"
        self.stub.redirects = {
            by_name: redfish_stub.SYSTEM,
            reset: f"{reset}/",
        }
        outcome = self._topology(system=by_name).fence(HOST, permit)
        self.assertIsNotNone(outcome.evidence, outcome)
        self.assertEqual(["ForceOff"], self.stub.resets)

    def test_redirect_to_another_service_is_not_followed(self) -> None:
        other = redfish_stub.RedfishStub()
        other.power = "Off"
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        url = stack.enter_context(other.running())
        path = redfish_stub.SYSTEM
        self.stub.redirects = {path: f"{url}{path}"}
        for auth in ("basic", "session"):
            reading = self._state(auth=auth)
            self.assertIs(model.PowerState.UNKNOWN, reading.state)
            self.assertIn("redirects to another service", reading.error)
        self.assertEqual([], other.requests)

    def test_redirect_without_end(self) -> None:
        path = redfish_stub.SYSTEM
        self.stub.redirects = {path: path}
        reading = self._state()
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertNotEqual("", reading.error)

    # -- TLS -----------------------------------------------------------------

    def test_certificate_is_verified_unless_told_not_to(self) -> None:
        directory = self.useFixture(fixtures.TempDir()).path
        certificate = emulators.certificate(directory)
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.url = stack.enter_context(self.stub.running(certificate))
        reading = self._state()
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertIn("not trusted; set ca_file", reading.error)
        self.assertEqual([], self.stub.requests)
        for trusting in ({"ca_file": certificate}, {"verify_tls": False}):
            self.assertIs(model.PowerState.ON, self._state(**trusting).state)

    # -- sessions ------------------------------------------------------------

    def test_session_is_made_used_and_deleted(self) -> None:
        topology = self._topology(auth="session")
        self.assertIsNotNone(topology.fence(HOST, permit).evidence)
        self.assertIn(
            "POST /redfish/v1/SessionService/Sessions", self.stub.requests
        )
        self.assertEqual(0, self.stub.sessions)

    def test_wrong_password_of_a_session_is_sent_once(self) -> None:
        topology = self._topology(auth="session", password="wrong")
        self.assertIn("credentials", topology.power_state(HOST).error)
        topology.power_state(HOST)
        logins = [each for each in self.stub.requests if "POST" in each]
        self.assertEqual(1, len(logins))


def _schema():
    return redfish.RedfishDriver.schema()
