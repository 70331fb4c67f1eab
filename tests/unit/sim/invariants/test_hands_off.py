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

from nova_ha.core import verdict
from tests.unit.sim.invariants import stage

OURS = f"{verdict.CASE_REASON}case-a"


class HandsOffTestCase(stage.TestCase):
    def force_down(self, who, forced=True):
        self.stage.note(who, "nova.force-down", host="a", forced=forced)

    def disable(self, who, reason):
        self.stage.note(who, "nova.disabled", host="a", reason=reason)

    def enable(self, who="e1"):
        self.stage.note(who, "nova.enabled", host="a")

    def test_what_we_set_is_taken_back(self):
        self.force_down("e1")
        self.disable("e1", OURS)
        self.stage.later(60.0)
        self.force_down("e1", False)
        self.enable()
        self.assert_kept()

    def test_an_operators_force_down(self):
        self.force_down("operator")
        self.stage.later(60.0)
        self.force_down("e1", False)
        self.assert_broken(9)

    def test_one_that_we_have_repeated_is_still_his(self):
        self.force_down("operator")
        self.stage.later(60.0)
        self.force_down("e1")
        self.stage.later(60.0)
        self.force_down("e1", False)
        self.assert_broken(9)

    def test_one_that_he_has_repeated_is_ours(self):
        self.force_down("e1")
        self.stage.later(60.0)
        self.force_down("operator")
        self.stage.later(60.0)
        self.force_down("e1", False)
        self.assert_kept()

    def test_an_operators_disable(self):
        self.disable("operator", "new disks")
        self.stage.later(60.0)
        self.enable()
        self.assert_broken(9)

    def test_one_that_replaces_ours(self):
        self.disable("e1", OURS)
        self.disable("operator", "new disks")
        self.stage.later(60.0)
        self.enable()
        self.assert_broken(9)

    def test_one_that_cannot_be_known_yet(self):
        self.disable("operator", "new disks")
        self.stage.later(1.0)
        self.enable()
        self.assert_kept()

    def test_an_operators_disable_is_not_overwritten(self):
        self.disable("operator", "new disks")
        self.stage.later(60.0)
        self.disable("e1", OURS)
        self.assert_broken(9)

    def test_a_disabled_host_is_not_powered_off(self):
        self.disable("operator", "new disks")
        self.stage.later(60.0)
        self.stage.save_case("a")
        self.stage.power_off("a")
        self.assert_broken(9)

    def test_a_host_in_quarantine_was_disabled_by_us(self):
        self.disable("e1", f"{verdict.QUARANTINE_REASON}: 3 deaths")
        self.stage.later(60.0)
        self.stage.save_case("a")
        self.stage.power_off("a")
        self.enable()
        self.assert_kept()

    def test_one_that_was_disabled_in_the_course_of_its_case(self):
        self.stage.save_case("a")
        self.disable("operator", "new disks")
        self.stage.later(60.0)
        self.stage.power_off("a")
        self.assert_kept()

    def test_nova_disables_itself(self):
        self.disable("a", "AUTO: Connection to libvirt lost")
        self.stage.later(60.0)
        self.stage.save_case("a")
        self.stage.power_off("a")
        self.assert_kept()
