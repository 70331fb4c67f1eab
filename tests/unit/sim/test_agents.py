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


import datetime

from nova_ha.coordination import credentials
from nova_ha.coordination import paths as paths_mod
from nova_ha.coordination import reading
from nova_ha.coordination import tree
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.sim import agents
from nova_ha.sim import journal
from nova_ha.sim import kernel
from nova_ha.sim import machines
from nova_ha.sim import network
from nova_ha.sim import shared_storage
from nova_ha.sim import zookeeper
from tests import base

HOST = model.HostName("cmp1")
ONE = model.InstanceId("one")
T = 10.0
PATHS = paths_mod.Paths("simulated")


class AgentsCase(base.TestCase):
    heartbeats = False

    def setUp(self) -> None:
        super().setUp()
        self.kernel = kernel.Kernel(seed=1)
        self.addCleanup(self.kernel.close)
        self.journal = journal.Journal(self.kernel)
        self.networks = network.Networks()
        self.ensemble = zookeeper.Ensemble(
            self.kernel, self.networks, self.journal
        )
        self.machine = machines.Machine(
            self.kernel, self.networks, self.journal, HOST
        )
        self.share = shared_storage.Share(self.kernel, self.networks)
        self.agent = agents.SimAgent(
            self.machine,
            self.ensemble,
            PATHS,
            timeout=T,
            share=self.share if self.heartbeats else None,
        )
        operator = kernel.Program(self.kernel, "operator")
        self.tree = self.ensemble.client(operator, "operator", user="operator")
        tree.init_tree(self.tree, PATHS, zookeeper.IDS)
        own = zookeeper.host_identity(HOST)
        credentials.enrol(self.tree, PATHS, HOST, own)
        self.machine.start()
        self._after(5.0)

    def _after(self, seconds: float) -> None:
        self.kernel.run(self.kernel.now + seconds)

    def _facts(self) -> model.HostFacts:
        return reading.HostReader(self.tree, PATHS).read([HOST])[HOST]

    def _failed(self) -> dict[str, str]:
        beacon = self._facts().beacon
        return {check.name: check.detail for check in beacon.failed_checks}

    def _programs(self) -> list[str]:
        """Those that ZooKeeper has a session of."""
        return [session.program for session in self.ensemble.sessions()]

    def _told(self, what: str) -> list[str]:
        return [
            entry.message
            for entry in self.journal.entries
            if entry.what == what
        ]


class SimAgentTest(AgentsCase):
    def test_shows_its_machine(self) -> None:
        beacon = self._facts().beacon
        self.assertEqual(self.machine.boot_id, beacon.boot_id)
        self.assertEqual(self.machine.machine_id, beacon.machine_id)
        self.assertEqual(self.machine.system_uuid, beacon.system_uuid)
        self.assertEqual((), beacon.colocated)
        self.assertEqual({}, self._failed())

    def test_tells_the_guests(self) -> None:
        self.machine.start_guest(ONE)
        self._after(6.0)
        first = self._facts().inventory
        self.assertEqual(frozenset({ONE}), first.guests)
        self.machine.stop_guest(ONE)
        self._after(6.0)
        second = self._facts().inventory
        self.assertEqual(frozenset(), second.guests)
        self.assertGreater(second.sequence, first.sequence)

    def test_crash_ends_the_session_without_a_word(self) -> None:
        self.machine.crash()
        self._after(T / 2)
        self.assertIsNotNone(self._facts().beacon)
        self._after(T)
        facts = self._facts()
        self.assertIsNone(facts.beacon)
        self.assertIsNone(facts.goodbye)
        self.assertEqual(["killed"], self._told("agent.stopped"))

    def test_killed_agent_goes_like_a_crashed_machine(self) -> None:
        self.machine.kill_agent()
        self._after(2.0)
        self.assertIsNotNone(self._facts().beacon)
        self._after(T)
        facts = self._facts()
        self.assertIsNone(facts.beacon)
        self.assertIsNone(facts.goodbye)
        self.machine.start_agent()
        self._after(3.0)
        self.assertIsNotNone(self._facts().beacon)

    def test_stopped_agent_says_goodbye(self) -> None:
        self.machine.stop_agent()
        self._after(1.0)
        facts = self._facts()
        self.assertIsNone(facts.beacon)
        self.assertIs(model.GoodbyeReason.STOP, facts.goodbye.reason)
        self.assertEqual(["stopped"], self._told("agent.stopped"))
        self.assertNotIn(HOST, self._programs())

    def test_restart_waits_for_the_goodbye(self) -> None:
        self.machine.stop_agent()
        self.machine.start_agent()
        self._after(5.0)
        facts = self._facts()
        self.assertIsNotNone(facts.beacon)
        self.assertIsNone(facts.goodbye)
        self.assertEqual(
            ["agent.started", "agent.stopped", "agent.started"],
            [
                entry.what
                for entry in self.journal.entries
                if entry.what.startswith("agent.")
            ],
        )

    def test_agent_stopped_before_it_was_up(self) -> None:
        self.machine.kill_agent()
        self.machine.start_agent()
        self.machine.stop_agent()
        self._after(5.0)
        self.assertEqual(
            ["killed", "stopped before it was up"],
            self._told("agent.stopped"),
        )

    def test_shutdown_says_so(self) -> None:
        self.machine.shutdown()
        self._after(machines.SHUTDOWN_SECONDS)
        goodbye = self._facts().goodbye
        self.assertIs(model.GoodbyeReason.SHUTDOWN, goodbye.reason)
        self.assertFalse(self.machine.power)

    def test_frozen_machine_loses_its_session_and_shows_itself_again(
        self,
    ) -> None:
        before = self._facts().beacon
        self.machine.freeze()
        self._after(2 * T)
        self.assertIsNone(self._facts().beacon)
        self.machine.thaw()
        self._after(5.0)
        after = self._facts().beacon
        self.assertEqual(before.boot_id, after.boot_id)
        self.assertNotEqual(before.session, after.session)

    def test_reboot_shows_a_new_boot(self) -> None:
        before = self._facts().beacon
        self.machine.reboot(after=5.0)
        self._after(10.0)
        after = self._facts().beacon
        self.assertNotEqual(before.boot_id, after.boot_id)

    def test_cut_off_machine_comes_back(self) -> None:
        self.networks.cut(HOST, network.Network.MANAGEMENT)
        self._after(2 * T)
        self.assertIsNone(self._facts().beacon)
        self.networks.join(HOST, network.Network.MANAGEMENT)
        self._after(5.0)
        self.assertIsNotNone(self._facts().beacon)

    def test_colocated_services_are_told(self) -> None:
        self.agent.colocated = ("engine",)
        self.machine.stop_agent()
        self.machine.start_agent()
        self._after(5.0)
        self.assertEqual(("engine",), self._facts().beacon.colocated)

    def test_name_that_another_machine_speaks_for(self) -> None:
        """It gives up, and is started again, until the name is free."""
        double = machines.Machine(
            self.kernel, self.networks, self.journal, HOST
        )
        double.machine_id = "another"
        agents.SimAgent(double, self.ensemble, PATHS, timeout=T)
        double.start()
        self._after(5.0)
        self.assertEqual(
            self.machine.machine_id, self._facts().beacon.machine_id
        )
        self.assertIn("another machine", self._told("agent.stopped")[0])
        self.machine.power_off()
        self._after(2 * T)
        self.assertEqual("another", self._facts().beacon.machine_id)


