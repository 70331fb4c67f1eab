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

"""``nova-ha simulate``."""

import json
import pathlib
import unittest.mock

from nova_ha.sim import verbs
from tests.unit.cmd import test_cli

SCRIPT = """
cloud: {hosts: 3, instances: 3}
minutes: 1
faults:
- {at: 5, crash: host-1}
"""


class SimulateCase(test_cli.CliTest):
    def setUp(self):
        super().setUp()
        # Rehearsals need no configuration at all.
        self.conf = self.directory / "missing.conf"

    def _write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    def _simulate(self, *arguments):
        return self._run("simulate", *arguments)


class RunTest(SimulateCase):
    def setUp(self):
        super().setUp()
        self.file = self._write("one/script.yaml", SCRIPT)
        self.trace = pathlib.Path(self.file).parent / "trace.txt"

    def test_the_trace_is_shown(self):
        self.assertEqual(0, self._simulate("run", self.file))
        self.assertIn("     5.0  host-1    crashed", self.output)
        self.assertIn("still open: host-1 evacuated", self.output)
        last = self.output.splitlines()[-1]
        self.assertRegex(last, r"^OK  one: 1 min, seed 1, 1 faults, \d+ steps")

    def test_what_is_not_as_expected_is_status_1(self):
        file = self._write("two.yaml", SCRIPT + "expect: [{fenced: []}]")
        self.assertEqual(1, self._simulate("run", file))
        self.assertIn(
            "!!!! not as expected: line 6: fenced: host-1, not none",
            self.output,
        )
        self.assertIn("FAILED  two", self.output)

    def test_a_bad_script_is_status_2_and_one_line(self):
        file = self._write("two.yaml", "cloud: {hosts: 0}")
        self.assertEqual(2, self._simulate("run", file))
        self.assertEqual(
            f"ERROR: {file}:1: cloud.hosts: must be at least 1\n", self.errors
        )
        self.assertEqual(2, self._simulate("run"))

    def test_json_is_one_line(self):
        other = self._write("two/script.yaml", SCRIPT + "allow: all")
        self.assertEqual(2, self._simulate("run", other, "-f", "json"))
        other = self._write("two/script.yaml", SCRIPT + "expect: [{fenced: }]")
        folder = str(self.directory)
        self.assertEqual(1, self._simulate("run", folder, "-f", "json"))
        (line,) = self.output.splitlines()
        told = json.loads(line)
        self.assertEqual((2, 1), (told["scripts"], told["failed"]))
        one, two = told["results"]
        self.assertEqual(("one", True), (one["script"], one["ok"]))
        self.assertEqual(["host-1"], one["stuck_cases"])
        self.assertEqual(1, len(two["not_as_expected"]))

    def test_a_golden_trace_is_written_and_compared(self):
        self.assertEqual(1, self._simulate("run", self.file, "--check"))
        self.assertIn("+     5.0  host-1    crashed", self.output)
        self.assertEqual(0, self._simulate("run", self.file, "--update"))
        self.assertIn("trace.txt is new", self.errors)
        self.assertIn("host-1    crashed\n", self.trace.read_text())
        self.assertEqual(0, self._simulate("run", self.file, "--check"))
        self.assertEqual(2, len(self.output.splitlines()))
        self.trace.write_text("something else\n")
        self.assertEqual(1, self._simulate("run", self.file, "--check"))
        self.assertIn("-something else", self.output)

    def test_check_and_update_exclude_each_other(self):
        arguments = ("run", self.file, "--check", "--update")
        self.assertEqual(2, self._simulate(*arguments))

    def test_a_timeline_is_drawn(self):
        with unittest.mock.patch.dict("os.environ", COLUMNS="70"):
            self._simulate("run", self.file, "--timeline", "--update")
        drawn = self.output.splitlines()
        self.assertIn("host-1     machine  ", self.output)
        self.assertLessEqual(max(map(len, drawn[:12])), 70)

    def test_an_operators_own_settings(self):
        conf = self._write("own.conf", "[engine]\nsoak_time = x\n")
        status = self._simulate("run", self.file, "--policy", conf)
        self.assertEqual(2, status)
        self.assertIn("soak_time", self.errors)
        conf = self._write("own.conf", "[zookeeper]\nsession_timeout = 5\n")
        self._simulate("run", self.file, "--policy", conf, "--seed", "5")
        self.assertIn("seed 5", self.output)
        # Five seconds, instead of ten, until anybody notices.
        self.assertRegex(self.output, "    (9|10)\\.. .* has expired")

    def test_many_scripts_are_counted(self):
        self._write("two/script.yaml", SCRIPT)
        self.assertEqual(0, self._simulate("run", str(self.directory)))
        self.assertEqual("2 of 2 are OK", self.output.splitlines()[-1])


class FaultsTest(SimulateCase):
    def test_every_verb_is_listed(self):
        self.assertEqual(0, self._simulate("faults", "-f", "json"))
        listed = {one["Verb"]: one for one in json.loads(self.output)}
        self.assertEqual(set(verbs.VERBS), set(listed))
        self.assertIn("lies-off", listed["bmc"]["Parameters"])
        self.assertEqual("host or engine", listed["freeze"]["Hits"])
