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
import tempfile
import unittest.mock

from nova_ha.agent import command
from tests import base


def shell(script, deadline=10.0):
    return command.Command(["sh", "-c", script], deadline=deadline)


class TestCommand(base.TestCase):
    def _problem(self, a_command):
        return self.assertRaises(command.CommandFailed, a_command.run).problem

    def test_returns_status_and_output(self):
        self.assertEqual((3, "a\nb\n"), shell("echo a; echo b; exit 3").run())

    def test_has_no_input(self):
        self.assertEqual((0, ""), shell("cat").run())

    def test_a_missing_program_is_named_without_its_arguments(self):
        missing = command.Command(["/no/such", "hush"], deadline=1.0)
        problem = self._problem(missing)
        self.assertIn("/no/such", problem)
        self.assertNotIn("hush", problem)

    def test_a_killed_command_has_failed(self):
        self.assertIn("signal 9", self._problem(shell("kill -9 $$")))

    def test_output_that_is_not_text(self):
        self.assertIn("not text", self._problem(shell(r"printf '\377'")))

    def test_a_hung_command_dies_with_all_that_it_started(self):
        pid_file = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory()), "pid"
        )
        hanging = shell(f"sleep 1000 & echo $! > {pid_file}; wait", 0.5)
        self.assertEqual("no answer within 0.5 s", self._problem(hanging))
        pid = int(pid_file.read_text())
        # Killed in the same instant; init may still have to reap it.
        state = pathlib.Path(f"/proc/{pid}/stat")
        if state.exists():
            self.assertIn(state.read_text().split()[2], ("Z", "X"))
        self.assertEqual((0, "again\n"), shell("echo again").run())

    def test_a_command_that_cannot_be_killed_is_not_piled_up(self):
        hanging = shell("exec sleep 1000", 0.1)
        with (
            unittest.mock.patch.multiple(command, _REAP_SECONDS=0.05),
            unittest.mock.patch.object(os, "killpg"),
        ):
            self._problem(hanging)
        process = hanging._hung
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("cannot be killed", self._problem(hanging))
        process.kill()
        process.wait()
        self.assertEqual("no answer within 0.1 s", self._problem(hanging))
