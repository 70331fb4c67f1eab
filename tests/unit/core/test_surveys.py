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

"""When a survey is taken."""

from nova_ha.core import surveys
from nova_ha.core import work
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders as make

NOW = 1000.0


class StirredTestCase(base.TestCase):
    """Nova has told of an instance while the next survey was still far."""

    def next_survey(self, move, *, due=5.0, of="i1"):
        """Seconds until the next survey."""
        bench = work.Work(
            make.case(moves=(move,)),
            work.Progress(not_before={surveys.SURVEY: NOW + due}),
            make.world(make.missing()),
            make.now(NOW),
            {},
        )
        surveys.look_sooner(bench, of)
        return bench.progress.not_before[surveys.SURVEY] - NOW

    def test_what_is_under_way_is_looked_at_soon(self):
        for state in (MoveState.REQUESTED, MoveState.RUNNING):
            self.assertAlmostEqual(
                surveys.STIRRED, self.next_survey(make.move(state))
            )

    def test_nothing_is_put_off(self):
        move = make.move(MoveState.RUNNING)
        self.assertAlmostEqual(0.1, self.next_survey(move, due=0.1))

    def test_what_is_not_waited_for_changes_nothing(self):
        self.assertEqual(5.0, self.next_survey(make.move(MoveState.DONE)))
        running = make.move(MoveState.RUNNING)
        self.assertEqual(5.0, self.next_survey(running, of="other"))
