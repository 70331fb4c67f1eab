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

from nova_ha.core import model
from nova_ha.sim import journal
from nova_ha.sim import kernel
from nova_ha.sim import machines
from nova_ha.sim import network
from nova_ha.sim import services
from tests import base

ONE = model.InstanceId("one")
TWO = model.InstanceId("two")


class ShutGate(services.Gate):
    """Permits when the test says so."""

    def __init__(self) -> None:
        self.permits: list[services.Call] = []

    def ask(self, permit: services.Call) -> None:
        self.permits.append(permit)

    def cancel(self) -> None:
        self.permits.clear()


class MachineCase(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.kernel = kernel.Kernel()
        self.addCleanup(self.kernel.close)
        self.journal = journal.Journal(self.kernel)
        self.networks = network.Networks()
        self.machine = machines.Machine(
            self.kernel, self.networks, self.journal, "cmp1"
        )

    def _told(self) -> list[str]:
        """What has happened since the last time."""
        told = [entry.what for entry in self.journal.entries]
        self.journal.entries.clear()
        return told


class PowerTest(MachineCase):
    def test_power_off_ends_everything(self) -> None:
        self.machine.start_guest(TWO)
        self.machine.start_guest(ONE)
        program = self.machine.new_program()
        self.journal.entries.clear()
        self.machine.power_off()
        self.assertFalse(self.machine.power or self.machine.running)
        self.assertFalse(program.alive)
        self.assertEqual(set(), self.machine.guests)
        stopped = [
            entry.details["instance"]
            for entry in self.journal.entries
            if entry.what == "guest.stopped"
        ]
        self.assertEqual([ONE, TWO], stopped)

    def test_power_on_boots_something_new(self) -> None:
        before = (self.machine.boot_id, self.machine.incarnation)
        self.machine.power_off()
        off = self.machine.incarnation
        self.assertGreater(off, before[1])
        self.machine.power_on()
        self.kernel.run(19.9)
        self.assertFalse(self.machine.running)
        self.kernel.run(20.1)
        self.assertTrue(self.machine.running)
        self.assertNotEqual(before[0], self.machine.boot_id)
        self.assertGreater(self.machine.incarnation, off)
        self.assertEqual(
            ["machine.power-off", "machine.power-on", "machine.booted"],
            self._told(),
        )

    def test_boot_that_is_cut_short_does_not_happen(self) -> None:
        self.machine.power_off()
        self.machine.power_on()
        self.kernel.run(10.0)
        self.machine.power_off()
        self.machine.power_on()
        self.kernel.run(25.0)
        self.assertFalse(self.machine.running)
        self.kernel.run(30.0)
        self.assertTrue(self.machine.running)
        self.assertEqual(2, self.machine.boot)

    def test_crash_leaves_the_power_on(self) -> None:
        self.machine.start_guest(ONE)
        self.machine.crash()
        self.assertTrue(self.machine.power)
        self.assertFalse(self.machine.running)
        self.assertEqual(set(), self.machine.guests)
        self.assertFalse(self.machine.start_guest(ONE))
        # Its power is on already: only off and on again helps.
        self.machine.power_on()
        self.kernel.run(60.0)
        self.assertFalse(self.machine.running)
        self.machine.power_off()
        self.machine.power_on()
        self.kernel.run(120.0)
        self.assertTrue(self.machine.running)

    def test_reboot_comes_back_by_itself(self) -> None:
        self.machine.reboot(after=7.0)
        self.kernel.run(6.9)
        self.assertFalse(self.machine.running)
        self.assertTrue(self.machine.power)
        self.kernel.run(7.1)
        self.assertTrue(self.machine.running)

    def test_feed_brings_back_what_was_on(self) -> None:
        for on in (True, False):
            if not on:
                self.machine.power_off()
            self.machine.lose_feed()
            self.machine.lose_feed()
            self.machine.power_on()
            self.assertFalse(self.machine.power)
            self.machine.restore_feed()
            self.assertIs(on, self.machine.power)

    def test_what_makes_no_sense_changes_nothing(self) -> None:
        self.machine.power_off()
        state = (self.machine.incarnation, self.machine.boot)
        self.journal.entries.clear()
        for act in (
            self.machine.power_off,
            self.machine.crash,
            self.machine.freeze,
            self.machine.thaw,
            self.machine.shutdown,
            self.machine.restore_feed,
            lambda: self.machine.reboot(1.0),
            lambda: self.machine.stop_guest(ONE),
            self.machine.start_agent,
            self.machine.stop_compute,
        ):
            act()
        self.kernel.run(60.0)
        self.assertEqual([], self._told())
        self.assertEqual(state, (self.machine.incarnation, self.machine.boot))

    def test_frozen_machine_loses_nothing(self) -> None:
        program = self.machine.new_program()
        self.machine.start_guest(ONE)
        self.machine.freeze()
        self.assertTrue(program.frozen)
        self.assertFalse(self.machine.start_guest(TWO))
        self.machine.stop_guest(ONE)
        self.assertEqual({ONE}, self.machine.guests)
        self.machine.thaw()
        self.assertFalse(program.frozen)
        self.machine.freeze()
        self.machine.power_off()
        self.assertFalse(self.machine.frozen)
        self.assertFalse(program.alive)

    def test_shutdown_takes_its_time(self) -> None:
        self.machine.start_guest(ONE)
        self.machine.shutdown()
        self.assertTrue(self.machine.shutting_down)
        self.kernel.run(machines.SHUTDOWN_SECONDS / 2)
        self.assertEqual(set(), self.machine.guests)
        self.assertTrue(self.machine.power)
        self.kernel.run(machines.SHUTDOWN_SECONDS)
        self.assertFalse(self.machine.power)
        self.assertFalse(self.machine.shutting_down)

    def test_shutdown_that_freezes_goes_on_afterwards(self) -> None:
        self.machine.start_guest(ONE)
        self.machine.shutdown()
        self.machine.freeze()
        self.kernel.run(60.0)
        self.assertEqual({ONE}, self.machine.guests)
        self.machine.thaw()
        self.kernel.run(80.0)
        self.assertFalse(self.machine.power)

    def test_clocks_of_its_programs(self) -> None:
        self.machine.drift = 0.5
        early = self.machine.new_program()
        self.machine.step_clock(-3600.0)
        late = self.machine.new_program("late")
        self.assertEqual("cmp1", early.name)
        self.assertEqual("cmp1/late", late.name)
        self.assertEqual(early.clock.utcnow(), late.clock.utcnow())
        self.kernel.run(10.0)
        self.assertEqual(1015.0, early.clock.monotonic())

    def test_ids_are_the_same_in_every_run(self) -> None:
        again = machines.Machine(
            self.kernel, self.networks, self.journal, "cmp1"
        )
        other = machines.Machine(
            self.kernel, self.networks, self.journal, "cmp2"
        )
        for name in ("machine_id", "system_uuid", "boot_id"):
            mine = getattr(self.machine, name)
            self.assertEqual(mine, getattr(again, name))
            self.assertNotEqual(mine, getattr(other, name))


class ServicesTest(MachineCase):
    def setUp(self) -> None:
        super().setUp()
        self.order: list[str] = []
        self.machine.boots.append(lambda machine: self._mark("boot"))
        self.machine.falls.append(lambda machine: self._mark("fall"))
        for name in ("agent", "compute"):
            service = getattr(self.machine, name)
            for list_ in ("starts", "stops", "kills"):
                getattr(service, list_).append(
                    lambda name=name, list_=list_: self._mark(
                        f"{name}.{list_}"
                    )
                )

    def _mark(self, what: str) -> None:
        self.order.append(what)

    def _taken(self) -> list[str]:
        taken, self.order = self.order, []
        return taken

    def test_order_of_a_life(self) -> None:
        self.machine.start()
        up = ["boot", "agent.starts", "compute.starts"]
        self.assertEqual(up, self._taken())
        self.machine.reboot(after=5.0)
        down = ["agent.kills", "compute.kills", "fall"]
        self.assertEqual(down, self._taken())
        self.kernel.run(10.0)
        self.assertEqual(up, self._taken())
        self.machine.shutdown()
        self.assertEqual(["compute.stops", "agent.stops"], self._taken())
        self.kernel.run(30.0)
        self.assertEqual(["fall"], self._taken())

    def test_disabled_service_stays_down(self) -> None:
        self.machine.compute.enabled = False
        self.machine.start()
        self.assertEqual(["boot", "agent.starts"], self._taken())
        self.machine.start_compute()
        self.assertEqual(["compute.starts"], self._taken())

    def test_frozen_machine_starts_and_stops_nothing(self) -> None:
        self.machine.start()
        self._taken()
        self.machine.freeze()
        self.machine.stop_agent()
        self.machine.stop_compute()
        self.assertEqual([], self._taken())
        self.machine.kill_compute()
        self.machine.start_compute()
        self.assertEqual(["compute.kills"], self._taken())

    def test_gate_comes_before_compute_except_at_the_beginning(self) -> None:
        gate = self.machine.compute.gate = ShutGate()
        self.machine.start()
        self.assertEqual([], gate.permits)
        self.assertTrue(self.machine.may_start_guests())
        self.machine.reboot(after=1.0)
        self.kernel.run(2.0)
        self.assertFalse(self.machine.may_start_guests())
        self.assertNotIn("compute.starts", self._taken()[3:])
        gate.permits[0]()
        self.assertTrue(self.machine.may_start_guests())
        self.assertEqual(["compute.starts"], self._taken())
