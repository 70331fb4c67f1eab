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
from nova_ha.fencing import base as fencing_base
from nova_ha.sim import devices
from nova_ha.sim import journal
from nova_ha.sim import kernel
from nova_ha.sim import machines
from nova_ha.sim import network
from tests import base

HOST = model.HostName("cmp1")
ON, OFF = model.PowerState.ON, model.PowerState.OFF
UNKNOWN = model.PowerState.UNKNOWN
CALL = 5.0
DEADLINE = fencing_base.FenceDriver.FENCE_TIMEOUT


def permit() -> None:
    """A guard that lets everything pass."""


class DevicesCase(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.kernel = kernel.Kernel(seed=1)
        self.addCleanup(self.kernel.close)
        self.journal = journal.Journal(self.kernel)
        self.networks = network.Networks()
        self.machine, self.other = (
            machines.Machine(self.kernel, self.networks, self.journal, name)
            for name in ("cmp1", "cmp2")
        )
        self.bmc = self._bmc()
        self.program = kernel.Program(self.kernel, "engine-1")
        self.fencing = self._fencing([[self.bmc]])
        self.took = 0.0

    def _bmc(self, **how) -> devices.Bmc:
        return devices.Bmc(
            self.kernel, self.networks, self.journal, self.machine, **how
        )

    def _fencing(self, levels) -> devices.SimFencing:
        return devices.SimFencing(
            self.program,
            "engine-1",
            {HOST: levels},
            self.networks,
            self.journal,
            call_timeout=CALL,
        )

    def _run(self, call):
        """Call it in a thread of the engine's, and wait for its end."""
        outcome = []
        began = self.kernel.now

        def body() -> None:
            try:
                outcome.append(call())
            except exception.NovaHaError as error:
                outcome.append(error)
            self.took = self.kernel.now - began

        self.program.spawn(body, "test")
        self.kernel.run(began + 120.0)
        return outcome[0]

    def _state(self) -> model.PowerState:
        return self._run(lambda: self.fencing.power_state(HOST)).state

    def _fence(self, guard=permit) -> model.FenceOutcome:
        return self._run(lambda: self.fencing.fence(HOST, guard))

    def _count(self, what: str) -> int:
        return [entry.what for entry in self.journal.entries].count(what)


class ModesTest(DevicesCase):
    def test_prompt(self) -> None:
        self.assertIs(ON, self._state())
        outcome = self._fence()
        self.assertEqual("bmc-cmp1", outcome.evidence.by)
        self.assertFalse(self.machine.power)
        self.assertLess(self.took, 3.0)
        self.assertIs(OFF, self._state())
        self._run(lambda: self.fencing.power_on(HOST))
        self.assertTrue(self.machine.power)
        self.assertIs(ON, self._state())

    def test_slow(self) -> None:
        self.bmc.mode = "slow"
        self.assertIsNotNone(self._fence().evidence)
        self.assertGreater(self.took, devices.SLOW_DELAY)
        self._run(lambda: self.fencing.power_on(HOST))
        self.bmc.delay = 15.0
        self.assertIsNotNone(self._fence().evidence)
        self.assertGreater(self.took, 15.0)

    def test_slower_than_the_deadline_obeys_after_all(self) -> None:
        self.bmc.delay = DEADLINE + 10.0
        self.assertIsNone(self._fence().evidence)
        self.assertFalse(self.machine.power)
        self.assertIs(OFF, self._state())

    def test_hung(self) -> None:
        self.bmc.mode = "hung"
        outcome = self._fence()
        self.assertIn("no answer", outcome.error)
        self.assertAlmostEqual(CALL, self.took, 1)
        self.assertFalse(outcome.off_sent)

    def test_refuses(self) -> None:
        self.bmc.mode = "refuses"
        outcome = self._fence()
        self.assertIn("refused and on", outcome.error)
        self.assertTrue(self.machine.power)
        # Its state decides.
        self.machine.power_off()
        self.assertIsNotNone(self._fence().evidence)

    def test_deaf(self) -> None:
        self.bmc.mode = "deaf"
        outcome = self._fence()
        self.assertIsNone(outcome.evidence)
        self.assertTrue(self.machine.power)
        self.assertGreater(self.took, DEADLINE)

    def test_lies_off(self) -> None:
        self.bmc.mode = "lies-off"
        self.assertIs(ON, self._state())
        self.assertIsNotNone(self._fence().evidence)
        self.assertTrue(self.machine.power)
        self.assertIs(OFF, self._state())
        self.bmc.mend()
        self.assertIs(ON, self._state())

    def test_lies_on(self) -> None:
        self.bmc.mode = "lies-on"
        self.assertIsNone(self._fence().evidence)
        self.assertFalse(self.machine.power)
        self.assertIs(ON, self._state())

    def test_dead(self) -> None:
        self.bmc.mode = "dead"
        outcome = self._fence()
        self.assertIn("no connection", outcome.error)
        self.assertAlmostEqual(CALL, self.took, 1)
        error = self._run(lambda: self.fencing.power_on(HOST))
        self.assertIsInstance(error, exception.DeviceUnreachable)

    def test_denied_is_asked_once_until_it_is_mended(self) -> None:
        self.bmc.mode = "denied"
        self.assertIs(UNKNOWN, self._state())
        self.bmc.mode = "denied"
        self._fence()
        self.assertLess(self.took, 0.001)
        self.bmc.mode = "prompt"
        self.assertIs(ON, self._state())

    def test_unknown_mode(self) -> None:
        with self.assertRaises(ValueError):
            self.bmc.mode = "moody"

    def test_wrong_cable(self) -> None:
        self.bmc.controls = self.other
        self.assertIsNotNone(self._fence().evidence)
        self.assertTrue(self.machine.power)
        self.assertFalse(self.other.power)
        self.assertEqual(
            self.other.system_uuid,
            self._run(lambda: self.fencing.system_uuid(HOST)),
        )
        self.bmc.mend()
        self.assertIs(ON, self._state())

    def test_dies_with_the_feed_of_its_host(self) -> None:
        self.machine.lose_feed()
        self.assertIs(OFF, self._state())
        self.bmc.dead_with_host = True
        self.assertIs(UNKNOWN, self._state())
        self.machine.restore_feed()
        self.assertIs(ON, self._state())


class NetworkTest(DevicesCase):
    def test_either_end_can_be_cut(self) -> None:
        for node in ("engine-1", "cmp1"):
            self.networks.cut(node, network.Network.BMC)
            self.assertIs(UNKNOWN, self._state())
            self.networks.join(node, network.Network.BMC)
            self.assertIs(ON, self._state())

    def test_lost_answer_does_not_undo_the_command(self) -> None:
        # Cut when the command is at the device.
        original = self.bmc.power_off

        def power_off() -> None:
            original()
            self.networks.cut("engine-1", network.Network.BMC)

        self.bmc.power_off = power_off
        outcome = self._fence()
        self.assertIsNone(outcome.evidence)
        self.assertTrue(outcome.off_sent)
        self.assertIn("timeout", outcome.attempts[1].result)
        self.assertFalse(self.machine.power)

    def test_engine_killed_under_way_sends_nothing(self) -> None:
        self.program.spawn(lambda: self.fencing.fence(HOST, permit), "fence")
        self.kernel.run(0.03)
        self.program.kill()
        self.kernel.run(60.0)
        self.assertEqual(0, self._count("bmc.off-sent"))
        self.assertTrue(self.machine.power)


class RealFencingTest(DevicesCase):
    """The product's levels and round decide."""

    def test_guard_comes_before_the_command(self) -> None:
        def forbid() -> None:
            raise exception.FenceAborted("it lives", alive=True)

        outcome = self._fence(forbid)
        self.assertTrue(outcome.alive)
        self.assertEqual(0, self._count("bmc.off-sent"))

    def test_next_level_and_its_memory(self) -> None:
        strip = self._bmc(name="strip")
        self.bmc.mode = "refuses"
        self.fencing = self._fencing([[self.bmc], [strip]])
        outcome = self._fence()
        self.assertEqual("strip", outcome.evidence.by)
        self.bmc.mode = "lies-on"
        self.assertIs(OFF, self._state())

    def test_host_without_a_device(self) -> None:
        self.assertFalse(self.fencing.has_device(model.HostName("cmp9")))
        self.assertTrue(self.fencing.has_device(HOST))

    def test_journal_tells_commands_and_answers(self) -> None:
        self._fence()
        self._run(lambda: self.fencing.power_on(HOST))
        sent = [
            (entry.who, entry.what, entry.details["device"])
            for entry in self.journal.entries
            if entry.what in ("bmc.off-sent", "bmc.off-done", "bmc.on-sent")
        ]
        self.assertEqual(
            [
                ("engine-1", "bmc.off-sent", "bmc-cmp1"),
                ("cmp1", "bmc.off-done", "bmc-cmp1"),
                ("engine-1", "bmc.on-sent", "bmc-cmp1"),
            ],
            sent,
        )
        states = [
            entry.details["state"]
            for entry in self.journal.entries
            if entry.what == "bmc.read"
        ]
        self.assertEqual(["on", "off"], [states[0], states[-1]])