class ChecksTest(AgentsCase):
    def test_made_to_fail(self) -> None:
        self.machine.checks["compute_service"] = False
        self._after(11.0)
        self.assertEqual({"compute_service"}, set(self._failed()))
        self.machine.checks["compute_service"] = True
        self._after(11.0)
        self.assertEqual({}, self._failed())

    def test_storage_that_is_cut_off(self) -> None:
        self.networks.cut(HOST, network.Network.STORAGE)
        self._after(16.0)
        self.assertEqual(
            {"instances_path": "no answer within 5 s"}, self._failed()
        )
        self.assertTrue(self._facts().beacon)

    def test_nova_compute_that_does_not_run(self) -> None:
        self.machine.kill_compute()
        self._after(11.0)
        self.assertEqual({"compute_service"}, set(self._failed()))

    def test_libvirt_that_does_not_answer_leaves_no_inventory(self) -> None:
        self._after(6.0)
        before = self._facts().inventory
        self.machine.checks["libvirt"] = False
        self.machine.start_guest(ONE)
        self._after(21.0)
        after = self._facts().inventory
        self.assertLessEqual(after.sequence, before.sequence + 1)
        self.assertNotIn(ONE, after.guests)
        self.assertEqual({"libvirt", "guests"}, set(self._failed()))


class StartGateTest(AgentsCase):
    def _open_case(self, state: model.CaseState) -> None:
        case = model.RecoveryCase(
            id=model.CaseId("case"),
            host=HOST,
            boot_id=self.machine.boot_id,
            state=state,
            verdict=model.Verdict(
                kind=model.VerdictKind.DOWN,
                reason=model.Reason.ALL_SILENT,
            ),
            opened_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        )
        path = PATHS.case(HOST)
        self.ensemble.write(path, codec.encode(case, path))

    def test_opens_where_no_case_is(self) -> None:
        self.machine.reboot(after=5.0)
        self._after(5.0)
        self.assertFalse(self.machine.may_start_guests())
        self._after(1.0)
        self.assertTrue(self.machine.may_start_guests())
        living = [one.name for one in self.kernel.programs if one.alive]
        self.assertNotIn("cmp1/wait-ready", living)

    def test_waits_for_the_end_of_an_evacuation(self) -> None:
        self._open_case(model.CaseState.EVACUATING)
        self.machine.reboot(after=5.0)
        self._after(60.0)
        self.assertFalse(self.machine.may_start_guests())
        self.assertIn("being evacuated", self.agent.gate.said)
        self._open_case(model.CaseState.RETURNING)
        self._after(2.0)
        self.assertTrue(self.machine.may_start_guests())

    def test_waits_for_zookeeper(self) -> None:
        self.networks.cut(HOST, network.Network.MANAGEMENT)
        self.machine.reboot(after=5.0)
        self._after(60.0)
        self.assertFalse(self.machine.may_start_guests())
        self.assertIn("cannot be reached", self.agent.gate.said)

    def test_is_asked_again_at_every_start(self) -> None:
        self.machine.kill_compute()
        self._open_case(model.CaseState.FENCED)
        self.machine.start_compute()
        self._after(10.0)
        self.assertFalse(self.machine.may_start_guests())
        self.ensemble.delete(PATHS.case(HOST))
        self._after(2.0)
        self.assertTrue(self.machine.may_start_guests())

    def test_start_that_is_called_off_leaves_nobody_waiting(self) -> None:
        self._open_case(model.CaseState.FENCED)
        self.machine.kill_compute()
        self.machine.start_compute()
        self._after(5.0)
        self.assertIn("cmp1/wait-ready", self._programs())
        self.machine.kill_compute()
        self._after(2 * T)
        self.assertNotIn("cmp1/wait-ready", self._programs())
        self.ensemble.delete(PATHS.case(HOST))
        self._after(5.0)
        self.assertFalse(self.machine.may_start_guests())
