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

import contextlib
import io
import pathlib
import tempfile
import unittest.mock

from nova_ha import exception
from nova_ha.assembly import agent as assembly
from nova_ha.cmd import agent
from tests import base
from tests.unit.agent import fakes

CONF = """
[DEFAULT]
host = cmp1
[zookeeper]
hosts = 127.0.0.1:1
[agent]
machine_id_file = {0}/id
boot_id_file = {0}/id
system_uuid_file = {0}/id
allow_start_file = {0}/allow
guests_driver = command
guests_command = {1}
instances_path = {0}
checks =
colocated_services = none
"""


class TestMain(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        (self.directory / "id").write_text("some-id\n")
        self._configure()
        self.beacons = fakes.FakeBeacons()
        self.open = self.enterContext(
            unittest.mock.patch.object(
                assembly, "open_beacons", return_value=self.beacons
            )
        )

    def _configure(self, command="true"):
        self.conf = self.directory / "nova-ha.conf"
        self.conf.write_text(CONF.format(self.directory, command))

    def _main(self, *arguments):
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stderr(errors):
            with contextlib.redirect_stdout(output):
                try:
                    status = agent.main(
                        ["--config-file", str(self.conf), *arguments]
                    )
                except SystemExit as end:
                    status = end.code
        return status, output.getvalue() + errors.getvalue()

    def test_help_tells_of_the_gate(self):
        status, text = self._main("--help")
        self.assertEqual(0, status)
        self.assertIn("wait-ready", text)
        self.assertIn("--force-file", text)

    def test_an_unknown_command_is_refused(self):
        status, text = self._main("frobnicate")
        self.assertNotEqual(0, status)
        self.assertIn("frobnicate", text)

    def test_wait_ready_permits(self):
        status, text = self._main("wait-ready")
        self.assertEqual(0, status)
        self.assertIn("nova-ha-agent: cmp1: May start", text)
        self.assertEqual(["case", "close"], self.beacons.calls)

    def test_wait_ready_times_out(self):
        self.beacons.error = fakes.UNAVAILABLE
        status, text = self._main("wait-ready", "--timeout", "0")
        self.assertEqual(3, status)
        self.assertIn("ZooKeeper cannot be reached", text)
        self.assertEqual("close", self.beacons.calls[-1])

    def test_wait_ready_override_needs_no_working_configuration(self):
        self.open.side_effect = exception.ConfigError("[zookeeper]", "bad")
        self.assertEqual(1, self._main("wait-ready")[0])
        (self.directory / "allow").touch()
        self.assertEqual(0, self._main("wait-ready")[0])
        (self.directory / "allow").unlink()
        forced = self.directory / "forced"
        forced.touch()
        status, text = self._main("wait-ready", "--force-file", str(forced))
        self.assertEqual(0, status)
        self.assertIn("WARNING", text)

    def test_a_storage_is_marked_once(self):
        status, text = self._main("mark-storage", "--domain", "nfs-1")
        self.assertEqual(0, status)
        self.assertIn(f"{self.directory} is of storage domain nfs-1", text)
        # On the next host that mounts it.
        for again in ((), ("--domain", "nfs-1")):
            status, text = self._main("mark-storage", *again)
            self.assertEqual(0, status)
            self.assertIn("storage domain nfs-1", text)
        status, text = self._main("mark-storage", "--domain", "nfs-2")
        self.assertEqual(1, status)
        self.assertIn("storage domain nfs-1", text)
        self.assertIn("is not nfs-2", text)
        self.open.assert_not_called()

    def test_a_storage_has_a_random_name_by_default(self):
        status, text = self._main("mark-storage")
        self.assertEqual(0, status)
        self.assertRegex(text, r"storage domain [0-9a-f-]{36}\n")

    def test_a_bad_setting_is_a_message_and_status_1(self):
        self._configure(command="")
        status, text = self._main()
        self.assertEqual(1, status)
        self.assertIn("ERROR: [agent] guests_command", text)
        self.assertNotIn("Traceback", text)

    def test_another_machine_of_this_name_ends_it_with_status_1(self):
        self.beacons.error = exception.CoordinationError(
            "another machine runs as cmp1"
        )
        status, text = self._main()
        self.assertEqual(1, status)
        self.assertIn("ERROR: another machine runs as cmp1", text)
