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

"""Credentials of hosts: the files, and what is in the tree for them."""

import pathlib
import stat
import unittest.mock

import fixtures

from nova_ha import clock
from nova_ha import exception
from nova_ha.assembly import credentials
from nova_ha.cmd import cli
from nova_ha.coordination import acl
from nova_ha.coordination import credentials as in_tree
from nova_ha.coordination import opening
from nova_ha.core import model
from tests import base


class CredentialsTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        conf = self.directory / "conf"
        conf.write_text(
            "[zookeeper]\nusername = operator\npassword = 0123456789abcdef\n"
        )
        self.conf = cli.configuration([str(conf)])
        for module, name in (
            (opening, "new_session"),
            (in_tree, "enrol"),
            (in_tree, "revoke"),
        ):
            patch = unittest.mock.patch.object(module, name)
            setattr(self, name, self.enterContext(patch))

    def _enrol(self, *hosts, directory=None):
        directory = str(directory or self.directory / "out")
        pathlib.Path(directory).mkdir(exist_ok=True)
        return list(
            credentials.enrol(self.conf, clock.SystemClock(), hosts, directory)
        )

    def _left(self):
        return sorted(path.name for path in (self.directory / "out").iterdir())

    def test_a_private_file_for_each_host(self):
        paths = self._enrol("cmp1", "a/b")
        self.assertEqual(["a%2Fb.password", "cmp1.password"], self._left())
        secrets = {path.read_text().strip() for path in paths}
        self.assertEqual(2, len(secrets))
        for path in paths:
            self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        own = acl.identity("agent@cmp1", paths[0].read_text().strip())
        session, _, host, given = self.enrol.call_args_list[0].args
        self.assertEqual(("cmp1", own), (host, given))
        session.close.assert_called_once_with()

    def test_each_time_another_password(self):
        first = self._enrol("cmp1")[0].read_text()
        self.assertNotEqual(first, self._enrol("cmp1")[0].read_text())

    def test_the_old_file_stays_where_the_tree_refuses(self):
        (path,) = self._enrol("cmp1")
        before = path.read_text()
        self.enrol.side_effect = exception.CoordinationUnavailable("away")
        self.assertRaises(
            exception.CoordinationUnavailable, self._enrol, "cmp1"
        )
        self.assertEqual(before, path.read_text())
        self.assertEqual(["cmp1.password"], self._left())

    def test_nothing_is_enrolled_that_cannot_be_written(self):
        error = self.assertRaises(
            exception.ConfigError,
            lambda: list(
                credentials.enrol(
                    self.conf, clock.SystemClock(), ["cmp1"], "/no/such"
                )
            ),
        )
        self.assertEqual("--directory", error.option)
        self.enrol.assert_not_called()

    def test_names_that_are_none(self):
        for name in ("", "a\nb", "x" * 256):
            self.assertRaises(exception.ConfigError, self._enrol, name)
            self.assertRaises(
                exception.ConfigError,
                credentials.revoke,
                self.conf,
                clock.SystemClock(),
                [name],
            )
        self.new_session.assert_not_called()

    def test_revoke(self):
        credentials.revoke(self.conf, clock.SystemClock(), ["cmp1", "cmp2"])
        self.assertEqual(
            [model.HostName("cmp1"), model.HostName("cmp2")],
            [call.args[2] for call in self.revoke.call_args_list],
        )
