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

"""How many evacuations are under way at the same time."""

from nova_ha.core import evacuation
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import surveys
from nova_ha.core import work
from nova_ha.core.model import MoveState
from tests import base
from tests.fakes import chaos
from tests.unit.core import builders as make
from tests.unit.core import scenario


class PlacingTestCase(scenario.ScenarioTestCase):
    """Thirty-two instances, and more room than they need."""

    def to_evacuating(self):
        self.engine = chaos.ChaosEngine(
            self.cloud,
            epoch=2,
            policy=policy_mod.Policy(
                evacuations=30, evacuations_per_target=30
            ),
        )
        self.engine.run(30)
        for number in range(30):
            self.cloud.boot("a", f"more{number}")
        super().to_evacuating()
        self.engine.run(10)
        return len(self.calls("evacuate"))

    def test_few_requests_wait_for_their_targets(self):
        self.cloud._claim = lambda: None
        self.assertEqual(surveys.PLACING, self.to_evacuating())

    def test_guests_that_start_slowly_keep_others_waiting_at_the_limit(self):
        self.assertEqual(30, self.to_evacuating())


class RoomTestCase(base.TestCase):
    def slots(self, before, now):
        """How many instances the target takes beside those of the case,
        which was ``before`` when the step began."""
        policy = policy_mod.Policy(evacuations_per_target=9)
        world = make.world(
            make.missing(),
            make.present(host="d"),
            cases=[before],
            policy=policy,
        )
        bench = work.Work(now, work.Progress(), world, make.now(1000.0), {})
        room = evacuation.room_for(bench, (model.Target(host="d", free={}),))
        free = 0
        while room.slot("d"):
            room.take("d", {})
            free += 1
        return free

    def test_what_is_under_way_takes_one_slot(self):
        going = make.move(MoveState.RUNNING, target="d")
        case, begun = make.case(moves=(going,)), make.case()
        self.assertEqual(8, self.slots(case, case))
        self.assertEqual(8, self.slots(begun, case))
