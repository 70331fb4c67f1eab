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

"""Enrolling hosts, and what becomes of the credentials that they had."""

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import beacons
from nova_ha.coordination import credentials
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination import znodes
from nova_ha.coordination.credentials import Credential
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination import zookeeper
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2

DENIED = exception.CoordinationDenied
CLOSED = [znodes.Acl("auth", "", znodes.Perm.ALL)]
NEW = "another-password-of-this-host"


class CredentialsCase(zookeeper.ZooKeeperTest):
    def beacons(
        self, session: znodes.Znodes, host: model.HostName = C1
    ) -> beacons.ZooKeeperBeacons:
        return beacons.ZooKeeperBeacons(session, self.paths, host)

    def init(self) -> tree_module.InitReport:
        ids = acl.identities(zookeeper.PASSWORDS)
        return tree_module.init_tree(self.operator, self.paths, ids)

    def kinds(self) -> dict[str, Credential]:
        return dict(credentials.of_hosts(self.operator, self.paths))

    def check(self) -> None:
        for role in (acl.Role.OPERATOR, acl.Role.ENGINE, acl.Role.AGENT):
            tree_module.check_agents(self.open(role), self.paths)


class EnrolTest(CredentialsCase):
    def test_nobody_speaks_for_a_host_before(self) -> None:
        agent = self.beacons(self.open(acl.Role.AGENT, host=C1))
        for say in (
            lambda: agent.show(coordinated.beacon()),
            lambda: agent.goodbye(coordinated.goodbye()),
            lambda: agent.inventory(coordinated.inventory()),
        ):
            error = self.assertRaises(DENIED, say)
            self.assertIn("nova-ha zk enrol c1", str(error))
        # What it may read it reads: the start gate asks no more.
        self.assertIsNone(agent.case())
        self.enrol(C1)
        agent.show(coordinated.beacon())
        self.assertEqual({C1: Credential.OWN}, self.kinds())
        self.check()

    def test_a_host_whose_name_is_escaped(self) -> None:
        host = model.HostName("a/b:c")
        agent = self.beacons(self.open_agent(host), host)
        agent.show(coordinated.beacon(host=host))
        self.assertEqual({host: Credential.OWN}, self.kinds())
        self.check()

    def test_another_password_takes_the_place_of_the_first(self) -> None:
        session = self.open_agent()
        old = self.beacons(session)
        old.show(coordinated.beacon())
        old.inventory(coordinated.inventory())
        self.enrol(C1, NEW)
        # It lives on, but says nothing new.
        old.touch()
        changed = coordinated.beacon(agent_version="2")
        self.assertRaises(DENIED, old.show, changed)
        self.assertRaises(DENIED, old.goodbye, coordinated.goodbye())
        self.assertIsNotNone(self.operator.get(self.paths.beacon(C1)))
        # After the restart it takes its beacon over.
        fresh = self.open(acl.Role.AGENT, host=C1, host_password=NEW)
        self.beacons(fresh).show(changed)
        self.beacons(fresh).inventory(coordinated.inventory(sequence=2))
        self.check()

    def test_only_an_operator_enrols(self) -> None:
        own = acl.identity("agent@c1", "chosen-by-a-thief")
        for session in (
            self.open(acl.Role.ENGINE),
            self.open_agent(C2),
            self.open_agent(C1),
        ):
            self.assertRaises(
                DENIED, credentials.enrol, session, self.paths, C1, own
            )

    def test_what_the_old_one_had_closed_goes(self) -> None:
        thief = self.open_agent()
        for path in (self.paths.beacon(C1), self.paths.goodbye(C1)):
            thief.create_guarded(path, b"{}", CLOSED)
        # Not even children keep it.
        thief.create_guarded(f"{self.paths.goodbye(C1)}/x", b"", CLOSED)
        self.enrol(C1, NEW)
        self.assertIsNone(self.operator.get(self.paths.beacon(C1)))
        fresh = self.open(acl.Role.AGENT, host=C1, host_password=NEW)
        self.beacons(fresh).inventory(coordinated.inventory())

    def test_no_tree(self) -> None:
        self.operator.delete(self.paths.agents)
        self.assertRaises(znodes.NodeMissing, self.enrol, C1)


