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


"""One contract, for every fence driver, on a device that really obeys,
refuses, lies, hangs or is dead.

Times are real here: the devices are. Nothing sleeps; what is measured is
what a call took.
"""

import glob
import pathlib
import threading
import time

import fixtures

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import identity
from tests import base
from tests.contract.fencing import benches

HOST = benches.HOST


def permit() -> None:
    """A guard that lets everything pass."""


class Contract:
    """What every driver must do; see the subclasses for the devices."""

    bench_class: type[benches.Bench]

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        directory = self.useFixture(fixtures.TempDir()).path
        self.bench = self.bench_class(directory)
        self.addCleanup(self.bench.stop)

    # -- a device that works -------------------------------------------------

    def test_reads_on(self) -> None:
        self.bench.start()
        reading = self.bench.topology().power_state(HOST)
        self.assertEqual("", reading.error)
        self.assertIs(model.PowerState.ON, reading.state)

    def test_power_off_is_seen_before_it_counts(self) -> None:
        self.bench.start()
        topology = self.bench.topology()
        outcome = topology.fence(HOST, permit)
        # In this order: the truth at the moment of the evidence.
        self.assertFalse(self.bench.really_on())
        self.assertIsNotNone(outcome.evidence, outcome)
        self.assertTrue(outcome.off_sent)
        self.assertEqual("bmc", outcome.evidence.by)
        self.assertEqual(
            model.EvidenceKind.POWER_OFF_OBSERVED, outcome.evidence.kind
        )
        told = [(each.command, each.result) for each in outcome.attempts]
        self.assertEqual([("status", "on"), ("off", "accepted")], told[:2])
        self.assertEqual(("status", "off"), told[-1])
        self.assertIs(model.PowerState.OFF, topology.power_state(HOST).state)

    def test_already_off_needs_no_command(self) -> None:
        self.bench.start()
        topology = self.bench.topology()
        self.assertIsNotNone(topology.fence(HOST, permit).evidence)

        def forbid() -> None:
            self.fail("no command is due, so the guard need not be asked")

        outcome = topology.fence(HOST, forbid)
        self.assertIsNotNone(outcome.evidence)
        self.assertFalse(outcome.off_sent)
        self.assertEqual(
            [("status", "off")],
            [(each.command, each.result) for each in outcome.attempts],
        )

    def test_power_on(self) -> None:
        self.bench.start()
        topology = self.bench.topology()
        self.assertIsNotNone(topology.fence(HOST, permit).evidence)
        topology.power_on(HOST)
        self._wait_for(topology, model.PowerState.ON)
        self.assertTrue(self.bench.really_on())

    def _wait_for(self, topology, state) -> None:
        deadline = time.monotonic() + self.bench.obeys_within
        while topology.power_state(HOST).state is not state:
            self.assertLess(time.monotonic(), deadline)

    def test_system_uuid(self) -> None:
        self.bench.start()
        reported = self.bench.topology().system_uuid(HOST)
        self.assertTrue(identity.same_system(self.bench.uuid, reported))

    def test_guard_has_the_last_word(self) -> None:
        self.bench.start()

        def alive() -> None:
            raise exception.FenceAborted("its beacon is back", alive=True)

        outcome = self.bench.topology().fence(HOST, alive)
        self.assertIsNone(outcome.evidence)
        self.assertEqual("its beacon is back", outcome.aborted)
        self.assertTrue(outcome.alive)
        self.assertFalse(outcome.off_sent)
        self.assertTrue(self.bench.really_on())

    # -- devices that do not -------------------------------------------------

    def test_slow_off_is_waited_for(self) -> None:
        least = self.bench.start_slow()
        began = time.monotonic()
        outcome = self.bench.topology().fence(HOST, permit)
        self.assertFalse(self.bench.really_on())
        self.assertIsNotNone(outcome.evidence, outcome)
        self.assertGreaterEqual(time.monotonic() - began, least)

    def test_refusal_with_power_on_is_a_failure(self) -> None:
        self.bench.start_refusing()
        outcome = self.bench.topology().fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertTrue(outcome.off_sent)
        self.assertIn("refused", outcome.error)

    def test_accepted_command_is_no_evidence(self) -> None:
        self.bench.start_lying()
        outcome = self.bench.topology(fence_timeout=2).fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertIn("2 s after the command", outcome.error)
        self.assertEqual("accepted", outcome.attempts[1].result)

    def test_hung_device_costs_one_call(self) -> None:
        self.bench.start()
        topology = self.bench.topology()
        self.bench.hang()
        began = time.monotonic()
        reading = topology.power_state(HOST)
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertNotEqual("", reading.error)
        outcome = topology.fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertFalse(outcome.off_sent)
        self.assertLess(time.monotonic() - began, 2 * benches.CALL_TIMEOUT + 2)

    def test_dead_device(self) -> None:
        self.bench.start()
        topology = self.bench.topology()
        self.bench.stop()
        reading = topology.power_state(HOST)
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertIn("unreachable", reading.error)
        self.assertIsNone(topology.fence(HOST, permit).evidence)

    def test_wrong_password_is_tried_once(self) -> None:
        self.bench.start()
        topology = self.bench.topology(password="wrong")
        reading = topology.power_state(HOST)
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertIn("credentials", reading.error)
        # Would cost a time-out if it were asked again.
        self.bench.hang()
        began = time.monotonic()
        outcome = topology.fence(HOST, permit)
        self.assertLess(time.monotonic() - began, 0.5)
        self.assertIsNone(outcome.evidence)
        self.assertIn("until the file changes", outcome.error)

    def test_corrected_password_is_taken_up(self) -> None:
        self.bench.start()
        topology = self.bench.topology(password="wrong")
        self.assertIn("credentials", topology.power_state(HOST).error)
        self.bench.topology()  # writes the file anew
        self.assertIs(model.PowerState.ON, topology.power_state(HOST).state)

    def test_hung_device_does_not_delay_another_host(self) -> None:
        self.bench.start()
        hung = self.bench_class(self.useFixture(fixtures.TempDir()).path)
        self.addCleanup(hung.stop)
        hung.start()
        other = model.HostName("compute-2")
        topology = benches.open_topology(
            self.bench.directory,
            {"bmc": self.bench.device(), "hung": hung.device()},
            {HOST: [["bmc"]], other: [["hung"]]},
        )
        hung.hang()
        waiting = threading.Thread(target=topology.fence, args=(other, permit))
        waiting.start()
        began = time.monotonic()
        reading = topology.power_state(HOST)
        took = time.monotonic() - began
        hung_meanwhile = waiting.is_alive()
        waiting.join()
        self.assertIs(model.PowerState.ON, reading.state)
        self.assertLess(took, 1.0)
        self.assertTrue(hung_meanwhile)

    def test_next_level_is_tried(self) -> None:
        self.bench.start()
        dead = self.bench_class(self.useFixture(fixtures.TempDir()).path)
        self.addCleanup(dead.stop)
        dead.start()
        topology = benches.open_topology(
            self.bench.directory,
            {"bmc": self.bench.device(), "dead": dead.device()},
            {HOST: [["dead"], ["bmc"]]},
        )
        dead.stop()
        outcome = topology.fence(HOST, permit)
        self.assertFalse(self.bench.really_on())
        self.assertEqual("bmc", outcome.evidence.by)
        self.assertIn("level 2", outcome.evidence.detail)

    # -- secrets -------------------------------------------------------------

    def test_secrets_do_not_show(self) -> None:
        self.bench.start()
        topology = self.bench.topology()
        self.bench.hang()
        call = threading.Thread(target=topology.power_state, args=(HOST,))
        call.start()
        lines = set()
        while call.is_alive():
            lines |= _command_lines()
        call.join()
        self.assertEqual(
            [], [line for line in lines if benches.PASSWORD in line]
        )
        outcome = topology.fence(HOST, permit)
        for thing in (topology, outcome, topology.power_state(HOST)):
            self.assertNotIn(benches.PASSWORD, repr(thing))


def _command_lines() -> set[str]:
    lines = set()
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            lines.add(pathlib.Path(path).read_text(errors="replace"))
        except OSError:
            continue
    return lines


class FakeContractTest(Contract, base.TestCase):
    """The fake that other tests rely on keeps the contract too."""

    bench_class = benches.FakeBench


class IpmiContractTest(Contract, base.TestCase):
    """The ``ipmi`` driver and OpenIPMI's ``ipmi_sim``."""

    bench_class = benches.IpmiBench


class RedfishContractTest(Contract, base.TestCase):
    """The ``redfish`` driver and ``sushy-emulator``."""

    bench_class = benches.RedfishBench
