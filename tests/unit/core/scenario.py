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

"""A recovery on the fake cloud, brought to where a test begins."""

import dataclasses

from nova_ha.core import model
from nova_ha.core.model import CaseState
from tests import base
from tests.fakes import chaos


class ScenarioTestCase(base.TestCase):
    """Host ``a`` with two instances, three more hosts, one engine."""

    def setUp(self):
        super().setUp()
        self.cloud = chaos.ChaosCloud()
        self.engine = chaos.ChaosEngine(self.cloud)
        self.host = self.cloud.hosts["a"]
        self.engine.run(30)

    # -- to a state --

    def reach(self, *states, host="a", seconds=120.0):
        self.engine.run_until(
            lambda: self.engine.state(host) in states, seconds
        )

    def is_in(self, state, host="a"):
        self.assertIs(state, self.engine.state(host))

    def crash(self, power=model.PowerState.ON):
        self.cloud.crash("a", power=power)

    def cut_off(self):
        """It runs, but neither its agent nor its nova-compute is heard."""
        self.host.agent = self.host.compute = False

    def to_evacuating(self):
        """One wave is in flight, and stays there."""
        self.cloud.rebuild_seconds = 1000.0
        self.crash()
        self.reach(CaseState.EVACUATING)
        self.engine.run(1)

    def to_evacuated(self):
        self.crash()
        self.reach(CaseState.EVACUATED)

    def to_partial(self, vm_state="suspended"):
        self.change("a0", vm_state=vm_state)
        self.crash()
        self.reach(CaseState.PARTIAL)

    def to_soaking(self):
        self.to_evacuated()
        self.come_back()
        self.reach(CaseState.SOAKING)

    def to_fence_failed(self):
        self.host.device = "fails"
        self.crash()
        self.reach(CaseState.FENCE_FAILED)

    def come_back(self):
        self.cloud.switch_on("a", agent=True)
        self.cloud.clean_up("a")

    def survive(self):
        """Let another engine take over."""
        self.cloud.clock.now += 12.0
        self.engine = chaos.ChaosEngine(self.cloud, epoch=self.cloud.epoch + 1)

    # -- what is there --

    @property
    def case(self):
        return self.engine.case("a")

    def move(self, instance):
        (move,) = (
            move for move in self.case.moves if move.instance == instance
        )
        return move

    def change(self, instance, **changes):
        self.cloud.servers[instance] = dataclasses.replace(
            self.cloud.servers[instance], **changes
        )

    def calls(self, *kinds):
        return [call for call in self.cloud.calls if call[0] in kinds]

    def confirm(self):
        self.cloud.confirm(self.case, by="admin")

    def codes(self):
        return self.engine.notifier.codes()

    def history(self):
        return [case.state for case in self.cloud.history.values()]
