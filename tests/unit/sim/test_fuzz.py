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

from nova_ha.fencing import document
from nova_ha.sim import fuzz
from nova_ha.sim import script_dump
from nova_ha.sim import script_file
from tests import base
from tests.unit.sim import variants


class FuzzTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.told = []

    def run_fuzz(self, seeds, **options):
        return fuzz.run(seeds, 3, 0.5, self.told.append, **options)

    def test_what_is_sound_holds(self):
        result = self.run_fuzz([1, 2])
        self.assertEqual((), result.failures)
        self.assertTrue(result.ok)
        self.assertEqual(2, result.seeds)
        self.assertGreater(result.steps, 10000)
        self.assertGreater(result.faults, 2)
        self.assertIn("2 seeds, 0 violations, 0 stuck cases", self.told)

    def test_a_seed_is_a_run(self):
        first, second = self.run_fuzz([3]), self.run_fuzz([3])
        self.assertEqual(first, second)

    def test_the_figures(self):
        summary = self.run_fuzz([1]).summary()
        self.assertEqual(1, summary["seeds"])
        self.assertEqual(0, summary["violations"])
        self.assertEqual(0, summary["stuck_cases"])
        self.assertNotIn("failures", summary)

    def test_what_is_broken_is_found_and_made_small(self):
        broken = variants.BY_NAME["acts before it has saved"]
        result = self.run_fuzz([1], variant=broken.ports, shrinking=12)
        self.assertFalse(result.ok)
        (failure,) = result.failures
        self.assertIn("invariant", failure.problems[0])
        self.assertLess(len(failure.script.faults), result.faults)
        read = script_file.parse(
            document.parse(script_dump.dump(failure.script), "it"), "it"
        )
        self.assertEqual(failure.script.cloud, read.cloud)
