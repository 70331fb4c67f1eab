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

"""How fast a recovery gets on."""

from nova_ha.core import phases
from nova_ha.core.phases import Phase
from tests import base
from tests.unit.core import builders


def case(**times):
    return builders.case(
        times={name: builders.utc(when) for name, when in times.items()}
    )


class PhasesTestCase(base.TestCase):
    def reached(self, before, after):
        return dict(phases.reached(before, after))

    def test_each_phase_is_reached_once(self):
        before = case(fencing=8)
        after = case(fencing=8, fenced=11, forced_down=11.5)
        self.assertEqual({Phase.DETECTED: 8.0}, self.reached(None, before))
        self.assertEqual(
            {Phase.FENCED: 11.0, Phase.FORCED_DOWN: 11.5},
            self.reached(before, after),
        )
        self.assertEqual({}, self.reached(after, after))

    def test_a_second_round_of_fencing_is_no_second_detection(self):
        self.assertEqual({}, self.reached(case(fencing=8), case(fencing=300)))

    def test_what_reads_off_is_detected_without_fencing(self):
        self.assertEqual(
            {Phase.DETECTED: 5.0, Phase.FENCED: 5.0},
            self.reached(case(), case(fenced=5)),
        )

    def test_instances(self):
        self.assertEqual(
            {Phase.FIRST_INSTANCE: 20.0, Phase.ALL_INSTANCES: 30.0},
            self.reached(
                case(fenced=5, forced_down=6),
                case(
                    fenced=5,
                    forced_down=6,
                    first_instance=20,
                    all_instances=30,
                ),
            ),
        )

    def test_a_time_of_day_that_was_set_back_is_no_negative_time(self):
        self.assertEqual(
            {Phase.DETECTED: 0.0}, self.reached(None, case(fencing=-40))
        )