class RevokeTest(CredentialsCase):
    def revoke(self, host: model.HostName = C1) -> None:
        credentials.revoke(self.operator, self.paths, host)

    def test_nothing_is_left_of_what_it_said(self) -> None:
        agent = self.beacons(self.open_agent())
        agent.show(coordinated.beacon())
        agent.inventory(coordinated.inventory())
        self.revoke()
        left = self.operator.children(self.paths.agent(C1))
        self.assertEqual((), tuple(left))
        self.assertRaises(DENIED, agent.show, coordinated.beacon())
        self.assertEqual({C1: Credential.NONE}, self.kinds())
        # It stays so until an operator says otherwise.
        self.assertEqual((), tuple(self.init().secured))
        self.check()
        self.enrol(C1)
        agent.show(coordinated.beacon())

    def test_a_host_that_is_none(self) -> None:
        error = self.assertRaises(exception.CoordinationError, self.revoke)
        self.assertIn("c1 is not enrolled", str(error))


class InitTest(CredentialsCase):
    def test_each_host_keeps_its_own(self) -> None:
        agent = self.beacons(self.open_agent())
        agent.show(coordinated.beacon())
        for path in (self.paths.beacon(C1), self.paths.agents):
            self.operator.set_acl(
                path, [znodes.Acl("world", "anyone", znodes.Perm.ALL)]
            )
        self.assertEqual(
            {self.paths.beacon(C1), self.paths.agents},
            set(self.init().secured),
        )
        agent.show(coordinated.beacon(agent_version="2"))
        self.check()

    def test_a_closed_node_is_told_and_mended(self) -> None:
        session = self.open_agent()
        path = self.paths.guests(C1)
        session.create_guarded(path, b"{}", CLOSED)
        error = self.assertRaises(exception.ConfigError, self.check)
        self.assertEqual(path, error.option)
        self.assertIn("nova-ha zk init", error.remedy)
        self.init()
        self.check()
        self.beacons(session).inventory(coordinated.inventory())

    def test_a_place_for_two_is_refused(self) -> None:
        self.enrol(C1)
        place = self.paths.agent(C1)
        eve = acl.identity("eve", "x")
        good = list(self.operator.acl(place))
        more = znodes.Acl("digest", eve, znodes.Perm.CREATE)
        self.operator.set_acl(place, [*good, more])
        error = self.assertRaises(exception.ConfigError, self.check)
        self.assertEqual(place, error.option)
        self.init()
        self.check()


class FormerReleaseTest(CredentialsCase):
    """Until it is enrolled, a host goes on as it was."""

    def setUp(self) -> None:
        super().setUp()
        self.shared = acl.identities(zookeeper.PASSWORDS)[acl.Role.AGENT]
        perms = znodes.Perm.READ | znodes.Perm.CREATE | znodes.Perm.DELETE
        self.operator.create_guarded(
            self.paths.agent(C1),
            b"",
            [znodes.Acl("digest", self.shared, perms), *CLOSED],
        )
        self.session: kazoo_znodes.KazooZnodes = self.open(acl.Role.AGENT)
        self.agent = self.beacons(self.session)

    def test_its_agent_works_before_and_after_init(self) -> None:
        self.agent.show(coordinated.beacon())
        self.assertIn(self.paths.agent(C1), self.init().secured)
        self.agent.show(coordinated.beacon(agent_version="2"))
        self.agent.inventory(coordinated.inventory())
        self.agent.goodbye(coordinated.goodbye())
        self.assertEqual({C1: Credential.SHARED}, self.kinds())
        self.assertEqual((), tuple(self.init().secured))
        self.check()

    def test_it_is_enrolled_while_its_agent_runs(self) -> None:
        self.agent.show(coordinated.beacon())
        self.enrol(C1)
        self.agent.touch()
        fresh = self.beacons(self.open(acl.Role.AGENT, host=C1))
        fresh.show(coordinated.beacon())
        self.assertEqual({C1: Credential.OWN}, self.kinds())
        self.check()

    def test_no_other_host_is_made_with_the_shared_password(self) -> None:
        self.init()
        place = self.paths.agent(C2)
        self.assertRaises(DENIED, self.session.create, place)
