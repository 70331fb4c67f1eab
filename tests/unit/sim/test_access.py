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

"""The real lists, enforced in the simulator: who can do what."""

from nova_ha import exception
from nova_ha.coordination import beacons
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination import znodes
from nova_ha.core.model import CaseId
from tests.contract.coordination import coordinated
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2
from tests.unit.sim import in_time

DENIED = exception.CoordinationDenied


class AccessTest(in_time.InTime):
    def setUp(self) -> None:
        super().setUp()
        self.agent = self.agent_of(C1).tree
        self.engine = self.client("e1", "engine").tree

    def test_the_tree_is_as_it_should_be(self) -> None:
        for tree in (self.agent, self.engine, self.operator.tree):
            tree_module.check_tree(tree, self.paths)

    def test_agents_write_at_their_own_place_only(self) -> None:
        mine = beacons.ZooKeeperBeacons(self.agent, self.paths, C1)
        mine.show(coordinated.beacon())
        mine.touch()
        self.ensemble.write(self.paths.case(C1), b"{}")
        self.ensemble.write(self.paths.host(C1), b"{}")
        for path in (
            self.paths.control,
            self.paths.case(C1),
            self.paths.host(C1),
        ):
            self.assertRaises(DENIED, self.agent.set, path, b"")
            self.assertRaises(DENIED, self.agent.delete, path)
        for path in (
            self.paths.case(C2),
            self.paths.verdict(C2),
            self.paths.confirmation(CaseId("x")),
            f"{self.paths.leader}/c-x-",
        ):
            self.assertRaises(DENIED, self.agent.create, path)

    def test_engines_speak_for_no_host_and_no_operator(self) -> None:
        mine = beacons.ZooKeeperBeacons(self.agent, self.paths, C1)
        mine.show(coordinated.beacon())
        beacon = self.paths.beacon(C1)
        self.assertIsNotNone(self.engine.get(beacon))
        self.assertRaises(DENIED, self.engine.set, beacon, b"")
        self.assertRaises(DENIED, self.engine.set, self.paths.control, b"")
        # To have it shown again.
        self.engine.delete(beacon)
        self.assertRaises(DENIED, self.engine.create, beacon, ephemeral=True)

    def test_strangers_are_shown_nothing(self) -> None:
        stranger = self.client("x", "stranger").tree
        self.assertRaises(DENIED, stranger.get, self.paths.root)
        self.assertRaises(DENIED, stranger.children, self.paths.root)
        self.assertRaises(DENIED, stranger.acl, self.paths.root)
        nodes = stranger.get_many([self.paths.control])
        node = nodes[self.paths.control]
        assert node is not None
        self.assertIsNone(node.data)

    def test_digests_are_the_operators_business(self) -> None:
        for tree, shown in ((self.engine, False), (self.operator.tree, True)):
            digests = {
                entry.id.partition(":")[2] != "x"
                for entry in tree.acl(self.paths.hosts)
            }
            self.assertEqual({shown}, digests)

    def test_a_denied_transaction_changes_nothing(self) -> None:
        path = self.paths.case(C1)
        error = self.assertRaises(
            DENIED,
            self.engine.commit,
            [
                znodes.Create(path),
                znodes.Set(self.paths.control, b""),
            ],
        )
        self.assertEqual(self.paths.control, error.path)
        self.assertIsNone(self.ensemble.read(path))

    def test_no_agent_can_speak_for_another(self) -> None:
        theirs = beacons.ZooKeeperBeacons(
            self.agent_of(C2).tree, self.paths, C2
        )
        theirs.show(coordinated.beacon(host=C2))
        beacon = self.paths.beacon(C2)
        self.assertRaises(DENIED, self.agent.delete, beacon)
        self.assertRaises(DENIED, self.agent.set, beacon, b"")
        self.assertRaises(DENIED, self.agent.create, self.paths.goodbye(C2))

    def test_the_role_of_the_agents_speaks_for_nobody(self) -> None:
        shared = self.client("c1", "agent").tree
        mine = beacons.ZooKeeperBeacons(shared, self.paths, C1)
        error = self.assertRaises(DENIED, mine.show, coordinated.beacon())
        self.assertIn("nova-ha zk enrol c1", str(error))
