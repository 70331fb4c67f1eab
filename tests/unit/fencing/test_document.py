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


import os
import pathlib

import fixtures

from nova_ha import exception
from nova_ha.fencing import document
from tests import base

OPTION = "[fencing] topology_file"


class DocumentTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.path = pathlib.Path(directory, "fencing.yaml")

    def _write(self, content: str | bytes, mode: int = 0o600) -> None:
        if isinstance(content, str):
            content = content.encode()
        self.path.write_bytes(content)
        self.path.chmod(mode)

    def _load(self) -> document.Item:
        return document.load(str(self.path), OPTION)

    def _refused(self) -> exception.ConfigError:
        return self.assertRaises(exception.ConfigError, self._load)

    def test_values_know_their_place(self) -> None:
        self._write("a:\n  b: 1\n  c:\n  - x\n  - {d: true}\n")
        inner = self._load().mapping()["a"].mapping()
        self.assertEqual(1, inner["b"].value)
        flag = inner["c"].sequence()[1].mapping()["d"]
        self.assertIs(True, flag.value)
        self.assertEqual(
            document.Place(str(self.path), 5, "a.c.1.d"), flag.place
        )

    def test_repr_shows_no_value(self) -> None:
        self._write("password: hunter2\n")
        self.assertNotIn("hunter2", repr(self._load()))

    def test_others_must_not_have_access(self) -> None:
        for mode in (0o640, 0o620, 0o604, 0o602, 0o644, 0o666, 0o610):
            self._write("a: 1\n", mode)
            error = self._refused()
            self.assertEqual(OPTION, error.option)
            self.assertEqual(f"chmod 600 {self.path}", error.remedy)
        self._write("a: 1\n", 0o400)
        self._load()

    def test_missing_or_no_file(self) -> None:
        self.assertIn("cannot be read", self._refused().problem)
        os.mkdir(self.path)
        self.assertIn("cannot be read", self._refused().problem)
        os.rmdir(self.path)
        os.symlink("/dev/null", self.path)
        self.assertIn("not a regular file", self._refused().problem)

    def test_empty_and_binary(self) -> None:
        self._write("# nothing\n")
        self.assertIn("is empty", str(self._refused()))
        self._write(b"a: \xff\n")
        self.assertIn("UTF-8", str(self._refused()))
        self._write("a: \x07\n")
        self.assertIn("forbids", str(self._refused()))

    def test_key_twice_is_an_error_with_its_line(self) -> None:
        self._write("devices:\n  a: 1\n  b: 2\n  a: 3\n")
        error = self._refused()
        self.assertEqual(f"{self.path}:4: devices.a", error.option)
        self.assertIn("second time", error.problem)

    def test_anchors_and_merging(self) -> None:
        self._write(
            "base: &b {driver: ipmi, port: 1}\n"
            "one: &one {<<: *b, port: 2}\n"
            "two: *one\n"
            "three: *one\n"
        )
        root = self._load().mapping()
        for name in ("one", "two", "three"):
            values = {k: v.value for k, v in root[name].mapping().items()}
            self.assertEqual({"driver": "ipmi", "port": 2}, values)

    def test_syntax_error_names_the_line_and_quotes_nothing(self) -> None:
        for line in (
            "password: *hunter2",
            "password: !hunter2 x",
            "password: @hunter2",
            "password: %hunter2",
            "password: hunter2: hunter2",
            'password: "hunter2',
            "password: 'hunter2' hunter2",
            "password: [hunter2",
            "password: {hunter2: hunter2",
            "password: |hunter2",
            'password: "\\hunter2"',
        ):
            self._write(f"devices:\n  a:\n    {line}\n")
            error = self._refused()
            self.assertNotIn("unter2", str(error), line)
            self.assertRegex(error.option, rf"^{self.path}:[34]")

    def test_unusual_types(self) -> None:
        for value in ("2001-01-01", "!!binary aGk=", "!!set {a}", "!!omap []"):
            self._write(f"a: {value}\n")
            self.assertIsInstance(self._load_or_error(), Exception, value)
        self._write("? [a, b]\n: 1\n")
        self.assertIn("key must be a string", str(self._refused()))

    def _load_or_error(self) -> object:
        try:
            return self._load().mapping()["a"].text()
        except exception.ConfigError as error:
            return error

    def test_bombs_are_refused(self) -> None:
        levels = "\n".join(
            f"l{i + 1}: &l{i + 1} [{', '.join([f'*l{i}'] * 9)}]"
            for i in range(9)
        )
        for bomb in (
            f"l0: &l0 [x]\n{levels}\n",
            "a: &a [*a]\n",
            "a: &a {b: *a}\n",
            "[" * 5000 + "]" * 5000,
        ):
            self._write(bomb)
            self.assertIn("too deep", str(self._refused()))

    def test_python_objects_are_not_made(self) -> None:
        self._write("a: !!python/object/apply:os.system ['true']\n")
        self._load_or_error()
        self._write("!!python/object/apply:os.system ['true']\n")
        root = self._load()
        self.assertIsInstance(root.value, list)
