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

"""``nova-ha zk``: what is refused before ZooKeeper is asked."""

import os
import unittest.mock

from nova_ha import exception
from nova_ha.assembly import credentials
from nova_ha.assembly import tree
from nova_ha.cmd import cli
from nova_ha.coordination.credentials import Credential
from tests.unit.cmd import test_cli


class InitTest(test_cli.CliTest):
    def _file(self, name, text="0123456789abcdef", mode=0o600):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def _init(self, *files):
        pairs = [
            part for one in files for part in ("--role-password-file", one)
        ]
        return self._run("zk", "init", *pairs)

    def test_bad_passwords_are_named(self):
        good = self._file("good")
        for files, words in (
            ((), "password of the role engine: is missing"),
            (("engine",), "not ROLE=FILE"),
            ((f"root={good}",), "roles are engine, agent"),
            ((f"agent={good}", f"agent={good}"), "second file"),
            ((f"agent={good}x",), "--role-password-file agent"),
            ((f"agent={self._file('w', mode=0o644)}",), "open to others"),
            ((f"engine={self._file('s', 'short')}",), "has 5 characters"),
        ):
            self.assertEqual(2, self._init(*files), words)
            self.assertIn(words, self.errors)

    def test_the_operators_own_password_is_not_changed(self):
        other = self._file("other", "another-0123456789abcdef")
        self.assertEqual(2, self._init(f"operator={other}"))
        self.assertIn("cannot be changed", self.errors)

    def test_the_operators_file_suffices_before_there_is_a_user(self):
        conf = cli.configuration([os.devnull])
        with unittest.mock.patch.object(
            tree.opening,
            "new_session",
            side_effect=exception.CoordinationUnavailable("stop here"),
        ) as opened:
            self.assertRaises(
                exception.CoordinationUnavailable,
                tree.init_tree,
                conf,
                None,
                [
                    f"{role}={self._file(role, role + '0123456789abcdef')}"
                    for role in ("engine", "agent", "scheduler", "operator")
                ],
            )
        own = opened.call_args.args[0]
        self.assertEqual("operator", own.username)
        self.assertEqual("operator0123456789abcdef", own.password)


class CheckTest(test_cli.CliTest):
    def _check(self, **hosts):
        found = tree.TreeReport(10.0, hosts)
        with unittest.mock.patch.object(
            tree, "check_tree", return_value=found
        ):
            return self._run("zk", "check")

    def test_all_have_their_own(self):
        self.assertEqual(0, self._check(a=Credential.OWN, b=Credential.NONE))
        self.assertIn("10 s are granted", self.output)

    def test_hosts_that_share_a_password_are_named(self):
        hosts = {f"cmp{n:02}": Credential.SHARED for n in range(12)}
        self.assertEqual(1, self._check(**hosts))
        self.assertIn("agents of 12 hosts still write", self.output)
        self.assertIn("cmp09, ...)", self.output)
        self.assertNotIn("cmp10", self.output)
        self.assertIn("nova-ha zk enrol", self.output)


class CredentialsTest(test_cli.CliTest):
    def test_enrol_tells_where_and_not_what(self):
        with unittest.mock.patch.object(
            credentials, "enrol", return_value=iter(["d/a.password"])
        ) as enrol:
            self.assertEqual(
                0, self._run("zk", "enrol", "a", "--directory", "d")
            )
        self.assertEqual((["a"], "d"), enrol.call_args.args[2:])
        self.assertEqual("written  d/a.password\n", self.output)

    def test_revoke(self):
        with unittest.mock.patch.object(credentials, "revoke") as revoke:
            self.assertEqual(0, self._run("zk", "revoke", "a", "b"))
        self.assertEqual(["a", "b"], revoke.call_args.args[2])
        self.assertEqual("revoked  a\nrevoked  b\n", self.output)

    def test_a_host_is_needed(self):
        self.assertEqual(2, self._run("zk", "enrol"))
