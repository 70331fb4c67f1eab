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

"""The checker can fail: each broken engine is caught in its scenario."""

from nova_ha.sim import runner
from tests import base
from tests.unit.sim import variants


class VariantsTestCase(base.TestCase):
    def check(self, variant):
        """The scenario is well with a sound engine, and the broken one
        breaks what it should."""
        sound = runner.run(variant.scenario)
        self.assertEqual((), sound.violations, variant.name)
        with variant.patch():
            broken = runner.run(variant.scenario, variant.ports)
        self.assertEqual((), broken.mistakes, variant.name)
        caught = {one.invariant for one in broken.violations}
        self.assertTrue(
            caught & variant.caught_by,
            f"an engine that {variant.name} breaks {caught or 'nothing'}",
        )

    def test_there_are_enough_of_them(self):
        self.assertEqual(len(variants.VARIANTS), len(variants.BY_NAME))
        self.assertGreaterEqual(len(variants.VARIANTS), 14)

    def test_most_invariants_are_broken_by_one(self):
        caught = {
            number for one in variants.VARIANTS for number in one.caught_by
        }
        self.assertEqual({1, 2, 3, 4, 5, 6, 7, 8, 9}, caught)


def _test(variant):
    def test(self):
        self.check(variant)

    return test


for _variant in variants.VARIANTS:
    setattr(
        VariantsTestCase,
        "test_" + _variant.name.replace(" ", "_").replace("'", ""),
        _test(_variant),
    )
