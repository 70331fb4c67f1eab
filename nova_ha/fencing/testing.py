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

"""The contract of fence drivers, as tests: for ours, and for yours.

A driver's author writes a :class:`Bench`, which starts a device (an emulator,
or a stub) and its faults, and a test that derives from
:class:`DriverContract`::

    class RelayContractTest(testing.DriverContract):
        bench_class = RelayBench

Times are real here, as the devices are. Nothing sleeps; what is measured is
what a call took.
"""

import abc
import json
import pathlib
import tempfile
import threading
import unittest
from collections.abc import Callable, Mapping, Sequence

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import bystander
from nova_ha.fencing import identity
from nova_ha.fencing import loader
from nova_ha.fencing import topology as topology_module

HOST = model.HostName("compute-1")
PASSWORD = "s3cretOfTheBmc"
"""What a bench gives its device as password, so that it can be searched
for."""

_CLOCK = clock_module.SystemClock()

_OTHER_UUID = "7a1c0de5-2f7e-4b0c-9c53-6f3e5d0a9b11"


class Bench(abc.ABC):
    """A device of one host, and the topology that leads to it."""

    driver: str
    """Its name in ``fencing.yaml``."""

    call_timeout = 3.0
    """Seconds that one call may take."""

    obeys_within = 5.0
    """Seconds in which this device shows what it was told."""

    tells_refusal = True
    """Whether it can be told from others that an order was refused; where
    not, the deadline has to pass."""

    dead_is = "unreachable"
    """What is said of a device that is not there (a regular expression)."""

    tells_credentials = True
    """Whether a rejected password can be told from silence."""

    def __init__(self, directory: str) -> None:
        """:param directory: a new one, to be used as it likes."""
        self.directory = pathlib.Path(directory)

    @abc.abstractmethod
    def parameters(self) -> dict[str, object]:
        """What ``fencing.yaml`` says of the device, beside its driver; its
        ``password`` is :data:`PASSWORD`, if it has one."""

    @abc.abstractmethod
    def start(self) -> None:
        """A device that works, of a host that is on."""

    @abc.abstractmethod
    def start_refusing(self) -> None:
        """A device that does not execute power-off."""

    @abc.abstractmethod
    def start_lying(self) -> None:
        """A device that accepts power-off and stays on."""

    @abc.abstractmethod
    def start_slow(self) -> float:
        """A device that takes its time; returns the least seconds."""

    @abc.abstractmethod
    def hang(self) -> None:
        """From now on it takes connections and never answers."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Nothing listens any more. Idempotent."""

    @abc.abstractmethod
    def really_on(self) -> bool:
        """The truth, by a way that does not lead over the driver."""

    @property
    @abc.abstractmethod
    def uuid(self) -> str:
        """Of the machine, as the device tells it; empty if it does not."""

    def find_driver(self, name: str) -> type[base.FenceDriver]:
        """The driver, as installed; a driver that is not installed yet
        gives its class here."""
        return loader.find_driver(name)

    def topology(self, **overrides: object) -> topology_module.Topology:
        """A topology of this one device, changed by ``overrides``."""
        return self.topology_of(
            {"bmc": self.device(**overrides)}, {HOST: [["bmc"]]}
        )

    def topology_of(
        self,
        devices: Mapping[str, Mapping[str, object]],
        hosts: Mapping[model.HostName, Sequence[Sequence[str]]],
    ) -> topology_module.Topology:
        """Write fencing.yaml into the bench's directory, and load it."""
        path = self.directory / "fencing.yaml"
        rules = {name: {"levels": levels} for name, levels in hosts.items()}
        path.touch(mode=0o600)
        # JSON is YAML, and quotes everything.
        path.write_text(json.dumps({"devices": devices, "hosts": rules}))
        return topology_module.Topology(
            str(path), _CLOCK, find_driver=self.find_driver
        )

    def device(self, **overrides: object) -> dict[str, object]:
        """The device's entry in fencing.yaml."""
        return {
            "driver": self.driver,
            "call_timeout": self.call_timeout,
            **self.parameters(),
            **overrides,
        }


