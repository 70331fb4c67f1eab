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

"""What ``nova-ha config check`` says about commands over the bus."""

from nova_ha.assembly.config_files import Grade
from nova_ha.rpc import check
from tests.unit.rpc import bus_case


class FindingsTest(bus_case.BusCase):
    def found(self, **changes):
        return list(check.findings(self.configured(**changes)))

    def only(self, grade, words, **changes):
        (one,) = self.found(**changes)
        self.assertIs(grade, one.grade)
        self.assertIn(words, one.detail)

    def test_not_enabled(self):
        self.only(Grade.OK, "ZooKeeper", enabled=False)

    def test_without_authentication(self):
        found = {one.detail: one.grade for one in self.found()}
        self.assertEqual({Grade.WARNING}, set(found.values()))
        self.assertIn("noauth", "".join(found))
        self.assertIn("names no broker", "".join(found))

    def test_what_an_engine_would_not_start_with(self):
        self.only(
            Grade.ERROR, "zookeeper_password_file", zookeeper_password_file=""
        )

    def test_keystone_takes_the_credentials_of_nova(self):
        self.only(Grade.ERROR, "[nova] auth_type", auth_strategy="keystone")

    def test_a_policy_that_cannot_be_read(self):
        (self.directory / "policy.yaml").write_text("{ ]")
        self.only(Grade.ERROR, "policy_file")
