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


from collections.abc import Sequence

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import device
from nova_ha.fencing import levels
from nova_ha.fencing import parameters as params
from nova_ha.fencing import procedure
from tests import base
from tests.unit.fencing import fakes

HOST = model.HostName("h")
OTHER = model.HostName("other")
DOUBTFUL = model.HostName("doubtful")
ON, OFF = model.PowerState.ON, model.PowerState.OFF
UNKNOWN = model.PowerState.UNKNOWN


def permit() -> None:
    """A guard that lets everything pass."""


class GivenLevels(levels.LevelFencing):
    """One host with a BMC, and two power strips as the next level."""

    def __init__(self, given: Sequence[procedure.Level]) -> None:
        super().__init__(fakes.FakeClock(), 1.0)
        self._given = given

    def levels(self, host: model.HostName) -> Sequence[procedure.Level]:
        if host == DOUBTFUL:
            raise exception.ConfigError("fencing.yaml", "two rules match")
        return self._given if host == HOST else ()


class LevelFencingTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        names = ("bmc", "left", "right")
        self.bmcs = {name: fakes.FakeBmc(name) for name in names}
        bmc, left, right = map(self._device, names)
        self.fencing = GivenLevels([[bmc], [left, right]])

    def _device(self, name: str) -> device.Device:
        values = params.Parameters(
            {"address": name, "password": params.Secret("secret")}
        )
        clock = fakes.FakeClock()
        driver = fakes.FakeDriver(name, values, clock, 1.0)
        driver.bmcs = self.bmcs
        return device.Device(driver, 20.0, clock)

    def _state(self) -> model.PowerState:
        return self.fencing.power_state(HOST).state

    # -- asking --------------------------------------------------------------

    def test_first_clear_answer_decides(self) -> None:
        for state in (ON, OFF):
            self.bmcs["bmc"].state = state
            self.assertIs(state, self._state())
            self.assertEqual([], self.bmcs["left"].calls)
        self.bmcs["bmc"].alive = False
        for left, right, expected in (
            (OFF, OFF, OFF),
            (OFF, ON, ON),
            (ON, ON, ON),
            (OFF, UNKNOWN, UNKNOWN),
        ):
            self.bmcs["left"].state = left
            self.bmcs["right"].state = right
            self.assertIs(expected, self._state())

    def test_no_answer_at_all_says_why(self) -> None:
        for bmc in self.bmcs.values():
            bmc.alive = False
        reading = self.fencing.power_state(HOST)
        self.assertIs(UNKNOWN, reading.state)
        self.assertEqual("bmc, left, right", reading.device)
        for name in ("bmc", "left", "right"):
            self.assertIn(f"{name}: unreachable", reading.error)

    def test_level_that_has_confirmed_is_asked_first(self) -> None:
        """Else a BMC that reads on for ever would undo what the power
        strips have proven."""
        self.bmcs["bmc"].refuses = True
        outcome = self.fencing.fence(HOST, permit)
        self.assertEqual("left, right", outcome.evidence.by)
        self.assertIs(ON, self.bmcs["bmc"].state)
        self.assertIs(OFF, self._state())
        # The strips are on again: so is the host.
        self.bmcs["left"].state = ON
        self.assertIs(ON, self._state())
        self.bmcs["left"].state = OFF
        self.assertIs(ON, self._state())

    def test_changed_levels_begin_with_the_first_again(self) -> None:
        self.bmcs["bmc"].refuses = True
        self.fencing.fence(HOST, permit)
        self.fencing.forget_proven()
        self.assertIs(ON, self._state())

    def test_host_without_a_device(self) -> None:
        self.assertFalse(self.fencing.has_device(OTHER))
        self.assertIs(UNKNOWN, self.fencing.power_state(OTHER).state)
        outcome = self.fencing.fence(OTHER, permit)
        self.assertIsNone(outcome.evidence)
        self.assertIn("no fence device", outcome.error)
        self.assertIsNone(self.fencing.system_uuid(OTHER))
        self.assertRaises(exception.DeviceError, self.fencing.power_on, OTHER)
        self.assertEqual(
            [OTHER], self.fencing.hosts_without_device([HOST, OTHER])
        )

    def test_host_whose_devices_are_doubtful_is_left_alone(self) -> None:
        self.assertFalse(self.fencing.has_device(DOUBTFUL))
        self.assertIn("two rules", self.fencing.power_state(DOUBTFUL).error)
        outcome = self.fencing.fence(DOUBTFUL, permit)
        self.assertIn("two rules", outcome.error)
        self.assertFalse(outcome.off_sent)

    # -- power on ------------------------------------------------------------

    def test_power_on_feeds_the_bmc_first(self) -> None:
        order: list[str] = []
        for name in ("bmc", "left", "right"):
            self.bmcs[name].state = OFF
            self.bmcs[name].calls = _Journal(name, order)
        self.fencing.power_on(HOST)
        switched = [each for each in order if each.endswith(".on")]
        self.assertEqual(["left.on", "right.on", "bmc.on"], switched)
        self.assertIs(ON, self._state())

    def test_power_on_of_a_host_that_is_on(self) -> None:
        self.fencing.power_on(HOST)
        self.assertNotIn("on", self.bmcs["bmc"].calls)

    def test_power_on_that_nobody_accepts(self) -> None:
        self.bmcs["bmc"].alive = False
        self.bmcs["left"].password = "another"
        self.bmcs["right"].fails_reading = [
            exception.DeviceProtocolError("right", "nonsense")
        ]
        error = self.assertRaises(
            exception.DeviceError, self.fencing.power_on, HOST
        )
        for words in (
            "left: credentials: wrong password",
            "right: protocol error: nonsense",
            "bmc: unreachable: no connection",
        ):
            self.assertIn(words, str(error))

    def test_power_on_that_one_of_several_accepts(self) -> None:
        for bmc in self.bmcs.values():
            bmc.state = OFF
        self.bmcs["left"].alive = False
        self.fencing.power_on(HOST)
        self.assertIs(ON, self.bmcs["right"].state)

    def test_power_on_by_the_only_device(self) -> None:
        self.bmcs["bmc"].alive = False
        fencing = GivenLevels([[self._device("bmc")]])
        self.assertRaises(exception.DeviceUnreachable, fencing.power_on, HOST)


