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

"""Traces that are kept beside their scripts."""

import pathlib
import tempfile

from nova_ha import exception
from nova_ha.sim import golden
from tests import base


class GoldenTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.file = str(self.folder / "script.yaml")

    def test_where_it_is_kept(self) -> None:
        self.assertEqual("a/trace.txt", golden.path("a/script.yaml"))
        self.assertEqual("a/one.trace.txt", golden.path("a/one.yaml"))

    def test_what_is_written_is_no_difference(self) -> None:
        self.assertTrue(golden.write(self.file, ["one", "two"]))
        self.assertEqual([], golden.differences(self.file, ["one", "two"]))
        self.assertFalse(golden.write(self.file, ["one", "two"]))
        kept = (self.folder / "trace.txt").read_text()
        self.assertEqual("one\ntwo\n", kept)

    def test_a_difference_is_shown(self) -> None:
        golden.write(self.file, ["one", "two"])
        found = golden.differences(self.file, ["one", "three"])
        self.assertIn("-two", found)
        self.assertIn("+three", found)

    def test_what_is_not_there_is_different(self) -> None:
        self.assertIn("+one", golden.differences(self.file, ["one"]))

    def test_what_cannot_be_read_or_written_is_named(self) -> None:
        (self.folder / "trace.txt").mkdir()
        error = self.assertRaises(
            exception.ConfigError, golden.differences, self.file, []
        )
        self.assertIn("trace.txt", str(error))
        missing = str(self.folder / "missing/script.yaml")
        self.assertRaises(
            exception.ConfigError, golden.write, missing, ["one"]
        )
