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

"""Programs that speak to devices: real children, of a shell."""

import contextlib
import os
import pathlib

import fixtures

from nova_ha import exception
from nova_ha.fencing import child
from tests import base
from tests.unit.fencing import fakes


class ProgramTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.pid = pathlib.Path(self.useFixture(fixtures.TempDir()).path, "p")
        self.program = child.Program("bmc", "the package x")

    def _run(self, script: str, timeout: float = 10.0, **more) -> child.Ended:
        script = f"echo $$ > {self.pid}\n{script}"
        return self.program.run(["sh", "-c", script], timeout, **more)

    def _nothing_is_left(self) -> None:
        self.assertTrue(fakes.ends(int(self.pid.read_text())))

    def test_what_it_prints_and_how_it_ends(self) -> None:
        ended = self._run("printf 'a\\r\\nb\\377'; echo c >&2; exit 3")
        self.assertEqual(child.Ended(3, "a\nb\ufffd", "c\n"), ended)

    def test_what_it_is_told(self) -> None:
        more = {"environment": {"WORD": "w"}}
        ended = self._run('cat; echo "$WORD"', text="a\nb\n", **more)
        self.assertEqual("a\nb\nw\n", ended.output)
        self.assertEqual("", self._run("cat").output)

    def test_it_need_not_read_what_it_is_told(self) -> None:
        text = "x" * 2**20
        self.assertEqual("a\n", self._run("echo a", text=text).output)

    def test_much_on_both_streams(self) -> None:
        size = child.MAX_OUTPUT // 4
        flood = f"head -c {size} /dev/zero"
        ended = self._run(f"{flood}; {flood} >&2; {flood}")
        self.assertEqual(2 * size, len(ended.output))
        self.assertEqual(size, len(ended.errors))

    def test_one_that_prints_without_end_is_killed(self) -> None:
        for stream in (1, 2):
            error = self.assertRaises(
                exception.DeviceProtocolError, self._run, f"yes >&{stream}", 60
            )
            self.assertIn("sh prints more than 1048576", error.problem)
            self._nothing_is_left()

    def test_one_that_hangs_is_killed(self) -> None:
        # The second has closed its streams, and stays.
        for script in ("sleep 1000", "exec sleep 1000 >&- 2>&-"):
            self.assertRaises(exception.DeviceTimeout, self._run, script, 0.3)
            self._nothing_is_left()

    def test_one_that_is_not_there(self) -> None:
        error = self.assertRaises(
            exception.DeviceUnreachable, self.program.run, ["no-such"], 1.0
        )
        self.assertIn("no-such cannot be run", error.problem)
        self.assertIn("install the package x", error.problem)

    def test_no_descriptor_is_left_open(self) -> None:
        self._run("echo a")
        before = len(os.listdir("/proc/self/fd"))
        for script in ("echo a", "sleep 1000", "yes"):
            with contextlib.suppress(exception.DeviceError):
                self._run(script, 0.3)
        self.assertEqual(before, len(os.listdir("/proc/self/fd")))
