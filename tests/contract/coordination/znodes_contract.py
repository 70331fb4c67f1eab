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

"""What every implementation of ``Znodes`` has to do.

:class:`ZnodesContract` is mixed into a test case that provides
``connect()`` (a new session), ``root`` (a node to work below), ``suspend``,
``resume`` and ``expire`` (of a session), and ``wait_until``.
"""

import abc
import threading
from collections.abc import Callable

from nova_ha import exception
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import Check
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.coordination.znodes import Create
from nova_ha.coordination.znodes import Delete
from nova_ha.coordination.znodes import NodeExists
from nova_ha.coordination.znodes import NodeMissing
from nova_ha.coordination.znodes import NodeNotEmpty
from nova_ha.coordination.znodes import Set
from tests import base
from tests.zookeeper_server import wait_until


class Calls:
    """A watch or listener that remembers what it was called with."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self._lock = threading.Lock()

    def __call__(self, what: object) -> None:
        with self._lock:
            self.seen.append(what)


class ZnodesContract(base.TestCase):
    root: str
    tree: znodes.Znodes

    @abc.abstractmethod
    def connect(self) -> znodes.Znodes: ...

    @abc.abstractmethod
    def suspend(self, tree: znodes.Znodes) -> None: ...

    @abc.abstractmethod
    def resume(self, tree: znodes.Znodes) -> None: ...

    @abc.abstractmethod
    def expire(self, tree: znodes.Znodes) -> None:
        """The session ends on the server and the client learns it; it may
        already have a new one on return."""

    def eventually(self, condition: Callable[[], object]) -> None:
        wait_until(condition, 15)

    def at(self, name: str) -> str:
        return f"{self.root}/{name}"

    def read(self, path: str) -> znodes.Node:
        node = self.tree.get(path)
        assert node is not None
        return node


class NodesContract(ZnodesContract):
    def test_create_and_get(self) -> None:
        self.assertEqual(self.at("a"), self.tree.create(self.at("a"), b"x"))
        node = self.read(self.at("a"))
        self.assertEqual((b"x", 0, 0), (node.data, node.version, node.owner))
        self.assertEqual(node.created, node.changed)

    def test_missing_is_none(self) -> None:
        self.assertIsNone(self.tree.get(self.at("no")))
        self.assertIsNone(self.tree.get(self.at("no/deeper")))

    def test_create_twice(self) -> None:
        self.tree.create(self.at("a"))
        error = self.assertRaises(NodeExists, self.tree.create, self.at("a"))
        self.assertEqual(self.at("a"), error.path)

    def test_create_without_a_parent(self) -> None:
        self.assertRaises(NodeMissing, self.tree.create, self.at("a/b"))

    def test_set_counts_versions(self) -> None:
        self.tree.create(self.at("a"))
        self.assertEqual(1, self.tree.set(self.at("a"), b"1"))
        self.assertEqual(2, self.tree.set(self.at("a"), b"2", 1))
        node = self.read(self.at("a"))
        self.assertEqual((b"2", 2), (node.data, node.version))
        self.assertGreater(node.changed, node.created)

    def test_set_compares_versions(self) -> None:
        self.tree.create(self.at("a"))
        error = self.assertRaises(
            exception.StaleVersion, self.tree.set, self.at("a"), b"", 3
        )
        self.assertEqual(3, error.expected)
        self.assertRaises(NodeMissing, self.tree.set, self.at("b"), b"")

    def test_delete(self) -> None:
        self.tree.create(self.at("a"))
        self.assertRaises(
            exception.StaleVersion, self.tree.delete, self.at("a"), 1
        )
        self.tree.delete(self.at("a"), 0)
        self.assertRaises(NodeMissing, self.tree.delete, self.at("a"))

    def test_delete_a_parent(self) -> None:
        self.tree.create(self.at("a"))
        self.tree.create(self.at("a/b"))
        self.assertRaises(NodeNotEmpty, self.tree.delete, self.at("a"))

    def test_children_are_sorted(self) -> None:
        for name in "cab":
            self.tree.create(self.at(name))
        self.assertEqual(["a", "b", "c"], list(self.tree.children(self.root)))
        self.assertRaises(NodeMissing, self.tree.children, self.at("x"))

    def test_get_many(self) -> None:
        self.tree.create(self.at("a"), b"1")
        found = self.tree.get_many([self.at("a"), self.at("b")])
        self.assertEqual({self.at("a"), self.at("b")}, set(found))
        node = found[self.at("a")]
        assert node is not None
        self.assertEqual(b"1", node.data)
        self.assertIsNone(found[self.at("b")])

    def test_get_many_of_very_many(self) -> None:
        names = [self.at(f"n{number}") for number in range(600)]
        self.tree.create(names[500], b"x")
        found = self.tree.get_many(names)
        self.assertEqual(
            [names[500]], [name for name in names if found[name] is not None]
        )
        self.assertEqual({}, dict(self.tree.get_many([])))

    def test_sequences_grow(self) -> None:
        paths = [
            self.tree.create(self.at("n-"), sequence=True) for _ in range(3)
        ]
        numbers = [int(path.removeprefix(self.at("n-"))) for path in paths]
        self.assertEqual(sorted(set(numbers)), numbers)
        self.assertEqual(10, len(paths[0].removeprefix(self.at("n-"))))

    def test_a_new_life_is_told_from_the_old(self) -> None:
        self.tree.create(self.at("a"))
        first = self.read(self.at("a"))
        self.tree.delete(self.at("a"))
        self.tree.create(self.at("a"))
        again = self.read(self.at("a"))
        self.assertEqual(first.version, again.version)
        self.assertGreater(again.created, first.created)

    def test_a_session_sees_what_another_wrote_after_a_sync(self) -> None:
        other = self.connect()
        other.create(self.at("a"))
        self.tree.sync(self.root)
        self.assertIsNotNone(self.tree.get(self.at("a")))


class TransactionsContract(ZnodesContract):
    def test_all_or_nothing(self) -> None:
        self.tree.create(self.at("a"))
        error = self.assertRaises(
            NodeExists,
            self.tree.commit,
            [
                Create(self.at("b")),
                Set(self.at("a"), b"1"),
                Create(self.at("a")),
                Delete(self.at("x")),
            ],
        )
        self.assertEqual(self.at("a"), error.path)
        self.assertIsNone(self.tree.get(self.at("b")))
        self.assertEqual(b"", self.read(self.at("a")).data)

    def test_returns_versions(self) -> None:
        self.tree.create(self.at("a"))
        self.tree.create(self.at("d"))
        versions = self.tree.commit(
            [
                Check(self.at("a")),
                Set(self.at("a"), b"1"),
                Create(self.at("b")),
                Create(self.at("b/c"), b"2"),
                Delete(self.at("d")),
            ]
        )
        self.assertEqual([0, 1, 0, 0, 0], list(versions))
        self.assertEqual(b"2", self.read(self.at("b/c")).data)
        self.assertIsNone(self.tree.get(self.at("d")))

    def test_conditions(self) -> None:
        self.tree.create(self.at("a"))
        for condition, error in (
            (Check(self.at("x")), NodeMissing),
            (Check(self.at("a"), 4), exception.StaleVersion),
            (Set(self.at("a"), b"", 4), exception.StaleVersion),
            (Delete(self.at("a"), 4), exception.StaleVersion),
            (Delete(self.at("x")), NodeMissing),
            (Create(self.at("x/y")), NodeMissing),
        ):
            self.assertRaises(
                error, self.tree.commit, [Create(self.at("n")), condition]
            )
        self.assertIsNone(self.tree.get(self.at("n")))

    def test_replaces_a_node_in_one_step(self) -> None:
        watch = Calls()
        self.tree.create(self.at("a"), b"old")
        self.tree.get(self.at("a"), watch)
        self.tree.commit(
            [Delete(self.at("a")), Create(self.at("a"), b"", ephemeral=True)]
        )
        self.assertEqual(self.tree.session, self.read(self.at("a")).owner)
        self.eventually(lambda: watch.seen)

    def test_a_check_changes_nothing_and_wakes_nobody(self) -> None:
        watch = Calls()
        self.tree.create(self.at("a"))
        before = self.tree.get(self.at("a"), watch)
        self.tree.commit([Check(self.at("a"), 0)])
        self.assertEqual(before, self.tree.get(self.at("a")))
        self.tree.create(self.at("later"))
        self.assertEqual([], watch.seen)


class WatchesContract(ZnodesContract):
    def test_data(self) -> None:
        watch = Calls()
        self.tree.create(self.at("a"))
        self.tree.get(self.at("a"), watch)
        self.connect().set(self.at("a"), b"1")
        self.eventually(lambda: watch.seen == [self.at("a")])

    def test_fires_once(self) -> None:
        watch = Calls()
        self.tree.create(self.at("a"))
        self.tree.get(self.at("a"), watch)
        self.tree.set(self.at("a"), b"1")
        self.eventually(lambda: watch.seen)
        self.tree.set(self.at("a"), b"2")
        self.tree.get(self.at("a"))
        self.assertEqual(1, len(watch.seen))

    def test_armed_twice_fires_once(self) -> None:
        watch = Calls()
        self.tree.create(self.at("a"))
        for _ in range(3):
            self.tree.get_many([self.at("a")], watch)
        self.tree.delete(self.at("a"))
        self.eventually(lambda: watch.seen)
        self.tree.get(self.at("a"))
        self.assertEqual(1, len(watch.seen))

    def test_methods_count_as_the_same_watch(self) -> None:
        # As object.method is a new object at every mention.
        calls = Calls()
        self.tree.create(self.at("a"))
        self.tree.get(self.at("a"), calls.__call__)
        self.tree.get(self.at("a"), calls.__call__)
        self.tree.delete(self.at("a"))
        self.eventually(lambda: calls.seen)
        self.tree.get(self.at("a"))
        self.assertEqual(1, len(calls.seen))

    def test_creation_of_a_missing_node(self) -> None:
        watch = Calls()
        self.assertIsNone(self.tree.get(self.at("a/b"), watch))
        self.tree.create(self.at("a"))
        self.tree.create(self.at("a/b"))
        self.eventually(lambda: watch.seen == [self.at("a/b")])

    def test_children(self) -> None:
        watch = Calls()
        self.tree.children(self.root, watch)
        self.tree.create(self.at("a"))
        self.eventually(lambda: watch.seen == [self.root])
        self.tree.children(self.root, watch)
        self.tree.delete(self.at("a"))
        self.eventually(lambda: watch.seen == [self.root] * 2)

    def test_children_watch_ignores_data(self) -> None:
        data, children = Calls(), Calls()
        self.tree.create(self.at("a"))
        self.tree.children(self.root, children)
        self.tree.get(self.at("a"), data)
        self.tree.set(self.at("a"), b"1")
        self.eventually(lambda: data.seen)
        self.assertEqual([], children.seen)

    def test_end_of_another_session(self) -> None:
        watch = Calls()
        other = self.connect()
        other.create(self.at("a"), ephemeral=True)
        self.tree.sync(self.root)
        self.assertIsNotNone(self.tree.get(self.at("a"), watch))
        other.close()
        self.eventually(lambda: watch.seen == [self.at("a")])
        self.assertIsNone(self.tree.get(self.at("a")))

    def test_a_lost_connection_drops_watches_without_a_call(self) -> None:
        watch = Calls()
        self.tree.create(self.at("a"))
        self.tree.get(self.at("a"), watch)
        self.suspend(self.tree)
        self.resume(self.tree)
        self.tree.set(self.at("a"), b"1")
        self.tree.get(self.at("a"))
        self.assertEqual([], watch.seen)


class SessionsContract(ZnodesContract):
    def test_ephemerals_are_owned(self) -> None:
        self.tree.create(self.at("a"), ephemeral=True)
        self.assertNotEqual(0, self.tree.session)
        self.assertEqual(self.tree.session, self.read(self.at("a")).owner)

    def test_close_ends_the_session_at_once(self) -> None:
        other = self.connect()
        other.create(self.at("a"), ephemeral=True)
        other.close()
        self.tree.sync(self.root)
        self.assertIsNone(self.tree.get(self.at("a")))
        self.assertIs(ConnectionState.LOST, other.state)
        self.assertRaises(
            exception.CoordinationUnavailable, other.get, self.root
        )

    def test_an_interruption(self) -> None:
        states = Calls()
        self.tree.listen(states)
        self.tree.create(self.at("a"), ephemeral=True)
        session = self.tree.session
        self.suspend(self.tree)
        self.assertEqual([ConnectionState.SUSPENDED], states.seen)
        for call in (
            lambda: self.tree.get(self.root),
            lambda: self.tree.create(self.at("b")),
            lambda: self.tree.commit([Check(self.root)]),
            lambda: self.tree.sync(self.root),
        ):
            self.assertRaises(exception.CoordinationUnavailable, call)
        self.resume(self.tree)
        self.assertEqual(ConnectionState.CONNECTED, states.seen[-1])
        self.assertEqual(session, self.tree.session)
        self.assertEqual(session, self.read(self.at("a")).owner)
        self.assertIsNone(self.tree.get(self.at("b")))

    def test_expiry(self) -> None:
        states = Calls()
        self.tree.listen(states)
        self.tree.create(self.at("a"), ephemeral=True)
        session = self.tree.session
        self.expire(self.tree)
        self.assertIn(ConnectionState.LOST, states.seen)
        self.resume(self.tree)
        self.assertNotIn(self.tree.session, (0, session))
        self.assertIsNone(self.tree.get(self.at("a")))

    def test_a_listener_can_leave(self) -> None:
        states = Calls()
        self.tree.listen(states)
        self.tree.unlisten(states)
        self.tree.unlisten(states)
        self.suspend(self.tree)
        self.resume(self.tree)
        self.assertEqual([], states.seen)
