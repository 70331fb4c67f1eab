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

"""What the last look before a power-off may not find changed."""

from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import recovery
from nova_ha.core import sources
from nova_ha.core import work
from tests import base
from tests.unit.core import builders as make


class SignsTestCase(base.TestCase):
    def fence(self, verdict):
        heartbeat = sources.Source(
            value="boot-1 7", moved_at=900.0, looked_at=1000.0, moves=3
        )
        nova = make.silent_source(1000.0)
        view = make.missing(
            sources={sources.NOVA: nova, sources.STORAGE: heartbeat}
        )
        case = make.case(state=model.CaseState.FENCING)
        step = recovery.step(
            case,
            work.Progress(),
            events.Tick(),
            make.world(view, cases=[case], verdicts={"a": verdict}),
            make.now(1000.0),
        )
        (fence,) = (
            one for one in step.actions if isinstance(one, actions.Fence)
        )
        return fence

    def test_of_a_host_held_for_dead_nothing_may_move(self):
        fence = self.fence(make.verdict())
        self.assertEqual({"storage": "boot-1 7"}, fence.signs)
        self.assertEqual(make.utc(0), fence.service.reported_at)

    def test_of_one_that_is_cut_off_it_is_known_to_live(self):
        fence = self.fence(make.verdict("down", "isolated"))
        self.assertEqual({}, fence.signs)
