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

"""``nova-ha fence check`` and ``arm``, on devices in memory."""

import json
import unittest.mock

from nova_ha.core.model import PowerState
from nova_ha.fencing import loader
from tests.unit.cmd import test_cli
from tests.unit.cmd import test_cli_samples as samples
from tests.unit.fencing import fakes

FENCING = """
devices:
  bmc-1: {driver: fake, address: a1, password: secret}
  bmc-2: {driver: fake, address: a2, password: secret}
hosts:
  cmp1: {levels: [[bmc-1]]}
  cmp2: {levels: [[bmc-2]]}
"""

UUID = "4c4c4544-0042-3510-8054-b7c04f4e4c31"


class FenceCase(test_cli.CliTest):
    """Two hosts, each with a device in memory."""

    def setUp(self):
        super().setUp()
        self.store.pictured = samples.picture(
            samples.facts("cmp1", system_uuid=UUID), samples.facts("cmp2")
        )
        self._topology(FENCING)
        self.bmcs = {name: fakes.FakeBmc(name) for name in ("a1", "a2")}
        fakes.FakeDriver.bmcs = self.bmcs
        self.enterContext(
            unittest.mock.patch.object(
                loader, "find_driver", fakes.finder(fake=fakes.FakeDriver)
            )
        )

    def _topology(self, text):
        path = self.directory / "fencing.yaml"
        path.write_text(text)
        path.chmod(0o600)

    def _check(self, *hosts):
        status = self._run("fence", "check", *hosts, "-f", "json")
        found = json.loads(self.output) if self.output else []
        return status, {one["Host"]: one for one in found}


class FenceTest(FenceCase):
    """`fence check`, and `arm` that depends on it."""

    def test_all_devices_answer_and_nothing_is_switched(self):
        self.bmcs["a1"].uuid = UUID
        status, found = self._check()
        self.assertEqual(0, status)
        self.assertEqual(
            ["on", "on"], [one["Power"] for one in found.values()]
        )
        self.assertEqual("system UUID matches", found["cmp1"]["Detail"])
        # There is nothing to compare the second one's with.
        self.assertEqual({"status", "uuid"}, set(self.bmcs["a1"].calls))
        self.assertEqual({"status"}, set(self.bmcs["a2"].calls))

    def test_each_failure_is_named_and_status_1(self):
        self.bmcs["a2"].alive = False
        status, found = self._check()
        self.assertEqual(1, status)
        self.assertTrue(found["cmp1"]["Ok"])
        self.assertFalse(found["cmp2"]["Ok"])
        self.assertIn("no connection", found["cmp2"]["Detail"])
        self.assertNotIn("secret", self.output)

    def test_another_machines_device_is_a_failure(self):
        self.bmcs["a1"].uuid = UUID.replace("4c31", "4c32")
        status, found = self._check("cmp1")
        self.assertEqual(1, status)
        self.assertIn("another machine", found["cmp1"]["Detail"])

    def test_a_device_that_does_not_know_is_a_failure(self):
        self.bmcs["a1"].state = PowerState.UNKNOWN
        self.assertEqual(1, self._check("cmp1")[0])

    def test_a_host_without_a_device_is_a_failure(self):
        status, found = self._check("cmp9")
        self.assertEqual(1, status)
        self.assertIn("no fence device", found["cmp9"]["Detail"])

    def test_hosts_that_are_named_need_no_zookeeper(self):
        self.store.error = samples.UNAVAILABLE
        self.assertEqual(0, self._check("cmp1")[0])
        self.assertIn("not compared", self.errors)
        self.assertEqual(2, self._check()[0])

    def test_an_error_in_the_file_is_named(self):
        self._topology("devices: {bmc-1: {driver: unknown}}\n")
        self.assertEqual(2, self._check()[0])
        self.assertIn("fencing.yaml", self.errors)

    def test_protected_hosts_need_no_device(self):
        self.store.pictured = samples.picture(
            samples.facts("cmp1"), samples.facts("ctl1", protected="engine")
        )
        status, found = self._check()
        self.assertEqual((0, ["cmp1"]), (status, list(found)))

    def test_arming_asks_the_devices_first(self):
        self.assertEqual(0, self._run("arm", "--reason", "tested"))
        ((_, _, reason, armed, paused),) = self._changes()
        self.assertEqual(("tested", True, None), (reason, armed, paused))
        self.assertIn("ARMED", self.output)

    def test_arming_is_refused_unless_forced(self):
        self.bmcs["a2"].alive = False
        self.assertEqual(1, self._run("arm"))
        self.assertEqual([], self._changes())
        self.assertIn("cmp2", self.errors)
        self.assertNotIn("cmp1", self.errors)
        self.assertEqual(0, self._run("arm", "--force"))
        self.assertEqual(1, len(self._changes()))
