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

from nova_ha.sim import network
from tests.unit.sim import nova_cloud
from tests.unit.sim.nova_cloud import ONE


class PowerTestCase(nova_cloud.NovaTestCase):
    """What users ask for, in the queue of a nova-compute."""

    def state(self):
        return self.nova.servers[ONE].vm_state

    def test_stop_and_start(self):
        self.nova.stop(ONE)
        self.run_for(5.0)
        self.assertEqual(([], "stopped"), (self.runs_on(), self.state()))
        self.nova.start(ONE)
        self.run_for(5.0)
        self.assertEqual((["a"], "active"), (self.runs_on(), self.state()))

    def test_suspend(self):
        self.nova.suspend(ONE)
        self.run_for(5.0)
        self.assertEqual(([], "suspended"), (self.runs_on(), self.state()))

    def test_pause(self):
        self.nova.pause(ONE)
        self.run_for(5.0)
        self.assertEqual((["a"], "paused"), (self.runs_on(), self.state()))

    def test_not_allowed(self):
        self.nova.start(ONE)
        self.assertIn("nova.refused", self.codes("operator"))

    def test_delete(self):
        self.nova.delete(ONE)
        self.nova.delete(ONE)
        self.run_for(5.0)
        self.assertEqual([], self.runs_on())
        self.assertNotIn(ONE, self.nova.servers)

    def test_waits_until_the_queue_is_reached(self):
        self.networks.cut_link("a", network.Server.QUEUE)
        self.nova.stop(ONE)
        self.run_for(600.0)
        self.assertEqual(["a"], self.runs_on())
        self.networks.join_link("a", network.Server.QUEUE)
        self.run_for(5.0)
        self.assertEqual([], self.runs_on())

    def test_out_of_date(self):
        self.machines["a"].power_off()
        self.nova.stop(ONE)
        self.nova.operator_force_down("a", True)
        self.evacuate("b")
        self.run_for(10.0)
        self.machines["a"].power_on()
        self.run_for(60.0)
        self.assertEqual((["b"], "active"), (self.runs_on(), self.state()))
