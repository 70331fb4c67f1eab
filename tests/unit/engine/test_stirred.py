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

"""Nova's notifications make an engine look sooner."""

from nova_ha.core import events
from nova_ha.core import policy as policy_mod
from nova_ha.core.model import CaseState
from nova_ha.core.model import MoveState
from tests import base
from tests.fakes import cloud as fakes


class StirredTestCase(base.TestCase):
    """An engine that would look for its evacuations every two minutes."""

    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.engine = fakes.EngineUnderTest(
            self.cloud, policy_mod.Policy(progress_interval=120.0)
        )
        self.engine.run(60)
        self.cloud.hosts["a"].crash()
        self.engine.run_until(
            lambda: any(call[0] == "evacuate" for call in self.cloud.calls)
        )
        self.engine.run(20)

    def tell(self, instance):
        self.engine.handle(events.InstanceStirred(instance=instance))
        self.engine.run(1)
        return self.known()

    def known(self):
        """What the engine knows of its evacuations, which are done."""
        return {move.state for move in self.engine.case("a").moves}

    def test_it_looks_when_nova_tells(self):
        self.assertNotIn(MoveState.DONE, self.known())
        self.assertEqual({MoveState.DONE}, self.tell("a0"))

    def test_others_are_no_reason_to_look(self):
        for instance in ("b0", "nobody's"):
            self.assertNotIn(MoveState.DONE, self.tell(instance))

    def test_without_a_notification_it_finds_out_as_well(self):
        self.engine.run_until(
            lambda: self.engine.state("a") is CaseState.EVACUATED
        )
