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

"""Making the tree, and refusing one that is open to others."""

import dataclasses

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import beacons
from nova_ha.coordination import opening
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination import zookeeper
from tests.contract.coordination.coordinated import C1

DENIED = exception.CoordinationDenied


class TreeTest(zookeeper.ZooKeeperTest):
    def passwords(self, **changes: str) -> dict[acl.Role, str]:
        return {
            **zookeeper.PASSWORDS,
            **{acl.Role(role): value for role, value in changes.items()},
        }

    def init(
        self, session: znodes.GuardedZnodes, **changes: str
    ) -> tree_module.InitReport:
        ids = acl.identities(self.passwords(**changes))
        return tree_module.init_tree(session, self.paths, ids)

    def refused(self, path: str, words: str) -> None:
        for role in (acl.Role.ENGINE, acl.Role.AGENT, acl.Role.OPERATOR):
            error = self.assertRaises(
                exception.ConfigError,
                tree_module.check_tree,
                self.open(role),
                self.paths,
            )
            self.assertEqual(path, error.option)
            self.assertIn(words, error.problem)
            self.assertIn("nova-ha zk init", error.remedy)

    def world(self, perms: znodes.Perm) -> list[znodes.Acl]:
        return [znodes.Acl("world", "anyone", perms)]

    def test_a_good_tree(self) -> None:
        for role in (acl.Role.ENGINE, acl.Role.AGENT, acl.Role.OPERATOR):
            tree_module.check_tree(self.open(role), self.paths)

    def test_is_disarmed(self) -> None:
        node = self.open(acl.Role.ENGINE).get(self.paths.control)
        assert node is not None and node.data is not None
        self.assertEqual(
            model.Control(),
            codec.decode(model.Control, node.data, node.path),
        )

    def test_again_changes_nothing(self) -> None:
        armed = codec.encode(model.Control(armed=True))
        self.operator.set(self.paths.control, armed)
        report = self.init(self.operator)
        self.assertEqual(((), ()), (report.created, report.secured))
        node = self.operator.get(self.paths.control)
        assert node is not None
        self.assertEqual(armed, node.data)

    def test_no_tree(self) -> None:
        self.paths = dataclasses.replace(self.paths, namespace="nothing")
        self.refused("[zookeeper] namespace", "has not been made")

    def test_an_open_node_is_refused_and_mended(self) -> None:
        path = self.paths.cases
        self.operator.set_acl(path, self.world(znodes.Perm.ALL))
        self.refused(path, "can be written by anybody")
        report = self.init(self.operator)
        self.assertEqual((path,), report.secured)
        self.test_a_good_tree()

    def test_a_foreign_grant_is_refused(self) -> None:
        path = self.paths.agents
        stranger = znodes.Acl(
            "digest", acl.identity("eve", "x"), znodes.Perm.ALL
        )
        good = list(self.operator.acl(path))
        self.operator.set_acl(path, [*good, stranger])
        self.refused(path, "does not have the access list")

    def test_a_foreign_owner_is_refused(self) -> None:
        """Somebody made the root before us."""
        self.paths = dataclasses.replace(self.paths, namespace="squatted")
        self.operator.create_guarded(
            self.paths.root,
            b"",
            [znodes.Acl("digest", acl.identity("eve", "x"), znodes.Perm.ALL)],
        )
        error = self.assertRaises(
            exception.CoordinationDenied, self.init, self.operator
        )
        self.assertIn(self.paths.root, error.path)

    def test_a_missing_container(self) -> None:
        self.operator.delete(self.paths.confirmations)
        self.refused(self.paths.confirmations, "is missing")
        self.assertEqual(
            (self.paths.confirmations,), self.init(self.operator).created
        )

    def test_wrong_password(self) -> None:
        session = self.open("engine", password="guessed-and-quite-wrong")
        error = self.assertRaises(
            exception.CoordinationDenied,
            tree_module.check_tree,
            session,
            self.paths,
        )
        self.assertIn("[zookeeper] username and password", str(error))

    def test_deeper_nodes_are_mended(self) -> None:
        mine = beacons.ZooKeeperBeacons(self.open_agent(), self.paths, C1)
        mine.show(coordinated.beacon())
        self.operator.create_guarded(
            self.paths.host(C1), b"", self.world(znodes.Perm.ALL)
        )
        self.assertEqual(
            (self.paths.host(C1),), self.init(self.operator).secured
        )
        stranger = self.open("engine", password="guessed-and-quite-wrong")
        self.assertRaises(DENIED, stranger.set, self.paths.host(C1), b"")

    def test_a_password_is_changed(self) -> None:
        new = "another-password-of-engines"
        old = self.open(acl.Role.ENGINE)
        self.init(self.operator, engine=new)
        self.assertRaises(DENIED, old.children, self.paths.cases)
        fresh = self.open(acl.Role.ENGINE, password=new)
        self.stand(fresh)
        tree_module.check_tree(fresh, self.paths)

    def test_that_of_the_agents_changes_and_each_keeps_its_own(self) -> None:
        new = "another-password-of-agents"
        old = self.open_agent()
        beacons.ZooKeeperBeacons(old, self.paths, C1).show(
            coordinated.beacon()
        )
        self.init(self.operator, agent=new)
        self.assertRaises(DENIED, old.get, self.paths.beacon(C1))
        fresh = self.open(acl.Role.AGENT, password=new, host=C1)
        beacons.ZooKeeperBeacons(fresh, self.paths, C1).show(
            coordinated.beacon()
        )
        tree_module.check_agents(self.operator, self.paths)

    def test_the_operators_password_is_changed(self) -> None:
        new = "another-password-of-operators"
        self.init(self.operator, operator=new)
        fresh = self.open(acl.Role.OPERATOR, password=new)
        self.addCleanup(self.init, fresh)  # /nova-ha is all tests'
        fresh.set(self.paths.control, b"")
        self.assertRaises(DENIED, self.operator.get, self.paths.control)

    def test_first_made_with_a_password_that_is_to_change(self) -> None:
        new = "another-password-of-operators"
        self.paths = dataclasses.replace(self.paths, namespace="changing")
        self.init(self.operator, operator=new)
        self.assertRaises(DENIED, self.operator.get, self.paths.root)
        fresh = self.open(acl.Role.OPERATOR, password=new)
        self.addCleanup(self.init, fresh)
        tree_module.check_tree(fresh, self.paths)
        self.assertEqual((), self.init(fresh, operator=new).secured)

    def test_a_tree_that_was_made_without_credentials(self) -> None:
        self.paths = dataclasses.replace(self.paths, namespace="naked")
        for path in (self.paths.root, self.paths.hosts, self.paths.cases):
            self.operator.create_guarded(
                path, b"", self.world(znodes.Perm.ALL)
            )
        report = self.init(self.operator)
        self.assertEqual(
            {self.paths.root, self.paths.hosts, self.paths.cases},
            set(report.secured),
        )
        self.test_a_good_tree()

    def test_a_missing_chroot(self) -> None:
        settings = self.settings(
            "operator", hosts=f"{self.server.hosts}/no/such/place"
        )
        session = opening.new_session(settings, self.clock)
        self.addCleanup(session.close)
        session.start()
        error = self.assertRaises(
            exception.CoordinationError, self.init, session
        )
        self.assertIn("path behind [zookeeper] hosts", str(error))
