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
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network
from tests.unit.sim import nova_cloud
from tests.unit.sim.nova_cloud import ONE

A = model.HostName("a")


class ReadingTestCase(nova_cloud.NovaTestCase):
    """What an engine can read."""

    def check_unavailable(self, answer, kind=exception.ComputeUnavailable):
        self.assertIs(kind, type(answer))

    def test_services(self):
        services = {one.host: one for one in self.ask(self.api.services)}
        self.assertEqual({"a", "b", "c"}, set(services))
        self.assertTrue(services[A].up)
        self.assertEqual("service-a", services[A].service_id)

    def test_a_flag_is_no_report(self):
        self.machines["a"].power_off()
        before = self.ask(self.api.services)[0].reported_at
        self.ask(self.api.force_down, "service-a", True)
        self.run_for(5.0)
        report = self.ask(self.api.services)[0]
        self.assertTrue(report.forced_down)
        self.assertEqual(before, report.reported_at)

    def test_what_is_as_wanted_already_is_not_written(self):
        self.machines["a"].power_off()
        service = self.nova.records.services["a"]
        for change, wanted in (
            (self.api.force_down, True),
            (self.api.disable, "case"),
        ):
            self.ask(change, "service-a", wanted)
            written = service.updated_at
            self.run_for(0.5)
            self.ask(change, "service-a", wanted)
            self.assertEqual(written, service.updated_at)

    def test_hypervisor_types(self):
        self.nova.hypervisor_types[A] = "ironic"
        types = self.ask(self.api.hypervisor_types)
        self.assertEqual({"a": "ironic", "b": "QEMU", "c": "QEMU"}, types)

    def test_instances(self):
        self.assertEqual(
            ["one", "two"], [i.id for i in self.ask(self.api.instances, A)]
        )

    def test_instance(self):
        self.assertEqual("a", self.ask(self.api.instance, ONE).host)
        self.assertIsNone(self.ask(self.api.instance, "three"))

    def test_migrations(self):
        self.lose("a")
        self.evacuate("b")
        self.run_for(10.0)
        self.nova.live_migrate(ONE, "c")
        of_a = self.ask(self.api.migrations, A)
        of_b = self.ask(self.api.migrations, model.HostName("b"))
        of_one = self.ask(self.api.instance_migrations, ONE)
        self.assertEqual([1], [one.id for one in of_a])
        self.assertEqual([2, 1], [one.id for one in of_b])
        self.assertEqual([2, 1], [one.id for one in of_one])

    def test_targets(self):
        self.nova.capacity["b"] = {"VCPU": 1, "MEMORY_MB": 512}
        self.nova.operator_disable("c", "repair")
        self.nova.capacity["a"] = {"VCPU": 8, "MEMORY_MB": 8192}
        targets = self.ask(self.api.targets, [{}, {"MEMORY_MB": 1024}])
        self.assertEqual(
            [model.Target(host=A, free={"VCPU": 6, "MEMORY_MB": 4096})],
            targets,
        )

    def test_targets_count_what_is_in_flight(self):
        self.lose("a")
        self.nova.rebuild_outcomes.append("stuck")
        self.evacuate("b")
        self.run_for(5.0)
        free = {
            one.host: one.free["VCPU"]
            for one in self.ask(self.api.targets, [{"VCPU": 1}])
        }
        self.assertEqual({"a": 62, "b": 63, "c": 64}, free)

    def test_cell_down(self):
        self.nova.down_cells.add("a")
        hosts = [one.host for one in self.ask(self.api.services)]
        self.assertEqual(["b", "c"], hosts)
        for call, *arguments in (
            (self.api.instances, A),
            (self.api.instance, ONE),
            (self.api.migrations, A),
            (self.api.instance_migrations, ONE),
            (self.api.evacuate, ONE, "b"),
            (self.api.force_down, "service-a", True),
            (self.api.disable, "service-a", "reason"),
            (self.api.repair_state, ONE),
        ):
            answer = self.ask(call, *arguments)
            self.check_unavailable(answer, exception.CellDown)
        self.check_unavailable(self.ask(self.api.hypervisor_types))

    def test_api_down(self):
        self.nova.api_down = True
        self.check_unavailable(self.ask(self.api.services, seconds=1.0))

    def test_unreachable(self):
        self.networks.cut("engine-1", network.Network.MANAGEMENT)
        began = self.kernel.now
        self.check_unavailable(self.ask(self.api.services))
        self.assertAlmostEqual(15.0, self.kernel.now - began, delta=0.2)

    def test_slow(self):
        self.nova.api_latency = 4.0
        self.assertIsNone(self.ask(self.api.services, seconds=3.9))
        self.nova.api_latency = 60.0
        self.check_unavailable(self.ask(self.api.services))


