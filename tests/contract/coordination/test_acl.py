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

"""Who may do what, as the server enforces it."""

import functools
from collections.abc import Callable

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import beacons
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import store as store_module
from nova_ha.coordination import znodes
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination import zookeeper
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2

CASE = model.CaseId("case-1")
DENIED = exception.CoordinationDenied

READABLE = {
    acl.Role.ENGINE: {
        "hosts", "hosts/c1", "agents", "agents/c1", "agents/c1/beacon",
        "agents/c1/goodbye", "leader", "cases", "cases/c1", "verdicts",
        "verdicts/c1", "confirmations", "confirmations/case-1", "requests",
        "requests/c1", "history", "history/case-0", "control", "roles",
    },
    acl.Role.AGENT: {
        "hosts/c1", "agents", "agents/c1", "agents/c1/beacon",
        "agents/c1/goodbye", "leader", "cases", "cases/c1", "roles",
    },
    acl.Role.SCHEDULER: {
        "hosts", "hosts/c1", "agents", "agents/c1", "agents/c1/beacon",
        "agents/c1/goodbye", "verdicts", "verdicts/c1", "control",
    },
}  # fmt: skip


class AclTest(zookeeper.ZooKeeperTest):
    """A tree in use: every kind of node is there, made by its own role."""

    def setUp(self) -> None:
        super().setUp()
        self.agent = self.open(acl.Role.AGENT)
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

    def changes(
        self, tree: znodes.Znodes, path: str
    ) -> list[Callable[[], object]]:
        guarded = tree
        assert isinstance(guarded, kazoo_znodes.KazooZnodes)
        mine = [znodes.Acl("auth", "", znodes.Perm.ALL)]
        return [
            lambda: tree.set(path, b""),
            lambda: guarded.create_guarded(f"{path}/new", b"", mine),
            lambda: tree.delete(path),
            lambda: guarded.set_acl(path, mine),
        ]

    def may(self, change: Callable[[], object]) -> bool:
        try:
            change()
        except DENIED:
            return False
        return True

    # -- reading -------------------------------------------------------------

    def test_reading(self) -> None:
        everything = self.everything()
        for role, readable in READABLE.items():
            tree = self.open(role)
            found = {
                name
                for name, path in everything.items()
                if self.may(functools.partial(tree.get, path))
            }
            self.assertEqual(readable, found, role)

    def strangers(self) -> list[znodes.Znodes]:
        return [
            self.open(acl.Role.ENGINE, password="guessed-and-quite-wrong"),
            self.open("operator", password="guessed-and-quite-wrong"),
        ]

    def test_strangers_read_and_change_nothing(self) -> None:
        paths = [self.paths.root, *self.everything().values()]
        paths.append(self.leader_node())
        for stranger in self.strangers():
            for path in paths:
                self.assertRaises(DENIED, stranger.get, path)
                self.assertRaises(DENIED, stranger.children, path)
                for change in self.changes(stranger, path):
                    self.assertRaises(DENIED, change)

    # -- changing ------------------------------------------------------------

    def test_schedulers_change_nothing(self) -> None:
        tree = self.open(acl.Role.SCHEDULER)
        for path in [self.paths.root, *self.everything().values()]:
            for change in self.changes(tree, path):
                self.assertRaises(DENIED, change)

    def test_agents_write_below_agents_only(self) -> None:
        agents = self.paths.agents
        for path in [
            self.paths.root,
            *self.everything().values(),
            self.leader_node(),
        ]:
            if path.startswith(agents):
                continue
            for change in self.changes(self.agent, path):
                self.assertRaises(DENIED, change)

    def test_agents_do_not_take_parents_away(self) -> None:
        self.operator.create_guarded(
            self.paths.agent(C2),
            b"",
            acl.acl_for(
                self.paths.root,
                self.paths.agent(C2),
                acl.read_ids(self.operator, self.paths.root),
            ),
        )
        self.assertRaises(DENIED, self.agent.delete, self.paths.agent(C2))
        self.operator.delete(self.paths.agent(C2))

    def test_agents_stand_in_no_election_and_forge_no_case(self) -> None:
        for path in (
            f"{self.paths.leader}/c-x-",
            self.paths.case(C2),
            self.paths.verdict(C2),
            self.paths.confirmation(model.CaseId("x")),
            self.paths.host(C2),
        ):
            self.assertRaises(DENIED, self.agent.create, path)

    def test_engines_speak_for_no_host_and_no_operator(self) -> None:
        store = store_module.ZooKeeperCaseStore(self.engine, self.paths)
        for path in (
            self.paths.beacon(C1),
            self.paths.goodbye(C1),
            self.paths.control,
            self.paths.roles,
            self.paths.confirmation(CASE),
            self.paths.request(C1),
        ):
            self.assertRaises(DENIED, self.engine.set, path, b"")
        self.assertRaises(DENIED, self.engine.delete, self.paths.beacon(C1))
        self.assertRaises(DENIED, self.engine.delete, self.paths.host(C1))
        self.assertRaises(
            DENIED,
            self.engine.create,
            self.paths.confirmation(model.CaseId("x")),
        )
        self.assertRaises(DENIED, self.engine.create, self.paths.request(C2))
        # Using one up is all.
        store.consume(self.epoch, CASE)

    def test_operators(self) -> None:
        for path in (
            self.paths.control,
            self.paths.host(C1),
            self.paths.confirmation(CASE),
        ):
            self.operator.set(path, b"")
        self.operator.create(self.paths.host(C2))
        self.operator.delete(self.paths.host(C2))
        self.operator.delete(self.paths.confirmation(CASE))
        # Not by mistake: these are the engine's.
        self.assertRaises(DENIED, self.operator.set, self.paths.case(C1), b"")
        self.assertRaises(DENIED, self.operator.delete, self.paths.case(C1))

    def test_a_leftover_host_can_be_cleaned_away(self) -> None:
        self.agent.close()
        self.operator.delete(self.paths.goodbye(C1))
        self.operator.delete(self.paths.agent(C1))

    def test_denied_in_a_transaction(self) -> None:
        error = self.assertRaises(
            DENIED,
            self.engine.commit,
            [
                znodes.Check(self.paths.case(C1)),
                znodes.Set(self.paths.control, b""),
            ],
        )
        self.assertEqual(self.paths.control, error.path)

    def test_one_closed_node_does_not_blind_the_engine(self) -> None:
        """An agent may close its own node to others, but hides nobody's."""
        own = [
            znodes.Acl(
                "digest",
                acl.identity("agent", zookeeper.PASSWORDS[acl.Role.AGENT]),
                znodes.Perm.ALL,
            )
        ]
        parent = self.paths.agent(C2)
        self.agent.create(parent)
        self.agent.create_guarded(f"{parent}/beacon", b"", own)
        nodes = self.engine.get_many(
            [self.paths.beacon(C1), self.paths.beacon(C2)]
        )
        for host, readable in ((C1, True), (C2, False)):
            node = nodes[self.paths.beacon(host)]
            assert node is not None
            self.assertEqual(readable, node.data is not None)
        self.assertRaises(DENIED, self.engine.get, self.paths.beacon(C2))
