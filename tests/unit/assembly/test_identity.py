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

import pathlib
import socket
import tempfile

from oslo_config import cfg

from nova_ha import exception
from nova_ha.assembly import identity
from nova_ha.conf import agent as agent_conf
from tests import base


class TestDescribeSelf(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.conf = cfg.ConfigOpts()
        agent_conf.register_opts(self.conf)
        self.conf([], default_config_files=[])
        self._file("machine_id_file", "ABCDEF\n")
        self._file("boot_id_file", "boot-1\n")
        self._file("system_uuid_file", "4C4C4544-0001\n")

    def _file(self, option, content):
        path = self.directory / option
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
        self.conf.set_override(option, str(path), group="agent")
        # All ConfigOpts share a group's options, overrides included.
        self.addCleanup(self.conf.clear_override, option, group="agent")

    def _refused(self):
        return self.assertRaises(
            exception.ConfigError, identity.describe_self, self.conf
        )

    def test_all_there(self):
        self.conf.set_override("host", "Cmp1.example.org")
        beacon = identity.describe_self(self.conf)
        self.assertEqual("Cmp1.example.org", beacon.host)
        self.assertEqual("abcdef", beacon.machine_id)
        self.assertEqual("boot-1", beacon.boot_id)
        self.assertEqual("4c4c4544-0001", beacon.system_uuid)
        self.assertTrue(beacon.agent_version)
        self.assertEqual((), beacon.checks)

    def test_the_host_name_is_the_machines_own_unshortened(self):
        self.assertEqual(
            socket.gethostname(), identity.describe_self(self.conf).host
        )

    def test_a_missing_system_uuid_is_accepted(self):
        for path in ("/no/such/file", str(self.directory)):
            self.conf.set_override("system_uuid_file", path, group="agent")
            self.assertEqual("", identity.describe_self(self.conf).system_uuid)

    def test_missing_or_strange_ids_are_refused_by_option(self):
        for option in ("machine_id_file", "boot_id_file"):
            for content in ("", " \n", b"\xff", "a\x00b"):
                with self.subTest(f"{option} {content!r}"):
                    self._file(option, content)
                    self.assertEqual(
                        f"[agent] {option}", self._refused().option
                    )
            (self.directory / option).unlink()
            self.assertIn("No such file", str(self._refused()))
            self._file(option, "good")

    def test_an_uninitialized_machine_id_is_refused(self):
        self._file("machine_id_file", "uninitialized\n")
        self.assertIn("systemd-machine-id-setup", self._refused().remedy)

    def test_strange_host_names_are_refused(self):
        for name in ("", "x" * 256, "a\nb"):
            self.conf.set_override("host", name)
            self.assertEqual("[DEFAULT] host", self._refused().option)