class ChangingTestCase(nova_cloud.NovaTestCase):
    """What an engine can change, and what befalls its requests."""

    def check_unanswered(self, answer):
        self.assertIs(exception.ComputeUnavailable, type(answer))

    def service(self):
        return self.nova.service("a")

    def test_force_down(self):
        self.ask(self.api.force_down, "service-a", True)
        self.assertTrue(self.service().forced_down)
        self.ask(self.api.force_down, "service-a", False)
        self.assertFalse(self.service().forced_down)

    def test_force_up_before_the_clean_up(self):
        self.lose("a")
        self.evacuate("b")
        self.run_for(10.0)
        answer = self.ask(self.api.force_down, "service-a", False)
        self.assertIsInstance(answer, exception.ComputeRefused)
        self.machines["a"].power_on()
        self.run_for(60.0)
        self.assertIsNone(self.ask(self.api.force_down, "service-a", False))

    def test_unknown_service(self):
        answer = self.ask(self.api.enable, "service-x")
        self.assertIsInstance(answer, exception.ComputeRefused)

    def test_disable_and_enable(self):
        self.ask(self.api.disable, "service-a", "case 1")
        self.assertEqual("case 1", self.service().disabled_reason)
        self.ask(self.api.enable, "service-a")
        self.assertFalse(self.service().disabled)

    def test_disable_blocks_on_a_dead_host_that_looks_up(self):
        self.machines["a"].power_off()
        answer = self.ask(self.api.disable, "service-a", "case 1")
        self.check_unanswered(answer)
        self.assertTrue(self.service().disabled)

    def test_operator_disables_a_dead_host_that_looks_up(self):
        self.machines["a"].power_off()
        self.nova.operator_disable("a", "repair")
        self.nova.operator_enable("a")
        self.assertFalse(self.service().disabled)

    def test_repair_state(self):
        self.nova.records.change(ONE, vm_state="error")
        self.ask(self.api.repair_state, ONE)
        self.assertEqual("active", self.nova.servers[ONE].vm_state)
        answer = self.ask(self.api.repair_state, "three")
        self.assertIsInstance(answer, exception.ComputeRefused)

    def test_told_when_they_leave(self):
        self.nova.lose_requests(3)
        self.ask(self.api.force_down, "service-a", True)
        self.ask(self.api.disable, "service-a", "case 1")
        self.ask(self.api.repair_state, ONE)
        self.assertEqual(
            ["nova.force-down", "nova.disabled", "nova.state-repaired"],
            self.codes("engine-1"),
        )

    # -- on their way --

    def test_answer_lost(self):
        self.nova.lose_answers()
        self.check_unanswered(self.ask(self.api.force_down, "service-a", True))
        self.assertTrue(self.service().forced_down)
        self.assertIsNone(self.ask(self.api.force_down, "service-a", True))

    def test_request_lost(self):
        self.nova.lose_requests(2)
        for _ in range(2):
            answer = self.ask(self.api.force_down, "service-a", True)
            self.check_unanswered(answer)
        self.assertFalse(self.service().forced_down)
        self.ask(self.api.force_down, "service-a", True)
        self.assertTrue(self.service().forced_down)

    def test_only_of_a_kind(self):
        self.nova.lose_requests(1, "evacuate")
        self.assertIsNone(self.ask(self.api.force_down, "service-a", True))
        self.check_unanswered(self.evacuate("b"))
        self.assertRaises(ValueError, self.nova.lose_answers, 1, "reboot")

    def test_delayed(self):
        self.nova.delay_requests(1, 40.0)
        self.check_unanswered(self.ask(self.api.force_down, "service-a", True))
        self.assertFalse(self.service().forced_down)
        self.run_for(30.0)
        self.assertTrue(self.service().forced_down)

    def test_delayed_beyond_its_senders_death(self):
        self.lose("a")
        self.nova.delay_requests(1, 40.0)
        self.ask(self.api.evacuate, ONE, "b", seconds=1.0)
        self.program.kill()
        self.run_for(60.0)
        self.assertEqual(["b"], self.runs_on())

    def test_cut_before_it_arrives(self):
        self.nova.api_latency = 2.0
        self.ask(self.api.force_down, "service-a", True, seconds=0.5)
        self.networks.cut_link("engine-1", network.Server.NOVA)
        self.run_for(20.0)
        self.assertFalse(self.service().forced_down)

    def test_cut_before_the_answer(self):
        self.nova.api_latency = 2.0
        answers = []

        def body():
            try:
                self.api.force_down("service-a", True)
            except exception.ComputeUnavailable as error:
                answers.append(error)

        self.program.spawn(body, "ask")
        while not self.service().forced_down:
            self.run_for(0.1)
        self.networks.cut_link("engine-1", network.Server.NOVA)
        self.run_for(20.0)
        self.assertEqual(1, len(answers))

    def test_sender_frozen(self):
        self.ask(self.api.force_down, "service-a", True, seconds=0.0)
        self.run_for(0.01)
        self.program.freeze()
        self.run_for(20.0)
        self.assertTrue(self.service().forced_down)
        self.program.thaw()
        self.run_for(1.0)

    def test_sender_dead(self):
        self.program.kill()
        self.assertRaises(
            kernel_mod.Killed, self.api.force_down, "service-a", True
        )
        self.assertEqual([], self.codes("engine-1"))
