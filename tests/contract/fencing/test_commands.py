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
"""``nova-ha fence off | on``, on OpenIPMI's ``ipmi_sim``: what an operator is
told, what is kept, and what became of the machine."""

from nova_ha.core import audit
from tests.contract.fencing import benches
from tests.unit.cmd import test_cli
from tests.unit.cmd import test_cli_samples as samples

HOST = "cmp1"
OTHER_UUID = "7a1c0de5-2f7e-4b0c-9c53-6f3e5d0a9b11"


class FencePowerTest(test_cli.CliTest):
    def setUp(self) -> None:
        super().setUp()
        # Where the command's configuration looks for fencing.yaml.
        self.bench = benches.IpmiBench(str(self.directory))
        self.addCleanup(self.bench.stop)

    def _start(self, uuid: str = "") -> None:
        self.bench.start()
        self._describe(uuid or self.bench.uuid)

    def _describe(self, uuid: str, **device: object) -> None:
        self.bench.topology_of(
            {"bmc": self.bench.device(**device)}, {HOST: [["bmc"]]}
        )
        self._picture(uuid, present=False)

    def _picture(self, uuid: str, *, present: bool) -> None:
        self.store.pictured = samples.picture(
            samples.facts(HOST, present=present, system_uuid=uuid)
        )

    def _kept(self) -> list[tuple[audit.Deed, audit.Result | None]]:
        return [
            (each.deed, each.result)
            for each in self.store.trail.entries.values()
        ]

    def test_off_and_on_again(self) -> None:
        self._start()
        self.assertEqual(0, self._run("fence", "off", HOST, "--yes"))
        self.assertFalse(self.bench.really_on())
        self.assertIn("off, as bmc says (level 1: off ", self.output)
        self.assertEqual(0, self._run("fence", "off", HOST, "--yes"))
        self.assertIn("was off already", self.output)
        self.assertEqual(0, self._run("fence", "on", HOST, "--yes"))
        self.assertTrue(self.bench.really_on())
        self.assertIn("on, as bmc says", self.output)
        off, on = audit.Deed.POWER_OFF, audit.Deed.POWER_ON
        done = audit.Result.DONE
        self.assertEqual([(off, done), (off, done), (on, done)], self._kept())

    def test_a_living_host_is_left_on_unless_forced(self) -> None:
        self._start()
        self._picture(self.bench.uuid, present=True)
        self.assertEqual(2, self._run("fence", "off", HOST, "--yes"))
        self.assertIn("is alive", self.errors)
        self.assertTrue(self.bench.really_on())
        status = self._run("fence", "off", HOST, "--yes", "--force")
        self.assertEqual(0, status)
        self.assertFalse(self.bench.really_on())

    def test_another_machine_is_left_on(self) -> None:
        self._start(OTHER_UUID)
        self.assertEqual(1, self._run("fence", "off", HOST, "--yes"))
        self.assertIn("another machine would be switched off", self.output)
        self.assertTrue(self.bench.really_on())
        failed = (audit.Deed.POWER_OFF, audit.Result.FAILED)
        self.assertEqual([failed], self._kept())

    def test_a_lying_device_is_not_believed(self) -> None:
        self.bench.start_lying()
        self._describe(self.bench.uuid, fence_timeout=2)
        self.assertEqual(1, self._run("fence", "off", HOST, "--yes"))
        self.assertIn("on, 2 s after the command", self.output)
        failed = (audit.Deed.POWER_OFF, audit.Result.FAILED)
        self.assertEqual([failed], self._kept())

    def test_a_dead_device_is_named(self) -> None:
        self._start()
        self.bench.stop()
        for deed in ("off", "on"):
            self.assertEqual(1, self._run("fence", deed, HOST, "--yes"))
            self.assertIn("bmc: no IPMI session", self.output)
