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

"""``nova-ha simulate fuzz``, without any run."""

import json
import unittest.mock

import yaml

from nova_ha.sim import fuzz
from tests.unit.cmd import test_cli_simulate
from tests.unit.sim import scripts


class FuzzTest(test_cli_simulate.SimulateCase):
    def setUp(self):
        super().setUp()
        self.fuzz = self.enterContext(
            unittest.mock.patch.object(
                fuzz, "run", return_value=fuzz.FuzzResult(seeds=3, steps=9)
            )
        )

    def test_all_is_well(self):
        self.assertEqual(0, self._simulate("fuzz", "--seeds", "3"))
        told = json.loads(self.output.splitlines()[-1])
        self.assertEqual(
            (3, 9, 0), tuple(told.values())[:2] + (told["violations"],)
        )
        (seeds, hosts, minutes, _), _ = self.fuzz.call_args
        self.assertEqual(([1, 2, 3], 6, 3.0), (list(seeds), hosts, minutes))

    def test_a_failing_seed_is_a_script_that_can_be_run(self):
        failure = fuzz.Failure(
            seed=7,
            problems=("boom",),
            script=scripts.parse(test_cli_simulate.SCRIPT),
        )
        self.fuzz.return_value = fuzz.FuzzResult(
            seeds=1, violations=1, failures=(failure,)
        )
        arguments = ("--first", "7", "--seeds", "1", "--minutes", "1")
        self.assertEqual(1, self._simulate("fuzz", *arguments))
        *script, last = self.output.splitlines()
        self.assertIn("# Seed 7 fails:", script)
        shown = yaml.safe_load("\n".join(script))
        self.assertEqual({"at": 5, "crash": "host-1"}, shown["faults"][0])
        self.assertEqual(1, json.loads(last)["violations"])

    def test_figures_that_make_no_sense(self):
        self.assertEqual(2, self._simulate("fuzz", "--seeds", "0"))
        self.assertEqual(2, self._simulate("fuzz", "--minutes", "0"))
