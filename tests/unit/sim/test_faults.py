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

"""Each verb does to the world what it says."""

from nova_ha.core import model
from nova_ha.sim import faults
from nova_ha.sim import network
from nova_ha.sim import script
from nova_ha.sim import verbs
from nova_ha.sim import world as world_mod
from tests import base
from tests.unit.sim import scripts

ONE = model.InstanceId("instance-1")
Server = network.Server


class TableTest(base.TestCase):
    def test_every_verb_does_something(self) -> None:
        self.assertEqual(set(verbs.VERBS), set(faults.ACTS))

    def test_every_end_that_is_promised_is_there(self) -> None:
        promised = {name for name, one in verbs.VERBS.items() if one.ends}
        self.assertEqual(promised, set(faults.ENDS))

    def test_each_is_explained_in_a_sentence(self) -> None:
        for verb in verbs.VERBS.values():
            self.assertRegex(verb.help, r"^(nova-ha|[A-Z]).*\.$", verb.name)


class FaultCase(base.TestCase):
    """A small cloud, in which faults happen at once."""

    cloud = scripts.CLOUD

    def setUp(self) -> None:
        super().setUp()
        made = scripts.parse(self.cloud)
        self.world = world_mod.World(made.cloud, made.policy, made.seed)
        self.addCleanup(self.world.close)
        self.host = self.world.machines["host-1"]
        self.now = 0.0

    def _do(self, text: str, seconds: float = 0.0) -> script.Fault:
        (fault,) = scripts.faults(f"at: 0, {text}")
        faults.begin(self.world, fault)
        self._pass(seconds)
        return fault

    def _end(self, fault: script.Fault, seconds: float = 0.0) -> None:
        faults.end(self.world, fault)
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        self.world.run(self.now)

    def _codes(self) -> list[str]:
        return [entry.what for entry in self.world.journal.entries]


class HostTest(FaultCase):
    def test_power(self) -> None:
        fault = self._do("power-off: host-1")
        self.assertFalse(self.host.power)
        self._end(fault)
        self.assertTrue(self.host.power)
        fault = self._do("power-feed-lost: host-1")
        self.assertFalse(self.host.power_feed)
        self._end(fault)
        self.assertTrue(self.host.power)

    def test_crash_and_reboot(self) -> None:
        self._do("crash: host-1")
        self.assertEqual((True, False), (self.host.power, self.host.running))
        other = self.world.machines["host-2"]
        self._do("reboot: host-2, after: 5")
        self.assertFalse(other.running)
        self._pass(6.0)
        self.assertTrue(other.running)

    def test_freeze_takes_hosts_and_engines(self) -> None:
        fault = self._do("freeze: [host-1, engine-1]")
        program = self.world.engines["engine-1"].program
        self.assertTrue(self.host.frozen and program and program.frozen)
        self._end(fault)
        self.assertFalse(self.host.frozen or program.frozen)

    def test_shutdown(self) -> None:
        self._do("shutdown: host-1", 15.0)
        self.assertFalse(self.host.power)

    def test_services(self) -> None:
        for service, verb in (
            (self.host.agent, "stop-agent"),
            (self.host.agent, "kill-agent"),
            (self.host.compute, "stop-compute"),
            (self.host.compute, "kill-compute"),
        ):
            fault = self._do(f"{verb}: host-1")
            self.assertFalse(service.running, verb)
            self._end(fault, 5.0)
            self.assertTrue(service.running, verb)

    def test_checks(self) -> None:
        fault = self._do("fail-check: host-1, check: libvirt")
        self.assertFalse(self.host.checks["libvirt"])
        self._end(fault)
        self.assertTrue(self.host.checks["libvirt"])

    def test_a_guest_behind_everyones_back(self) -> None:
        other = self.world.machines["host-2"]
        self._do("start-guest: host-2, instance: instance-1")
        self.assertIn(ONE, other.guests)
        self.assertTrue(self.world.checker.undetectable)

    def test_networks_and_links(self) -> None:
        reaches = self.world.networks.reaches
        fault = self._do("cut: host-1, network: storage")
        self.assertFalse(reaches("host-1", Server.STORAGE))
        self.assertTrue(reaches("host-1", Server.QUEUE))
        self._end(fault)
        fault = self._do("cut: host-1, from: queue")
        self.assertFalse(reaches("host-1", Server.QUEUE))
        self.assertTrue(reaches("host-1", Server.ZOOKEEPER))
        self._end(fault)
        fault = self._do("cut: host-1")
        self.assertFalse(any(reaches("host-1", one) for one in Server))
        self._end(fault)
        self.assertTrue(all(reaches("host-1", one) for one in Server))

    def test_devices(self) -> None:
        (bmc,) = self.world.bmcs["host-1"]
        fault = self._do("bmc: host-1, mode: slow, delay: 3, controls: host-2")
        self.assertEqual(("slow", 3.0), (bmc.mode, bmc.delay))
        self.assertIs(self.world.machines["host-2"], bmc.controls)
        self._end(fault)
        self.assertEqual("prompt", bmc.mode)
        self.assertIsNone(bmc.controls)

    def test_clocks(self) -> None:
        fault = self._do("step-clock: [host-1, engine-1], by: -30")
        engine = self.world.engines["engine-1"].program
        self.assertEqual(-30.0, engine and engine.clock.offset)
        self.assertEqual(-30.0, self.host.clock_offset)
        self._end(fault)
        self.assertEqual(0.0, self.host.clock_offset)


