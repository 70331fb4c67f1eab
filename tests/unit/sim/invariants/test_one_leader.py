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

from tests.unit.sim.invariants import stage


class OneLeaderTestCase(stage.TestCase):
    def test_the_leader_acts(self):
        self.stage.note("e1", "nova.force-down", host="a", forced=True)
        self.assert_kept()

    def test_somebody_else_acts(self):
        self.stage.note("e2", "nova.force-down", host="a", forced=True)
        self.assert_broken(3)

    def test_nobody_leads(self):
        self.stage.leader = None
        self.stage.power_off()
        self.assert_broken(3)

    def test_operators_need_not_lead(self):
        self.stage.note("operator", "nova.force-down", host="a", forced=True)
        self.assert_kept()

    def test_a_deposed_leader_reads_devices_and_harms_nobody(self):
        self.stage.leader = "e2"
        self.stage.machines["a"].off()
        self.stage.read()
        self.assert_kept()

    def test_a_session_that_the_servers_have_ended_early(self):
        """Its lease was given for longer, and nobody has told it."""
        self.stage.note("e1", "fault.expire")
        self.stage.leader = "e2"
        self.stage.later(5.0)
        self.stage.power_off()
        self.assert_kept()
        self.stage.later(2.0)
        self.stage.power_off()
        self.assert_broken(3)

    def test_anothers_session(self):
        self.stage.leader = "e2"
        self.stage.note("e2", "fault.expire")
        self.stage.power_off()
        self.assert_broken(3)
