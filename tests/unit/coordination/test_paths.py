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

"""Names of znodes."""

import hypothesis
from hypothesis import strategies as st

from nova_ha import exception
from nova_ha.coordination import paths
from nova_ha.core import model
from tests import base


class EscapeTest(base.TestCase):
    def test_ordinary_names_are_kept(self) -> None:
        for name in ("cmp1", "Cmp-01.rack_2.example.org", "10.0.0.1"):
            self.assertEqual(name, paths.escape(name))

    def test_others_are_escaped(self) -> None:
        for name, node in (
            ("a/b", "a%2Fb"),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("a b", "a%20b"),
            ("50%", "50%25"),
            ("ü", "%C3%BC"),
            ("\x00", "%00"),
        ):
            self.assertEqual(node, paths.escape(name))
            self.assertEqual(name, paths.unescape(node))

    def test_impossible_names(self) -> None:
        for name in ("", "\ud800"):
            self.assertRaises(exception.PayloadError, paths.escape, name)

    def test_only_our_own_spelling_is_accepted(self) -> None:
        for node in ("%63mp1", "a b", "a%2fb", "%", "%ff", "", ".", "ü"):
            self.assertRaises(exception.PayloadError, paths.unescape, node)

    @hypothesis.given(st.text(min_size=1))
    def test_there_and_back(self, name: str) -> None:
        node = paths.escape(name)
        self.assertEqual(name, paths.unescape(node))
        self.assertNotIn("/", node)
        self.assertNotIn(node, (".", ".."))
        self.assertTrue(node.isascii() and node.isprintable())

    @hypothesis.given(st.text(min_size=1), st.text(min_size=1))
    def test_two_names_two_nodes(self, one: str, other: str) -> None:
        same = paths.escape(one) == paths.escape(other)
        self.assertEqual(one == other, same)


class PathsTest(base.TestCase):
    def test_namespace(self) -> None:
        self.assertEqual("/nova-ha/r1", paths.Paths("r1").root)
        for wrong in ("", "a/b", "..", ".a", "a" * 65, "a b", "ü"):
            error = self.assertRaises(
                exception.ConfigError, paths.Paths, wrong
            )
            self.assertEqual("[zookeeper] namespace", error.option)

    def test_hosts_are_escaped_everywhere(self) -> None:
        tree, host = paths.Paths(), model.HostName("a/b")
        for path in (
            tree.host(host),
            tree.agent(host),
            tree.beacon(host),
            tree.goodbye(host),
            tree.guests(host),
            tree.case(host),
            tree.verdict(host),
            tree.closed(model.CaseId("a/b")),
            tree.confirmation(model.CaseId("a/b")),
        ):
            self.assertIn("/a%2Fb", path)
            self.assertTrue(path.startswith(tree.root + "/"))

    def test_parts(self) -> None:
        self.assertEqual("c", paths.name_of("/a/b/c"))
        self.assertEqual("/a/b", paths.parent_of("/a/b/c"))
        self.assertEqual("/", paths.parent_of("/a"))
