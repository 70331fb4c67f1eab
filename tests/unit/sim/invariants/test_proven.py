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


class PowerOffTestCase(stage.TestCase):
    def switch(self, **switches):
        self.stage.write(stage.PATHS.control, model.Control(**switches))

    def test_armed(self):
        self.stage.power_off()
        self.assert_kept()

    def test_disarmed(self):
        self.switch(armed=False)
        self.stage.later(3.0)
        self.stage.power_off()
        self.assert_broken(4)

    def test_paused(self):
        self.switch(armed=True, paused=True)
        self.stage.later(3.0)
        self.stage.power_off()
        self.assert_broken(4)

    def test_the_switch_may_have_been_read_just_before_it_changed(self):
        self.switch(armed=False)
        self.stage.later(1.0)
        self.stage.power_off()
        self.assert_kept()

    def test_a_host_in_maintenance(self):
        record = make.record("a", maintenance="new disks")
        self.stage.write(stage.PATHS.host("a"), record)
        self.stage.later(3.0)
        self.stage.power_off("a")
        self.assert_broken(4)

    def test_a_protected_host(self):
        record = make.record("a", protected="runs an engine")
        self.stage.write(stage.PATHS.host("a"), record)
        self.stage.later(3.0)
        self.stage.power_off("a")
        self.assert_broken(4)


class EvacuationTestCase(stage.TestCase):
    def test_without_a_case(self):
        self.stage.fall("a")
        self.stage.evacuate()
        self.assertIn(4, self.stage.broken)

    def test_without_evidence(self):
        self.stage.fall("a")
        self.stage.proven_case("a", ("i1", "b"), evidence=None)
        self.stage.evacuate()
        self.assert_broken(4)

    def test_with_evidence_that_is_in_doubt(self):
        self.stage.fall("a")
        self.stage.proven_case("a", ("i1", "b"), doubt="it reports")
        self.stage.evacuate()
        self.assert_broken(4)

    def test_a_host_that_has_power(self):
        self.stage.proven_case("a", ("i1", "b"))
        self.stage.evacuate()
        self.assert_broken(4)

    def test_a_host_that_has_just_been_switched_on(self):
        self.stage.fall("a")
        self.stage.proven_case("a", ("i1", "b"))
        self.stage.rise("a")
        self.stage.later(5.0)
        self.stage.evacuate()
        self.assert_kept()
        self.stage.later(5.0)
        self.stage.evacuate()
        self.assert_broken(4)

    def test_a_host_that_an_operator_vouches_for(self):
        evidence = make.evidence(model.EvidenceKind.OPERATOR_CONFIRMED)
        self.stage.proven_case("a", ("i1", "b"), evidence=evidence)
        self.stage.evacuate()
        self.assert_kept()


class PerishesTestCase(stage.TestCase):
    def setUp(self):
        super().setUp()
        self.stage.fall("a")
        self.stage.proven_case("a", ("i1", "b"))

    def test_a_beacon_that_has_just_come(self):
        self.stage.write(stage.PATHS.beacon("a"), make.beacon())
        self.stage.later(5.0)
        self.stage.evacuate()
        self.assert_kept()

    def test_a_beacon_that_has_been_there(self):
        self.stage.write(stage.PATHS.beacon("a"), make.beacon())
        self.stage.later(10.0)
        self.stage.evacuate()
        self.assert_broken(5)

    def test_a_beacon_that_has_gone(self):
        self.stage.write(stage.PATHS.beacon("a"), make.beacon())
        self.stage.later(10.0)
        self.stage.write(stage.PATHS.beacon("a"), None)
        self.stage.evacuate()
        self.assert_kept()

    def test_one_report_may_have_waited_in_the_queue(self):
        self.stage.services["a"] = make.service("a", self.stage.now + 3.0)
        self.stage.later(30.0)
        self.stage.evacuate()
        self.assert_kept()

    def test_the_second_report_is_a_life_sign(self):
        self.stage.services["a"] = make.service("a", self.stage.now + 20.0)
        self.stage.later(30.0)
        self.stage.evacuate()
        self.assert_broken(5)
