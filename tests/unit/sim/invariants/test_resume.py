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
from tests.unit.core import builders as make
from tests.unit.sim.invariants import stage


class PowerOffTestCase(stage.TestCase):
    def test_a_host_that_is_known_to_be_off(self):
        self.stage.fall("a")
        self.stage.read("a", "off")
        self.stage.power_off("a")
        self.assert_broken(7)

    def test_a_host_that_has_been_on_since(self):
        self.stage.fall("a")
        self.stage.read("a", "off")
        self.stage.rise("a")
        self.stage.fall("a")
        self.stage.power_off("a")
        self.assert_kept()

    def test_another_device_has_not_been_asked(self):
        self.stage.fall("a")
        self.stage.read("a", "off", device="pdu-1")
        self.stage.power_off("a", device="pdu-2")
        self.assert_kept()


class TwiceTestCase(stage.TestCase):
    def setUp(self):
        super().setUp()
        self.stage.fall("a")
        self.stage.proven_case("a", ("i1", "b"))
        self.evacuate()

    def evacuate(self):
        self.stage.evacuate()
        self.stage.migration(self.stage.accept(), "done")

    def test_once(self):
        self.assert_kept()

    def test_twice(self):
        self.evacuate()
        self.assert_broken(7)

    def test_a_record_that_the_source_cleans_up(self):
        self.stage.evacuate()
        self.stage.migration(self.stage.accept(), "completed")
        self.assert_kept()

    def test_again_after_the_guest_has_been_back(self):
        self.stage.rise("a")
        self.stage.start_guest("a")
        self.stage.fall("a")
        self.evacuate()
        self.assert_kept()


class LeftBehindTestCase(stage.TestCase):
    def service(self, **flags):
        self.stage.services["a"] = make.service("a", **flags)

    def test_nothing(self):
        self.stage.checker.finish()
        self.assert_kept()

    def test_a_forced_down_service(self):
        self.stage.note("e1", "nova.force-down", host="a", forced=True)
        self.service(forced_down=True)
        self.stage.checker.finish()
        self.assert_broken(7)

    def test_an_operators(self):
        self.stage.note("operator", "nova.force-down", host="a", forced=True)
        self.stage.note("e1", "nova.force-down", host="a", forced=True)
        self.service(forced_down=True)
        self.stage.checker.finish()
        self.assert_kept()

    def test_a_disabled_service(self):
        self.service(
            disabled=True, disabled_reason=f"{verdict.CASE_REASON}case-a"
        )
        self.stage.checker.finish()
        self.assert_broken(7)

    def test_while_its_case_is_open(self):
        self.service(
            disabled=True, disabled_reason=f"{verdict.CASE_REASON}case-a"
        )
        self.stage.save_case("a")
        self.stage.checker.finish()
        self.assert_kept()