class FenceLevelTest(FaultCase):
    cloud = """
    cloud:
      hosts: [{name: host-1, bmc: [{mode: slow}, {mode: dead}]}]
    """

    def test_each_level_has_a_device_of_its_own(self) -> None:
        first, second = self.world.bmcs["host-1"]
        self.assertEqual(("slow", "dead"), (first.mode, second.mode))
        self.assertEqual(
            ("bmc-host-1", "bmc-host-1-2"), (first.name, second.name)
        )
        fault = self._do("bmc: host-1, level: 2, mode: hung")
        self.assertEqual(("slow", "hung"), (first.mode, second.mode))
        self._end(fault)
        self.assertEqual(("slow", "prompt"), (first.mode, second.mode))
        self._do("bmc: host-1, level: 3, mode: hung")
        self.assertEqual(("slow", "prompt"), (first.mode, second.mode))


class ServerTest(FaultCase):
    def test_zookeeper(self) -> None:
        ensemble = self.world.zookeeper
        fault = self._do("stop-zookeeper: ")
        self.assertFalse(ensemble.serving)
        self._end(fault)
        self.assertTrue(ensemble.serving)
        self._do("elect: , seconds: 3")
        self.assertFalse(ensemble.serving)
        self._pass(4.0)
        self.assertTrue(ensemble.serving)
        self._do("lose-followers: ")
        self._end(self._do("lag: , seconds: 1"))

    def test_a_session_expires(self) -> None:
        self._do("expire: host-1")
        self.assertIn("zookeeper.expired", self._codes())

    def test_a_kept_session_outlives_its_host(self) -> None:
        self._do("keep-session: host-1")
        self._do("crash: host-1", 60.0)
        self.assertNotIn("zookeeper.expired", self._codes())

    def test_poison(self) -> None:
        self._do('write-znode: , path: cases/host-1, data: "{"')
        path = f"{self.world.parts.paths.root}/cases/host-1"
        self.assertEqual(b"{", self.world.zookeeper.read(path))

    def test_a_thief_is_refused_what_agents_may_not_write(self) -> None:
        self._do("forge-znode: host-1, path: control, data: x", 1.0)
        self.assertIn("zookeeper.refused", self._codes())
        self.assertNotIn("zookeeper.written", self._codes())

    def test_a_thief_writes_what_agents_may(self) -> None:
        self._do("forge-znode: host-1, path: agents/host-1/x, data: x", 1.0)
        path = f"{self.world.parts.paths.root}/agents/host-1/x"
        self.assertEqual(b"x", self.world.zookeeper.read(path))
        self.assertIn("zookeeper.written", self._codes())

    def test_nova_is_down_or_slow(self) -> None:
        nova = self.world.nova
        usual = nova.api_latency
        fault = self._do("stop-nova: ")
        self.assertTrue(nova.api_down)
        self._end(fault)
        self.assertFalse(nova.api_down)
        fault = self._do("slow-nova: , seconds: 4")
        self.assertEqual(2.0, nova.api_latency)
        self._end(fault)
        self.assertEqual(usual, nova.api_latency)

    def test_novas_changes_and_rebuilds(self) -> None:
        self._do("lose-answers: , count: 2, kind: evacuate")
        self._do("lose-requests: ")
        self._do("delay-requests: , seconds: 30")
        self._do("rebuilds: , outcomes: [failed, stuck], seconds: 9")
        nova = self.world.nova
        self.assertEqual(["failed", "stuck"], list(nova.rebuild_outcomes))
        self.assertEqual((9.0, 9.0), nova.rebuild_seconds)

    def test_cells(self) -> None:
        fault = self._do("cell-down: [host-1, host-2]")
        self.assertEqual({"host-1", "host-2"}, self.world.nova.down_cells)
        self._end(fault)
        self.assertEqual(set(), self.world.nova.down_cells)

    def test_migrations(self) -> None:
        self._do("live-migrate: instance-1, to: host-2", 30.0)
        self.assertIn(ONE, self.world.machines["host-2"].guests)
        self._do("cold-migrate: instance-1, to: host-3", 30.0)
        self._do("confirm-resize: instance-1", 5.0)
        self.assertIn(ONE, self.world.machines["host-3"].guests)

    def test_what_owners_do(self) -> None:
        self._do("stop-instance: instance-1", 10.0)
        self.assertNotIn(ONE, self.host.guests)
        self._do("start-instance: instance-1", 10.0)
        self.assertIn(ONE, self.host.guests)
        self._do("pause-instance: instance-1", 5.0)
        self._do("suspend-instance: instance-4", 5.0)
        self._do("delete-instance: instance-1", 5.0)
        self.assertNotIn(ONE, self.world.nova.servers)

    def test_what_operators_do_to_services(self) -> None:
        nova = self.world.nova
        down = self._do("force-down: host-1")
        disabled = self._do("disable: host-1, reason: mine")
        service = nova.service("host-1")
        self.assertTrue(service.forced_down)
        self.assertEqual("mine", service.disabled_reason)
        self._end(down)
        self._end(disabled)
        service = nova.service("host-1")
        self.assertFalse(service.forced_down or service.disabled)

    def test_an_evacuation_by_hand_is_refused_while_its_host_is_up(
        self,
    ) -> None:
        self._do("evacuate: instance-1, to: host-2")
        self.assertIn("nova.refused", self._codes())


