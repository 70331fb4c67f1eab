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

"""A transaction takes effect as a whole, or leaves no trace."""

import random

from nova_ha import exception
from nova_ha.coordination import znodes
from nova_ha.sim.ensemble import tree as tree_module
from tests import base

NAMES = ("/a", "/a/b", "/a/c", "/a/b/d", "/e", "/e/f")

State = dict[str, tuple[tree_module.Record, list[str]]]


def state(tree: tree_module.Tree) -> State:
    """All that can be seen of it, ownership included."""
    found: State = {}

    def walk(path: str) -> None:
        names = tree.names(path)
        found[path] = (tree.existing(path), names)
        for name in names:
            walk(f"{path.rstrip('/')}/{name}")

    walk("/")
    return found


def step(rng: random.Random, change: tree_module.Change) -> None:
    path = rng.choice(NAMES)
    match rng.randrange(5):
        case 0 | 1:
            change.create(path, b"", rng.choice((0, 0, 7, 8)))
        case 2:
            change.set(path, rng.randbytes(2), rng.choice((-1, 0)))
        case 3:
            change.delete(path)
        case _:
            change.set_acl(path, tree_module.OPEN)


class Stop(Exception):
    """Ends a transaction that would have gone well."""


class TransactionTest(base.TestCase):
    def attempt(self, tree: tree_module.Tree, rng: random.Random) -> bool:
        """Some operations, the last of which may fail."""
        try:
            with tree.change() as change:
                for _ in range(rng.randrange(1, 5)):
                    step(rng, change)
                if rng.random() < 0.2:
                    raise Stop
        except (exception.CoordinationError, Stop):
            return False
        return True

    def test_leaves_no_trace_unless_it_succeeds(self) -> None:
        failed = succeeded = 0
        for seed in range(100):
            rng, tree = random.Random(seed), tree_module.Tree()
            for _ in range(30):
                before, owned = state(tree), self.owned(tree)
                if self.attempt(tree, rng):
                    succeeded += 1
                    continue
                failed += 1
                self.assertEqual(before, state(tree))
                self.assertEqual(owned, self.owned(tree))
        self.assertGreater(min(failed, succeeded), 100)

    def owned(self, tree: tree_module.Tree) -> list[list[str]]:
        found = [tree.owned(session) for session in (0, 7, 8)]
        paths = sorted(path for paths in found for path in paths)
        self.assertEqual(sorted(state(tree)), paths)
        return found

    def test_fires_what_it_touched(self) -> None:
        tree = tree_module.Tree()
        kind = tree_module.Kind
        with tree.change() as change:
            change.create("/a", b"")
        self.assertEqual(
            [(kind.DATA, "/a"), (kind.CHILDREN, "/")], list(change.touched)
        )
        with tree.change() as change:
            change.check("/a")
        self.assertEqual({}, change.touched)

    def test_ephemerals_have_no_children(self) -> None:
        tree = tree_module.Tree()
        with tree.change() as change:
            change.create("/a", b"", 7)
        with tree.change() as change:
            self.assertRaises(
                exception.CoordinationError, change.create, "/a/b", b""
            )
        self.assertEqual(["/a"], tree.owned(7))

    def test_ids_grow(self) -> None:
        tree = tree_module.Tree()
        with tree.change() as change:
            change.create("/a", b"")
        first = tree.existing("/a")
        with tree.change() as change:
            change.delete("/a")
            change.create("/a", b"")
        again = tree.existing("/a")
        self.assertGreater(again.created, first.created)
        self.assertIsInstance(again.node("/a"), znodes.Node)
