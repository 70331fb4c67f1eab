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

from nova_ha.sim import runner
from tests import base
from tests.unit.sim import variants
from tests.unit.sim.variants import fault


class CaretakerTestCase(base.TestCase):
    """After the calm no case has a reason to stay open."""

    def end(self, *faults, calm=60.0):
        return runner.run(
            variants.scenario(*faults, fault("calm", at=calm), seconds=400.0)
        )

    def check_well(self, result):
        self.assertEqual((), result.violations)
        self.assertEqual((), result.stuck)
        codes = [entry.what for entry in result.entries]
        self.assertIn("case.closed", codes)

    def test_what_was_recovered_is_switched_on(self):
        self.check_well(self.end(variants.CRASH))

    def test_troubles_are_undone(self):
        self.check_well(
            self.end(
                variants.CRASH,
                fault("bmc", "host-1", mode="dead"),
                fault("cut", "engine-1", "engine-2", at=30.0),
                fault("stop-nova", at=30.0),
                fault("pause", at=31.0),
                fault("stop-zookeeper", at=40.0),
            )
        )

    def test_failed_evacuations_are_decided_about(self):
        result = self.end(
            fault("rebuilds", outcomes=("failed",) * 99),
            variants.CRASH,
            calm=120.0,
        )
        self.check_well(result)
        codes = [entry.what for entry in result.entries]
        self.assertIn("case.accepted", codes)

    def test_what_nova_never_finishes_is_cleaned_up(self):
        self.check_well(
            self.end(
                fault("rebuilds", outcomes=("stuck", "failed-running")),
                variants.CRASH,
            )
        )
