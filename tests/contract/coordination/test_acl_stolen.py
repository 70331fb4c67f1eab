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

"""What a thief of credentials can do: nothing for, or to, another host.

Whoever has broken into one hypervisor has its agent's two credentials. Every
kind of change is tried with them at every place of a tree in use, and with
what opens less.
"""

from collections.abc import Callable, Sequence
from typing import Any

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import beacons
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import store as store_module
from nova_ha.coordination import znodes
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination import tree_in_use
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2

Change = Callable[[], object]

DENIED = exception.CoordinationDenied
MINE = [znodes.Acl("auth", "", znodes.Perm.ALL)]
WORLDS = [znodes.Acl("world", "anyone", znodes.Perm.ALL)]
C3 = model.HostName("c3")


def changes(tree: kazoo_znodes.KazooZnodes, path: str) -> Sequence[Change]:
    """Every kind of change that ZooKeeper knows."""
    child = f"{path}/new"
    # What may be read may be checked: it must not carry a change along.
    check = znodes.Check(path)
    return [
        lambda: tree.set(path, b"{}"),
        lambda: tree.delete(path),
        lambda: tree.set_acl(path, MINE),
        lambda: tree.set_acl(path, WORLDS),
        lambda: tree.create(child, b"{}"),
        lambda: tree.create(child, b"{}", ephemeral=True),
        lambda: tree.create(child, b"{}", ephemeral=True, sequence=True),
        lambda: tree.commit([check, znodes.Set(path, b"{}")]),
        lambda: tree.commit([check, znodes.Delete(path)]),
        lambda: tree.commit([check, znodes.Create(child, b"{}")]),
        lambda: tree.commit([check, znodes.Create(child, b"{}", True)]),
    ]


class StolenTest(tree_in_use.TreeInUse):
    """The credentials of c1's agent are stolen. c2 lives and has everything
    that an agent writes; c3 is dead."""

    def setUp(self) -> None:
        super().setUp()
        self.victim = self.open_agent(C2)
        theirs = beacons.ZooKeeperBeacons(self.victim, self.paths, C2)
        theirs.inventory(coordinated.inventory(host=C2))
        theirs.show(coordinated.beacon(host=C2))
        self.victim.create(self.paths.goodbye(C2), b"{}")
        self.enrol(C3)
        own = self.paths.agent(C1)
        everything = [*self.everything().values(), self.leader_node()]
        self.others = [self.paths.root] + [
            path
            for path in everything
            if path != own and not path.startswith(f"{own}/")
        ]

    def thief(self, role: str, **settings: Any) -> kazoo_znodes.KazooZnodes:
        """Brings lists of his own for what he creates."""
        session = kazoo_znodes.KazooZnodes(
            self.settings(role, **settings), self.clock, lambda *_: MINE
        )
        self.addCleanup(session.close)
        session.start()
        return session

    def picture(self, paths: Sequence[str]) -> dict[str, object]:
        """What is there, with versions, lists and children."""
        return {
            path: (
                node and (node.version, node.created, node.owner),
                self.operator.acl(path),
                self.operator.children(path),
            )
            for path, node in self.operator.get_many(paths).items()
        }

    def changes_nothing(
        self, thief: kazoo_znodes.KazooZnodes, paths: Sequence[str]
    ) -> None:
        before = self.picture(paths)
        for path in paths:
            for number, change in enumerate(changes(thief, path)):
                try:
                    change()
                except DENIED:
                    continue
                self.fail(f"{path}: change {number} was not denied")
        self.assertEqual(before, self.picture(paths))

    # -- whose credentials ---------------------------------------------------

    def test_of_an_agent(self) -> None:
        thief = self.thief(acl.Role.AGENT, host=C1)
        self.changes_nothing(thief, self.others)
        # It is the right password.
        thief.set(self.paths.goodbye(C1), b"{}")

    def test_of_the_role_of_agents(self) -> None:
        paths = [*self.others, *self.places(C1)]
        self.changes_nothing(self.thief(acl.Role.AGENT), paths)

    def test_of_the_scheduler(self) -> None:
        paths = [*self.others, *self.places(C1)]
        self.changes_nothing(self.thief(acl.Role.SCHEDULER), paths)

    def test_of_nobody(self) -> None:
        paths = [*self.others, *self.places(C1)]
        guessed = "guessed-and-quite-wrong"
        for thief in (
            self.thief(acl.Role.OPERATOR, password=guessed),
            self.thief(acl.Role.AGENT, host=C1, host_password=guessed),
        ):
            self.changes_nothing(thief, paths)

    def places(self, host: model.HostName) -> Sequence[str]:
        place = self.paths.agent(host)
        said = self.operator.children(place)
        return [place, *(f"{place}/{name}" for name in said)]

    # -- what he would want --------------------------------------------------

    def test_no_host_is_kept_alive(self) -> None:
        thief = self.thief(acl.Role.AGENT, host=C1)
        for create in (
            lambda: thief.create(self.paths.beacon(C3), ephemeral=True),
            lambda: thief.create(self.paths.goodbye(C3)),
            lambda: thief.create(self.paths.agent(model.HostName("c4"))),
        ):
            self.assertRaises(DENIED, create)
        forged = beacons.ZooKeeperBeacons(thief, self.paths, C3)
        for say in (
            lambda: forged.show(coordinated.beacon(host=C3)),
            lambda: forged.goodbye(coordinated.goodbye(host=C3)),
            lambda: forged.inventory(coordinated.inventory(host=C3)),
        ):
            self.assertRaises(DENIED, say)

    def test_no_host_is_made_to_look_dead(self) -> None:
        thief = self.thief(acl.Role.AGENT, host=C1)
        for path in (self.paths.beacon(C2), self.paths.agent(C2)):
            self.assertRaises(DENIED, thief.delete, path)
        for path in (
            self.paths.case(C2),
            self.paths.verdict(C2),
            self.paths.request(C2),
            f"{self.paths.leader}/c-x-",
        ):
            self.assertRaises(DENIED, thief.create, path)
        store = store_module.ZooKeeperCaseStore(thief, self.paths)
        forged = coordinated.case(epoch=self.epoch, host=C2)
        self.assertRaises(DENIED, store.save, forged, None)

    def test_no_fence_is_confirmed(self) -> None:
        thief = self.thief(acl.Role.AGENT, host=C1)
        other = self.paths.confirmation(model.CaseId("case-2"))
        self.assertRaises(DENIED, thief.create, other)
        existing = self.paths.confirmation(tree_in_use.CASE)
        self.assertRaises(DENIED, thief.set, existing, b"{}")
        self.assertRaises(DENIED, thief.get, existing)

    def test_he_cannot_lock_the_agent_out(self) -> None:
        """Who speaks for c1 is for the operator to say, not for c1."""
        thief = self.thief(acl.Role.AGENT, host=C1)
        place = self.paths.agent(C1)
        for change in changes(thief, place)[:4]:
            self.assertRaises(DENIED, change)
        self.assertRaises(DENIED, thief.set_acl, self.paths.beacon(C1), MINE)
