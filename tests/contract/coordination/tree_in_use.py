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

"""A tree in use: every kind of node is there, made by its own role."""

from nova_ha.coordination import acl
from nova_ha.coordination import beacons
from nova_ha.coordination import store as store_module
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination import zookeeper
from tests.contract.coordination.coordinated import C1

CASE = model.CaseId("case-1")


class TreeInUse(zookeeper.ZooKeeperTest):
    def setUp(self) -> None:
        super().setUp()
        self.agent = self.open_agent()
        self.engine = self.open(acl.Role.ENGINE)
        self.epoch = self.stand(self.engine)
        store = store_module.ZooKeeperCaseStore(self.engine, self.paths)
        mine = beacons.ZooKeeperBeacons(self.agent, self.paths, C1)
        mine.show(coordinated.beacon())
        self.agent.create(self.paths.goodbye(C1))
        store.enrol(self.epoch, coordinated.host_record())
        old = coordinated.case(epoch=self.epoch, id=model.CaseId("case-0"))
        store.close(old, store.save(old, None))
        store.save(coordinated.case(epoch=self.epoch), None)
        store.publish(self.epoch, C1, coordinated.verdict())
        self.operator.create(self.paths.confirmation(CASE))
        self.operator.create(self.paths.request(C1))

    def leader_node(self) -> str:
        (name,) = self.operator.children(self.paths.leader)
        return f"{self.paths.leader}/{name}"

    def everything(self) -> dict[str, str]:
        """Short names and paths of all nodes but the leader's."""
        found: dict[str, str] = {}

        def walk(path: str) -> None:
            for name in self.operator.children(path):
                child = f"{path}/{name}"
                found[child.removeprefix(self.paths.root + "/")] = child
                walk(child)

        walk(self.paths.root)
        return {
            name: path
            for name, path in found.items()
            if not name.startswith("leader/")
        }
