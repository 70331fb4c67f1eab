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

from nova_ha.core import model
from tests.unit.core import builders as make
from tests.unit.sim.invariants import stage


class BrakeTestCase(stage.TestCase):
    def test_one_host_at_a_time_in_a_small_cloud(self):
        self.stage.power_off("a")
        self.stage.power_off("a", device="other")
        self.stage.later(61.0)
        self.stage.power_off("b")
        self.assert_kept()

    def test_two_within_the_window(self):
        self.stage.power_off("a")
        self.stage.later(59.0)
        self.stage.power_off("b")
        self.assert_broken(6)

    def test_a_host_whose_recovery_waits_for_the_next_one(self):
        self.stage.fall("a")
        self.stage.power_off("a")
        self.stage.proven_case("a", ("i1", "b"))
        self.stage.power_off("b")
        self.assert_kept()
        self.stage.power_off("c")
        self.assert_broken(6)

    def test_a_host_that_is_fenced_again_is_nothing_new(self):
        self.stage.power_off("a")
        self.stage.save_case("b", refencing=True)
        self.stage.power_off("b")
        self.assert_kept()


class StormTestCase(stage.TestCase):
    def storm(self, code, domain=""):
        event = model.AuditEvent(code=code, details={"failure_domain": domain})
        self.stage.note("e1", code, event=event)

    def fence(self, host="a"):
        self.stage.later(1.0)
        self.stage.save_case(host, state=model.CaseState.FENCING)
        self.stage.power_off(host)

    def test_nothing_new_in_a_storm(self):
        self.storm("storm.begun")
        self.fence()
        self.assert_broken(6)

    def test_after_a_storm(self):
        self.storm("storm.begun")
        self.storm("storm.over")
        self.fence()
        self.assert_kept()

    def test_what_was_decided_before_the_storm(self):
        self.stage.save_case("a", state=model.CaseState.FENCING)
        self.storm("storm.begun")
        self.stage.later(30.0)
        self.stage.power_off("a")
        self.assert_kept()

    def test_a_host_that_is_fenced_again(self):
        self.storm("storm.begun")
        self.stage.later(1.0)
        self.stage.save_case(
            "a", state=model.CaseState.FENCING, refencing=True
        )
        self.stage.power_off("a")
        self.assert_kept()

    def test_a_storm_in_another_failure_domain(self):
        self.storm("storm.begun", "rack-2")
        self.fence()
        self.assert_kept()

    def test_a_storm_in_its_own(self):
        record = make.record("a", failure_domain="rack-2")
        self.stage.write(stage.PATHS.host("a"), record)
        self.storm("storm.begun", "rack-2")
        self.fence()
        self.assert_broken(6)

    def test_a_new_leader_judges_for_itself(self):
        self.storm("storm.begun")
        self.stage.note("e1", "engine.leading")
        self.fence()
        self.assert_kept()
