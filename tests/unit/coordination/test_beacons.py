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

"""See the suite; here on a tree in memory."""

from nova_ha import exception
from tests.contract.coordination import beacons_contract
from tests.contract.coordination import coordinated
from tests.unit.coordination import fake_tree


class BeaconsTest(beacons_contract.BeaconsContract, fake_tree.FakeTree):
    def test_a_goodbye_with_strange_children_ends_no_agent(self) -> None:
        self.beacons.goodbye(coordinated.goodbye())
        self.tree.create(f"{self.paths.goodbye(coordinated.C1)}/strange")
        error = self.assertRaises(
            exception.CoordinationUnavailable,
            self.beacons.show,
            coordinated.beacon(),
        )
        self.assertIn("goodbye has children", str(error))