class _Journal(list):
    """Keeps the calls of several devices in one order."""

    def __init__(self, name: str, order: list[str]) -> None:
        super().__init__()
        self._name = name
        self._order = order

    def append(self, call: str) -> None:
        self._order.append(f"{self._name}.{call}")
        super().append(call)

    # -- barred devices ------------------------------------------------------

    def test_a_barred_device_is_not_spoken_to_and_proves_nothing(self) -> None:
        self.bmcs["bmc"].state = OFF
        self.bmcs["left"].state = self.bmcs["right"].state = ON
        self.assertIs(OFF, self.fencing.power_state(HOST).state)
        self.bmcs["bmc"].calls.clear()
        self.assertIs(ON, self.fencing.power_state(HOST, {"bmc"}).state)
        self.assertEqual([], self.bmcs["bmc"].calls)

    def test_the_next_level_takes_over(self) -> None:
        outcome = self.fencing.fence(HOST, permit, {"bmc"})
        evidence = outcome.evidence
        assert evidence is not None
        self.assertEqual(("left", "right"), evidence.devices)
        self.assertEqual([], self.bmcs["bmc"].calls)
        self.assertIs(ON, self.bmcs["bmc"].state)

    def test_a_level_with_one_barred_device_is_left_untouched(self) -> None:
        self.bmcs["bmc"].alive = False
        outcome = self.fencing.fence(HOST, permit, {"left"})
        self.assertIsNone(outcome.evidence)
        self.assertIn("left: barred", outcome.error)
        self.assertIn("nova-ha fence clear HOST left", outcome.error)
        self.assertNotIn("off", self.bmcs["right"].calls)

    def test_it_switches_nothing_on(self) -> None:
        for bmc in self.bmcs.values():
            bmc.state = OFF
        self.fencing.power_on(HOST, {"bmc"})
        self.assertEqual([], self.bmcs["bmc"].calls)
        error = self.assertRaises(
            exception.DeviceError,
            self.fencing.power_on,
            HOST,
            {"bmc", "left", "right"},
        )
        self.assertEqual(3, str(error).count("barred, because"))

    def test_whose_command_it_was(self) -> None:
        outcome = self.fencing.fence(HOST, permit)
        assert outcome.evidence is not None
        self.assertTrue(outcome.evidence.commanded)
        outcome = self.fencing.fence(HOST, permit)
        assert outcome.evidence is not None
        self.assertFalse(outcome.evidence.commanded)

    # -- checking ------------------------------------------------------------

    def test_every_device_is_examined(self) -> None:
        self.bmcs["left"].alive = False
        reports = self.fencing.examine(HOST, "")
        self.assertEqual(
            [(1, "bmc", True), (2, "left", False), (2, "right", True)],
            [(one.level, one.device, one.ok) for one in reports],
        )
        for bmc in self.bmcs.values():
            self.assertLessEqual(set(bmc.calls), {"status"})

    def test_no_device_is_a_finding(self) -> None:
        for host, words in (
            (OTHER, "no fence device"),
            (DOUBTFUL, "two rules"),
        ):
            (report,) = self.fencing.examine(host, "")
            self.assertFalse(report.ok)
            self.assertIn(words, report.problem)
