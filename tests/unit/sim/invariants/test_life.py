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

from tests.unit.core import builders as make
from tests.unit.sim.invariants import stage


class NotTheLivingTestCase(stage.TestCase):
    def setUp(self):
        super().setUp()
        self.reported(500.0)

    def reported(self, seconds_ago):
        at = self.stage.now - seconds_ago
        self.stage.services["a"] = make.service("a", at)

    def test_a_host_that_gives_no_sign(self):
        self.stage.power_off()
        self.assert_kept()

    def test_a_beacon(self):
        self.stage.write(stage.PATHS.beacon("a"), make.beacon())
        self.stage.later(3.0)
        self.stage.power_off()
        self.assert_broken(4)

    def test_a_beacon_that_the_last_look_can_have_missed(self):
        self.stage.write(stage.PATHS.beacon("a"), make.beacon())
        self.stage.later(1.0)
        self.stage.power_off()
        self.assert_kept()

    def test_a_beacon_of_a_host_that_has_crashed(self):
        self.stage.write(stage.PATHS.beacon("a"), make.beacon())
        self.stage.machines["a"].running = False
        self.stage.later(3.0)
        self.stage.power_off()
        self.assert_kept()

    def test_a_host_that_is_fenced_again(self):
        self.stage.write(stage.PATHS.beacon("a"), make.beacon())
        self.stage.save_case("a", refencing=True)
        self.stage.later(3.0)
        self.stage.power_off()
        self.assert_kept()

    def test_a_report_of_late(self):
        self.reported(10.0)
        self.stage.power_off()
        self.assert_broken(4)

    def test_a_report_that_the_last_look_can_have_missed(self):
        self.reported(1.0)
        self.stage.power_off()
        self.assert_kept()

    def test_a_report_long_ago(self):
        self.reported(16.0)
        self.stage.power_off()
        self.assert_kept()

    def test_a_goodbye(self):
        self.stage.write(stage.PATHS.goodbye("a"), make.goodbye(ttl=60.0))
        self.stage.later(30.0)
        self.stage.power_off()
        self.assert_broken(4)

    def test_a_goodbye_that_has_run_out(self):
        self.stage.write(stage.PATHS.goodbye("a"), make.goodbye(ttl=60.0))
        self.stage.later(61.0)
        self.stage.power_off()
        self.assert_kept()

    def test_a_goodbye_that_was_withdrawn(self):
        self.stage.write(stage.PATHS.goodbye("a"), make.goodbye(ttl=60.0))
        self.stage.write(stage.PATHS.goodbye("a"), None)
        self.stage.later(30.0)
        self.stage.power_off()
        self.assert_kept()