class EngineTest(FaultCase):
    def test_kill_and_start(self) -> None:
        engine = self.world.engines["engine-1"]
        fault = self._do("kill: engine-1")
        self.assertIsNone(engine.program)
        self._end(fault)
        self.assertIsNotNone(engine.program)

    def test_die_at_a_call(self) -> None:
        self._do("crash-before: [engine-1, engine-2], call: fencing.fence")
        self._do("crash: host-1", 60.0)
        self.assertIn("engine.killed", self._codes())
        self.assertNotIn("bmc.off-sent", self._codes())

    def test_a_word_about_another_boot_proves_nothing(self) -> None:
        self._do("bmc: host-1, mode: dead")
        self._do("crash: host-1", 60.0)
        self._do("confirm: host-1, boot: another", 5.0)
        self.assertEqual("operator.confirm", self._told())
        self.assertNotIn("case.fenced", self._codes())
        self._do("confirm: host-1", 15.0)
        self.assertIn("case.fenced", self._codes())

    def test_the_operator(self) -> None:
        for verb, opposite in (
            ("pause", "resume"),
            ("disarm", "arm"),
            ("maintenance", "end-maintenance"),
        ):
            target = "host-1" if verb == "maintenance" else ""
            fault = self._do(f"{verb}: {target}", 2.0)
            self.assertEqual(f"operator.{verb}", self._told())
            self._end(fault, 2.0)
            self.assertEqual(f"operator.{opposite}", self._told())
        self._do("release: host-1", 2.0)
        self.assertEqual("operator.release", self._told())
        self._do("confirm: host-1", 2.0)
        self.assertEqual("operator.confirm-failed", self._told())

    def _told(self) -> str:
        codes = [code for code in self._codes() if "operator." in code]
        return codes[-1]


class NoteTest(FaultCase):
    def test_each_is_in_the_journal_with_what_it_was_told(self) -> None:
        fault = self._do("bmc: [host-1, host-2], mode: dead")
        self._end(fault)
        notes = [
            (entry.who, entry.message)
            for entry in self.world.journal.entries
            if entry.what == "fault.bmc"
        ]
        told = ["mode=dead", "mode=dead", "over mode=dead", "over mode=dead"]
        hosts = ["host-1", "host-2"] * 2
        self.assertEqual(list(zip(hosts, told, strict=True)), notes)
