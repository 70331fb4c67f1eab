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
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import store as store_module
from nova_ha.coordination import znodes
from nova_ha.core import model
from tests.contract.coordination import tree_in_use
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2
from tests.contract.coordination.tree_in_use import CASE

DENIED = exception.CoordinationDenied

READABLE = {
    acl.Role.ENGINE: {
        "hosts", "hosts/c1", "agents", "agents/c1", "agents/c1/beacon",
        "agents/c1/goodbye", "leader", "cases", "cases/c1", "verdicts",
        "verdicts/c1", "confirmations", "confirmations/case-1", "requests",
        "requests/c1", "history", "history/case-0", "control", "lease",
        "roles",
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


class AclTest(tree_in_use.TreeInUse):
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
        self.assertRaises(DENIED, self.engine.delete, self.paths.host(C1))
        self.assertRaises(
            DENIED,
            self.engine.create,
            self.paths.confirmation(model.CaseId("x")),
        )
        self.assertRaises(DENIED, self.engine.create, self.paths.request(C2))
        # Using one up is all, and a beacon may be taken away, not made.
        store.consume(self.epoch, CASE)
        beacon = self.paths.beacon(C1)
        self.engine.delete(beacon)
        self.assertRaises(DENIED, self.engine.create, beacon, ephemeral=True)

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
        own = [znodes.Acl("auth", "", znodes.Perm.ALL)]
        self.open_agent(C2).create_guarded(self.paths.beacon(C2), b"", own)
        nodes = self.engine.get_many(
            [self.paths.beacon(C1), self.paths.beacon(C2)]
        )
        for host, readable in ((C1, True), (C2, False)):
            node = nodes[self.paths.beacon(host)]
            assert node is not None
            self.assertEqual(readable, node.data is not None)
        self.assertRaises(DENIED, self.engine.get, self.paths.beacon(C2))
