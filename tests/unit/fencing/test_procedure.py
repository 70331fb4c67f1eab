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


"""How a host is fenced, on virtual time."""

import fixtures

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import device
from nova_ha.fencing import parameters as params
from nova_ha.fencing import procedure
from tests import base
from tests.unit.fencing import fakes

HOST = model.HostName("compute-1")
ON, OFF = model.PowerState.ON, model.PowerState.OFF
UNKNOWN = model.PowerState.UNKNOWN
OURS = "4c4c4544-0035-4a10-8052-b4c04f4e3233"
OTHER = "9d1f6a52-71b0-4c39-9c0a-5d0c5d3f11aa"


class ProcedureTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = fakes.FakeClock()
        self.bmcs: dict[str, fakes.FakeBmc] = {}
        self.guarded: list[list[str]] = []
        self.useFixture(_Bmcs(self.bmcs))

    def _device(
        self, name: str, fence_timeout: float = 20.0, evidence_only=False
    ):
        self.bmcs[name] = fakes.FakeBmc(name)
        values = params.Parameters(
            {"address": name, "password": params.Secret("secret")}
        )
        driver = fakes.FakeDriver(name, values, self.clock, 1.0)
        return device.Device(
            driver, fence_timeout, self.clock, evidence_only=evidence_only
        )

    def _guard(self) -> None:
        """Permits, and keeps what had been sent when it was asked."""
        self.guarded.append(
            [
                f"{name}.{call}"
                for name, bmc in self.bmcs.items()
                for call in bmc.calls
                if call == "off"
            ]
        )

    def _run(self, *levels, guard=None, system_uuid="") -> model.FenceOutcome:
        fence_round = procedure.Round(
            HOST, guard or self._guard, self.clock, 1.0, system_uuid
        )
        return fence_round.run(levels)

    def _sent(self, name: str) -> int:
        return self.bmcs[name].calls.count("off")

    # -- one device ----------------------------------------------------------

    def test_asks_commands_and_observes(self) -> None:
        one = self._device("a")
        self.bmcs["a"].off_after = 3
        outcome = self._run([one])
        self.assertEqual(
            ["status", "off", "status", "status", "status", "status"],
            self.bmcs["a"].calls,
        )
        self.assertEqual([1.0] * 3, self.clock.slept)
        self.assertEqual("a", outcome.evidence.by)
        self.assertEqual(
            "level 1: off 3.0 s after command", outcome.evidence.detail
        )
        self.assertEqual(
            [
                ("status", "on"),
                ("off", "accepted"),
                ("status", "on"),
                ("status", "off"),
            ],
            [(each.command, each.result) for each in outcome.attempts],
        )

    def test_no_levels_are_no_proof(self) -> None:
        for levels in ((), ([],)):
            outcome = self._run(*levels)
            self.assertIsNone(outcome.evidence)
            self.assertFalse(outcome.off_sent)

    def test_never_off_ends_at_the_deadline(self) -> None:
        one = self._device("a", fence_timeout=7.0)
        self.bmcs["a"].lies = True
        outcome = self._run([one])
        self.assertIsNone(outcome.evidence)
        self.assertEqual(
            "level 1: a: on, 7 s after the command", outcome.error
        )
        self.assertEqual(7.0, self.clock.offset)
        self.assertEqual(1, self._sent("a"))

    def test_unknown_state_is_commanded_and_never_proof(self) -> None:
        one = self._device("a", fence_timeout=3.0)
        self.bmcs["a"].state = UNKNOWN
        self.bmcs["a"].lies = True
        outcome = self._run([one])
        self.assertIsNone(outcome.evidence)
        self.assertEqual(1, self._sent("a"))

    def test_readings_that_fail_while_waiting_are_borne(self) -> None:
        one = self._device("a")
        failures = [
            exception.DeviceTimeout("a", "slow"),
            exception.DeviceUnreachable("a", "gone"),
            exception.DeviceProtocolError("a", "what"),
        ]
        original = self.bmcs["a"].off

        def off() -> None:
            original()
            self.bmcs["a"].fails_reading = list(failures)

        self.bmcs["a"].off = off
        outcome = self._run([one])
        self.assertIsNotNone(outcome.evidence)
        self.assertIn(
            "timeout: slow", [each.result for each in outcome.attempts]
        )

    def test_command_whose_answer_is_lost_is_decided_by_the_state(self):
        for error in (
            exception.DeviceTimeout("a", "x"),
            exception.DeviceUnreachable("a", "x"),
            exception.DeviceProtocolError("a", "x"),
            exception.DeviceRefused("a", "x"),
        ):
            one = self._device("a")
            self.bmcs["a"].fails_off = error
            outcome = self._run([one])
            self.assertIsNotNone(outcome.evidence, error)
            self.assertTrue(outcome.off_sent)

    def test_refused_and_on_is_left_at_once(self) -> None:
        one = self._device("a")
        self.bmcs["a"].refuses = True
        outcome = self._run([one])
        self.assertIn("refused and on", outcome.error)
        self.assertEqual([], self.clock.slept)

    def test_credentials_on_command(self) -> None:
        one = self._device("a")
        self.bmcs["a"].fails_off = exception.DeviceCredentials("a", "no")
        self.assertIsNone(self._run([one]).evidence)
        self.assertNotEqual("", one.rejected)

    def test_driver_bug_is_a_failed_device(self) -> None:
        one = self._device("a")
        self.bmcs["a"].fails_reading = [RuntimeError("secret")]
        outcome = self._run([one])
        self.assertIsNone(outcome.evidence)
        self.assertIn("its driver failed (RuntimeError)", outcome.error)
        self.assertNotIn("secret", repr(outcome))

    # -- the right chassis ---------------------------------------------------

    def test_another_machine_is_not_commanded(self) -> None:
        one, other = self._device("a"), self._device("b")
        self.bmcs["a"].uuid = OTHER
        self.bmcs["b"].uuid = OURS
        outcome = self._run([one], [other], system_uuid=OURS)
        self.assertEqual(["status", "uuid"], self.bmcs["a"].calls)
        self.assertEqual(("a",), outcome.other_chassis)
        self.assertEqual("b", outcome.evidence.by)

    def test_another_machine_is_not_believed(self) -> None:
        one = self._device("a")
        self.bmcs["a"].uuid, self.bmcs["a"].state = OTHER, OFF
        outcome = self._run([one], system_uuid=OURS)
        self.assertIsNone(outcome.evidence)
        self.assertIn(f"controls the machine {OTHER}", outcome.error)
        self.assertEqual(
            ("identify", "another machine"),
            (outcome.attempts[-1].command, outcome.attempts[-1].result),
        )

    def test_a_device_that_does_not_tell_is_trusted(self) -> None:
        for uuid in ("", "0" * 32, "not one"):
            one = self._device("a")
            self.bmcs["a"].uuid = uuid
            outcome = self._run([one], system_uuid=OURS)
            self.assertIsNotNone(outcome.evidence, uuid)
            self.assertEqual((), outcome.other_chassis)

    def test_one_that_fails_to_tell_is_trusted_too(self) -> None:
        one = self._device("a")
        self.bmcs["a"].fails_telling = exception.DeviceTimeout("a", "slow")
        outcome = self._run([one], system_uuid=OURS)
        self.assertIsNotNone(outcome.evidence)
        self.assertIn(
            "timeout: slow",
            [each.result for each in outcome.attempts],
        )

    def test_where_the_host_is_not_known_it_is_not_asked(self) -> None:
        one = self._device("a")
        self._run([one])
        self.assertNotIn("uuid", self.bmcs["a"].calls)

    # -- the guard -----------------------------------------------------------

    def test_guard_is_asked_before_each_command(self) -> None:
        level = [self._device("a"), self._device("b")]
        self._run(level)
        self.assertEqual([[], ["a.off"]], self.guarded)

    def test_guard_ends_everything(self) -> None:
        for error, alive in (
            (exception.FenceAborted("beacon", alive=True), True),
            (exception.FenceAborted("paused"), False),
            (exception.NotLeading("deposed"), False),
            (exception.CoordinationUnavailable("away"), False),
        ):
            levels = [[self._device("a")], [self._device("b")]]

            def guard(error=error) -> None:
                raise error

            outcome = self._run(*levels, guard=guard)
            self.assertIsNone(outcome.evidence)
            self.assertEqual(str(error), outcome.aborted)
            self.assertIs(alive, outcome.alive)
            self.assertFalse(outcome.off_sent)
            self.assertEqual([], self.bmcs["b"].calls)

    def test_guard_that_changes_its_mind(self) -> None:
        level = [self._device("a"), self._device("b")]

        def guard() -> None:
            self._guard()
            if len(self.guarded) > 1:
                raise exception.FenceAborted("beacon", alive=True)

        outcome = self._run(level, guard=guard)
        self.assertTrue(outcome.off_sent)
        self.assertEqual("beacon", outcome.aborted)
        self.assertEqual(0, self._sent("b"))
        self.assertIn("off", [each.command for each in outcome.attempts])

    def test_bug_of_the_guard_is_not_swallowed(self) -> None:
        def guard() -> None:
            raise RuntimeError

        self.assertRaises(
            RuntimeError, self._run, [self._device("a")], guard=guard
        )
        self.assertEqual(0, self._sent("a"))

    # -- devices for evidence only -------------------------------------------

    def test_evidence_only_has_to_confirm_and_is_not_commanded(self) -> None:
        level = [self._device("a"), self._device("meter", evidence_only=True)]
        original = self.bmcs["a"].off

        def off() -> None:
            original()
            self.bmcs["meter"].state = OFF

        self.bmcs["a"].off = off
        self.assertEqual("a, meter", self._run(level).evidence.by)
        self.assertEqual((1, 0), (self._sent("a"), self._sent("meter")))

    def test_evidence_only_that_does_not_confirm(self) -> None:
        meter = self._device("meter", fence_timeout=3.0, evidence_only=True)
        outcome = self._run([self._device("a"), meter])
        self.assertIsNone(outcome.evidence)
        self.assertIn("meter: on, 3 s after", outcome.error)

    def test_level_of_evidence_only_confirms_what_is_off(self) -> None:
        level = [self._device("meter", evidence_only=True)]
        for state in (ON, UNKNOWN):
            self.bmcs["meter"].state = state
            outcome = self._run(level)
            self.assertIsNone(outcome.evidence)
            self.assertIn("meter: not off, for evidence", outcome.error)
            self.assertFalse(outcome.off_sent)
        self.bmcs["meter"].state = OFF
        self.assertEqual("meter", self._run(level).evidence.by)
        self.assertEqual(([], 0), (self.guarded, self._sent("meter")))

    # -- levels --------------------------------------------------------------

    def test_all_devices_of_a_level_must_confirm(self) -> None:
        level = [self._device("a"), self._device("b", fence_timeout=3.0)]
        self.bmcs["b"].lies = True
        outcome = self._run(level)
        self.assertIsNone(outcome.evidence)
        self.assertIn("b: on", outcome.error)

    def test_all_must_be_off_in_the_same_pass(self) -> None:
        one = self._device("a", fence_timeout=3.0)
        two = self._device("b", fence_timeout=3.0)
        self.bmcs["a"].state = OFF
        original = self.bmcs["b"].off

        def off() -> None:
            original()
            self.bmcs["a"].state = ON

        self.bmcs["b"].off = off
        outcome = self._run([one, two])
        self.assertIsNone(outcome.evidence)
        self.assertIn("a: on", outcome.error)

    def test_device_that_is_off_is_not_commanded(self) -> None:
        level = [self._device("a"), self._device("b")]
        self.bmcs["a"].state = OFF
        self.assertEqual("a, b", self._run(level).evidence.by)
        self.assertEqual((0, 1), (self._sent("a"), self._sent("b")))

    def test_level_that_cannot_succeed_is_not_touched(self) -> None:
        level = [self._device("a"), self._device("b")]
        self.bmcs["b"].alive = False
        outcome = self._run(level)
        self.assertIsNone(outcome.evidence)
        self.assertFalse(outcome.off_sent)
        self.assertEqual([], self.guarded)

    def test_next_level_after_any_failure(self) -> None:
        def dead(bmc: fakes.FakeBmc) -> None:
            bmc.alive = False

        def refusing(bmc: fakes.FakeBmc) -> None:
            bmc.refuses = True

        def lying(bmc: fakes.FakeBmc) -> None:
            bmc.lies = True

        def locked(bmc: fakes.FakeBmc) -> None:
            bmc.password = "other"

        for fault in (dead, refusing, lying, locked):
            levels = [[self._device("a")], [self._device("b")]]
            fault(self.bmcs["a"])
            outcome = self._run(*levels)
            self.assertEqual("b", outcome.evidence.by, fault)
            self.assertIn("level 2", outcome.evidence.detail)
            self.assertEqual("", outcome.error)

    def test_all_levels_fail(self) -> None:
        levels = [[self._device("a")], [self._device("b")]]
        for bmc in self.bmcs.values():
            bmc.alive = False
        self.assertEqual(
            "level 1: a: no connection; level 2: b: no connection",
            self._run(*levels).error,
        )


class _Bmcs(fixtures.Fixture):
    """Lets the fake driver find the test's own devices."""

    def __init__(self, bmcs: dict[str, fakes.FakeBmc]) -> None:
        super().__init__()
        self._bmcs = bmcs

    def _setUp(self) -> None:
        before = fakes.FakeDriver.bmcs
        fakes.FakeDriver.bmcs = self._bmcs
        self.addCleanup(setattr, fakes.FakeDriver, "bmcs", before)
