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

"""Some of the failures that nobody has thought of.

A bounded number of seeds, the same in every run: a change that breaks one of
them is to blame. More of them are one command: ``nova-ha simulate fuzz
--seeds 1000 --first 5000``.
"""

from nova_ha.sim import fuzz
from tests import base

SEEDS = range(1, 21)


class Seed:
    """One made-up cloud, its trouble, and the calm after it."""

    seed: int

    def test_every_invariant_holds_and_every_case_ends(self):
        result = fuzz.run([self.seed])
        self.assertEqual((), result.failures)
        self.assertGreater(result.steps, 0)


def _case(seed: int) -> type:
    """A class of its own, so that workers share the seeds out."""
    members = {"seed": seed, "__module__": __name__}
    return type(f"Seed{seed}TestCase", (Seed, base.TestCase), members)


globals().update({one.__name__: one for one in map(_case, SEEDS)})