class DriverContract(unittest.TestCase):
    """What every driver must do."""

    bench_class: type[Bench]

    def setUp(self) -> None:
        super().setUp()
        self.bench = self._new_bench()

    def _new_bench(self) -> Bench:
        directory = tempfile.TemporaryDirectory(prefix="nova-ha-")
        self.addCleanup(directory.cleanup)
        bench = self.bench_class(directory.name)
        self.addCleanup(bench.stop)
        return bench

    # -- a device that works -------------------------------------------------

    def test_reads_on(self) -> None:
        self.bench.start()
        reading = self.bench.topology().power_state(HOST)
        self.assertEqual("", reading.error)
        self.assertIs(model.PowerState.ON, reading.state)

    def test_power_off_is_seen_before_it_counts(self) -> None:
        self.bench.start()
        fencing = self.bench.topology()
        outcome = fencing.fence(HOST, permit)
        # In this order: the truth at the moment of the evidence.
        self.assertFalse(self.bench.really_on())
        evidence = self._proof(outcome)
        self.assertTrue(outcome.off_sent)
        self.assertEqual("bmc", evidence.by)
        self.assertEqual(model.EvidenceKind.POWER_OFF_OBSERVED, evidence.kind)
        told = [(each.command, each.result) for each in outcome.attempts]
        self.assertEqual([("status", "on"), ("off", "accepted")], told[:2])
        self.assertEqual(("status", "off"), told[-1])
        self.assertIs(model.PowerState.OFF, fencing.power_state(HOST).state)

    def _proof(self, outcome: model.FenceOutcome) -> model.FenceEvidence:
        if outcome.evidence is None:
            self.fail(f"no evidence: {outcome}")
        return outcome.evidence

    def test_another_machine_is_not_switched_off(self) -> None:
        """The host's agent tells another UUID than the device; one that
        tells none has to be trusted."""
        self.bench.start()
        outcome = self.bench.topology().fence(
            HOST, permit, system_uuid=_OTHER_UUID
        )
        tells = bool(self.bench.uuid)
        self.assertEqual(("bmc",) if tells else (), outcome.other_chassis)
        self.assertIs(tells, outcome.evidence is None)
        self.assertIs(tells, self.bench.really_on())

    def test_its_own_machine_is(self) -> None:
        self.bench.start()
        outcome = self.bench.topology().fence(
            HOST, permit, system_uuid=self.bench.uuid
        )
        self.assertEqual((), outcome.other_chassis)
        self.assertIsNotNone(outcome.evidence)

    def test_already_off_needs_no_command(self) -> None:
        self.bench.start()
        fencing = self.bench.topology()
        self.assertIsNotNone(fencing.fence(HOST, permit).evidence)

        def forbid() -> None:
            self.fail("no command is due, so the guard need not be asked")

        outcome = fencing.fence(HOST, forbid)
        self.assertIsNotNone(outcome.evidence)
        self.assertFalse(outcome.off_sent)
        self.assertEqual(
            [("status", "off")],
            [(each.command, each.result) for each in outcome.attempts],
        )

    def test_power_on(self) -> None:
        self.bench.start()
        fencing = self.bench.topology()
        self.assertIsNotNone(fencing.fence(HOST, permit).evidence)
        fencing.power_on(HOST)
        self._wait_for(fencing, model.PowerState.ON)
        self.assertTrue(self.bench.really_on())

    def _wait_for(
        self, fencing: topology_module.Topology, state: model.PowerState
    ) -> None:
        deadline = _CLOCK.monotonic() + self.bench.obeys_within
        while fencing.power_state(HOST).state is not state:
            self.assertLess(_CLOCK.monotonic(), deadline)

    def test_system_uuid(self) -> None:
        self.bench.start()
        reported = self.bench.topology().system_uuid(HOST)
        if self.bench.uuid:
            self.assertIsNotNone(reported)
            self.assertTrue(
                identity.same_system(self.bench.uuid, reported or "")
            )
        else:
            self.assertIsNone(reported)

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
        began = _CLOCK.monotonic()
        outcome = self.bench.topology().fence(HOST, permit)
        self.assertFalse(self.bench.really_on())
        self.assertIsNotNone(outcome.evidence, outcome)
        self.assertGreaterEqual(_CLOCK.monotonic() - began, least)

    def test_refusal_with_power_on_is_a_failure(self) -> None:
        self.bench.start_refusing()
        outcome = self.bench.topology(fence_timeout=4).fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertTrue(outcome.off_sent)
        words = "refused" if self.bench.tells_refusal else "after the command"
        self.assertIn(words, outcome.error)

    def test_accepted_command_is_no_evidence(self) -> None:
        self.bench.start_lying()
        outcome = self.bench.topology(fence_timeout=2).fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertIn("2 s after the command", outcome.error)
        self.assertEqual("accepted", outcome.attempts[1].result)

    def test_hung_device_costs_one_call(self) -> None:
        self.bench.start()
        fencing = self.bench.topology()
        self.bench.hang()
        began = _CLOCK.monotonic()
        reading = fencing.power_state(HOST)
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertNotEqual("", reading.error)
        outcome = fencing.fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertFalse(outcome.off_sent)
        self.assertLess(
            _CLOCK.monotonic() - began, 2 * self.bench.call_timeout + 2
        )

    def test_dead_device(self) -> None:
        self.bench.start()
        fencing = self.bench.topology()
        self.bench.stop()
        reading = fencing.power_state(HOST)
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        self.assertRegex(reading.error, self.bench.dead_is)
        self.assertIsNone(fencing.fence(HOST, permit).evidence)

    def test_wrong_password_is_tried_once(self) -> None:
        self.bench.start()
        fencing = self.bench.topology(password="wrong")
        reading = fencing.power_state(HOST)
        self.assertIs(model.PowerState.UNKNOWN, reading.state)
        if not self.bench.tells_credentials:
            return
        self.assertIn("credentials", reading.error)
        # Would cost a time-out if it were asked again.
        self.bench.hang()
        began = _CLOCK.monotonic()
        outcome = fencing.fence(HOST, permit)
        self.assertLess(_CLOCK.monotonic() - began, 0.5)
        self.assertIsNone(outcome.evidence)
        self.assertIn("until the file changes", outcome.error)

    def test_corrected_password_is_taken_up(self) -> None:
        self.bench.start()
        fencing = self.bench.topology(password="wrong")
        self.assertNotEqual("", fencing.power_state(HOST).error)
        self.bench.topology()  # writes the file anew
        self.assertIs(model.PowerState.ON, fencing.power_state(HOST).state)

    def test_hung_device_does_not_delay_another_host(self) -> None:
        self.bench.start()
        hung = self._new_bench()
        hung.start()
        other = model.HostName("compute-2")
        fencing = self.bench.topology_of(
            {"bmc": self.bench.device(), "hung": hung.device()},
            {HOST: [["bmc"]], other: [["hung"]]},
        )
        hung.hang()
        waiting = threading.Thread(target=fencing.fence, args=(other, permit))
        waiting.start()
        began = _CLOCK.monotonic()
        reading = fencing.power_state(HOST)
        took = _CLOCK.monotonic() - began
        hung_meanwhile = waiting.is_alive()
        waiting.join()
        self.assertIs(model.PowerState.ON, reading.state)
        self.assertLess(took, self.bench.call_timeout)
        self.assertTrue(hung_meanwhile)

    def test_next_level_is_tried(self) -> None:
        self.bench.start()
        dead = self._new_bench()
        dead.start()
        fencing = self.bench.topology_of(
            {"bmc": self.bench.device(), "dead": dead.device()},
            {HOST: [["dead"], ["bmc"]]},
        )
        dead.stop()
        outcome = fencing.fence(HOST, permit)
        self.assertFalse(self.bench.really_on())
        self.assertEqual("bmc", self._proof(outcome).by)
        self.assertIn("level 2", self._proof(outcome).detail)

    # -- evidence only -------------------------------------------------------

    def test_device_for_evidence_only_is_never_switched(self) -> None:
        self.bench.start()
        fencing = self.bench.topology(evidence_only=True)
        outcome = fencing.fence(HOST, permit)
        self.assertIsNone(outcome.evidence)
        self.assertFalse(outcome.off_sent)
        self.assertIn("for evidence only", outcome.error)
        with self.assertRaises(exception.DeviceRefused):
            fencing.power_on(HOST)
        self.assertTrue(self.bench.really_on())

    # -- secrets -------------------------------------------------------------

    def test_secrets_do_not_show(self) -> None:
        self.bench.start()
        fencing = self.bench.topology()
        seen = self.exposed(lambda: fencing.fence(HOST, permit))
        self.bench.hang()
        seen |= self.exposed(lambda: fencing.power_state(HOST))
        self.assertEqual(set(), seen)
        outcome = fencing.fence(HOST, permit)
        for thing in (fencing, outcome, fencing.power_state(HOST)):
            self.assertNotIn(PASSWORD, repr(thing))

    def exposed(self, call: Callable[[], object]) -> set[str]:
        """The command lines with the password that others can read while a
        call runs."""
        seen = bystander.command_lines_during(call)
        return {line for line in seen if PASSWORD in line}


def permit() -> None:
    """A guard that lets everything pass."""
