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

"""The nodes, and their changes: all or nothing, at no cost in time.

The tree knows neither sessions' lives nor watches nor who asks; those who
use it do. A change costs what it touches, whatever the size of the tree.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from nova_ha import exception
from nova_ha.coordination import paths
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ANY_VERSION
from nova_ha.coordination.znodes import Acl
from nova_ha.coordination.znodes import Perm
from nova_ha.sim.ensemble.watches import Kind

OPEN = (Acl("world", "anyone", Perm.ALL),)


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One version of a node."""

    data: bytes
    created: int
    changed: int
    owner: int = 0
    acl: Sequence[Acl] = OPEN
    version: int = 0
    counter: int = 0
    """Children ever created, for sequential names."""

    def node(self, path: str, *, readable: bool = True) -> znodes.Node:
        return znodes.Node(
            path,
            self.data if readable else None,
            self.version,
            self.created,
            self.changed,
            self.owner,
        )


Before = Mapping[str, Record | None]
"""What nodes were before a change; None: they did not exist."""

Allow = Callable[[Record, Perm, str], None]
"""Raises CoordinationDenied unless all of these may be done to the node; the
path is that of the operation, for the error."""

AclOf = Callable[[str], Sequence[Acl]]
"""The list that a node is created with."""


def everything(record: Record, perms: Perm, path: str) -> None:
    """Who is not checked may do everything."""


def open_to_all(path: str) -> Sequence[Acl]:
    """The list of nodes that are nobody's."""
    return OPEN


class Tree:
    """All nodes, as the last transaction has left them."""

    def __init__(self) -> None:
        self.zxid = 0
        """Of the last transaction."""
        self._records = {"/": Record(b"", 0, 0)}
        self._names: dict[str, set[str]] = {"/": set()}
        self._owned: dict[int, set[str]] = {0: {"/"}}

    def find(self, path: str) -> Record | None:
        return self._records.get(path)

    def existing(self, path: str) -> Record:
        """:raises NodeMissing:"""
        record = self._records.get(path)
        if record is None:
            raise znodes.NodeMissing(path)
        return record

    def names(self, path: str) -> list[str]:
        """Of the children, sorted.

        :raises NodeMissing:
        """
        self.existing(path)
        return sorted(self._names[path])

    def has_children(self, path: str) -> bool:
        return bool(self._names[path])

    def owned(self, session: int) -> list[str]:
        """The ephemeral nodes of a session."""
        return sorted(self._owned.get(session, ()))

    @contextlib.contextmanager
    def change(self, allow: Allow = everything) -> Iterator["Change"]:
        """One transaction: nothing of it stays if the block raises."""
        self.zxid += 1
        change = Change(self, allow)
        try:
            yield change
        except BaseException:
            self._restore(change.before)
            raise

    def _restore(self, before: Before) -> None:
        """Children go before their parents, and come after them."""
        for path in sorted(before, reverse=True):
            if before[path] is None:
                self.put(path, None)
        for path in sorted(before):
            self.put(path, before[path])

    def put(self, path: str, record: Record | None) -> None:
        """Only for :class:`Change`: replace a node, or take it away."""
        old = self._records.pop(path, None)
        if old is not None:
            self._disown(path, old.owner)
        if record is not None:
            self._records[path] = record
            self._owned.setdefault(record.owner, set()).add(path)
        if (old is None) != (record is None):
            self._list(path, there=record is not None)

    def _disown(self, path: str, owner: int) -> None:
        owned = self._owned[owner]
        owned.discard(path)
        if not owned:
            del self._owned[owner]

    def _list(self, path: str, *, there: bool) -> None:
        siblings = self._names[paths.parent_of(path)]
        if there:
            self._names[path] = set()
            siblings.add(paths.name_of(path))
        else:
            del self._names[path]
            siblings.discard(paths.name_of(path))


class Change:
    """The operations of one transaction, each on what those before it have
    made of the tree. They raise what :class:`znodes.Znodes` names, and
    CoordinationDenied."""

    def __init__(self, tree: Tree, allow: Allow) -> None:
        self._tree = tree
        self._allow = allow
        self.before: dict[str, Record | None] = {}
        """What the nodes it touches were before it."""
        self.touched: dict[tuple[Kind, str], None] = {}
        """The watches that it fires, in order."""

    def apply(
        self, operation: znodes.Operation, owner: int, acl_of: AclOf
    ) -> int:
        """:returns: the new version for a Set, 0 for the others."""
        match operation:
            case znodes.Create(path, data, ephemeral):
                self.create(path, data, owner * ephemeral, acl_of(path))
            case znodes.Set(path, data, version):
                return self.set(path, data, version)
            case znodes.Delete(path, version):
                self.delete(path, version)
            case znodes.Check(path, version):
                self.check(path, version)
        return 0

    def create(
        self,
        path: str,
        data: bytes,
        owner: int = 0,
        acl: Sequence[Acl] = OPEN,
        *,
        sequence: bool = False,
    ) -> str:
        """:param owner: session of an ephemeral node."""
        parent = paths.parent_of(path)
        above = self._tree.find(parent)
        if above is None:
            raise znodes.NodeMissing(path)
        self._allow(above, Perm.CREATE, path)
        if above.owner:
            raise exception.CoordinationError("ephemerals have no children")
        if sequence:
            path = f"{path}{above.counter:010d}"
        if self._tree.find(path) is not None:
            raise znodes.NodeExists(path)
        counted = dataclasses.replace(above, counter=above.counter + 1)
        self._put(parent, counted)
        zxid = self._tree.zxid
        self._put(path, Record(data, zxid, zxid, owner, tuple(acl)))
        self._touch((Kind.DATA, path), (Kind.CHILDREN, parent))
        return path

    def set(self, path: str, data: bytes, version: int = ANY_VERSION) -> int:
        record = self._at(path, version, Perm.WRITE, self._tree.find(path))
        record = dataclasses.replace(
            record,
            data=data,
            changed=self._tree.zxid,
            version=record.version + 1,
        )
        self._put(path, record)
        self._touch((Kind.DATA, path))
        return record.version

    def delete(self, path: str, version: int = ANY_VERSION) -> None:
        parent = paths.parent_of(path)
        # Deleting is a right on the parent.
        self._at(path, version, Perm.DELETE, self._tree.find(parent))
        if self._tree.has_children(path):
            raise znodes.NodeNotEmpty(path)
        self._put(path, None)
        self._touch(
            (Kind.DATA, path), (Kind.CHILDREN, path), (Kind.CHILDREN, parent)
        )

    def check(self, path: str, version: int = ANY_VERSION) -> None:
        self._at(path, version, Perm.READ, self._tree.find(path))

    def set_acl(self, path: str, acl: Sequence[Acl]) -> None:
        record = self._tree.existing(path)
        self._allow(record, Perm.ADMIN, path)
        self._put(path, dataclasses.replace(record, acl=tuple(acl)))

    def _at(
        self, path: str, version: int, perm: Perm, guard: Record | None
    ) -> Record:
        """The node, if it exists, ``guard`` permits, and it has the
        version."""
        record = self._tree.existing(path)
        if guard is not None:
            self._allow(guard, perm, path)
        if version not in (ANY_VERSION, record.version):
            raise exception.StaleVersion(path, version)
        return record

    def _put(self, path: str, record: Record | None) -> None:
        self.before.setdefault(path, self._tree.find(path))
        self._tree.put(path, record)

    def _touch(self, *which: tuple[Kind, str]) -> None:
        self.touched |= dict.fromkeys(which)
