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


class OwnVoiceTestCase(stage.TestCase):
    def write(self, path, value, who, user):
        self.stage.write(path, value, who, user)

    def test_an_agent_below_its_own_parent(self):
        self.write(stage.PATHS.beacon("a"), make.beacon("a"), "a", "agent")
        self.assert_kept()

    def test_an_agent_speaks_for_another_host(self):
        self.write(stage.PATHS.beacon("b"), make.beacon("b"), "a", "agent")
        self.assert_broken(10)

    def test_a_name_that_begins_alike(self):
        self.write(stage.PATHS.beacon("aa"), make.beacon("aa"), "a", "agent")
        self.assert_broken(10)

    def test_an_agent_judges(self):
        self.write(stage.PATHS.case("a"), make.case("a"), "a", "agent")
        self.assert_broken(10)

    def test_an_engine_may(self):
        self.write(stage.PATHS.case("a"), make.case("a"), "e1", "engine")
        self.assert_kept()
