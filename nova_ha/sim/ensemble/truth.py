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

"""What really is in ZooKeeper: for the world, and for those who check it."""

import dataclasses
from collections.abc import Sequence

from nova_ha.coordination import acl
from nova_ha.coordination import contenders
from nova_ha.coordination import paths as paths_mod
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import Node
from nova_ha.sim.ensemble import access
from nova_ha.sim.ensemble import quorum as quorum_mod
from nova_ha.sim.ensemble import tree


@dataclasses.dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that has not ended on the servers."""

    id: int
    program: str
    timeout: float
    """T in seconds, as negotiated."""
    expires: float
    """When it ends unless it is heard again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Lowest:
    """The first of the sequential nodes below another: a leader's."""

    name: str
    program: str
    """Whose session made it; empty once that has ended."""
    created: int
    """zxid: the epoch."""
    alive: bool
    """Its session has not ended."""


class Truth:
    """The tree and the sessions, without latency and access control."""

    def __init__(self, quorum: quorum_mod.Quorum) -> None:
        self._quorum = quorum

    @property
    def listeners(self) -> list[quorum_mod.Listener]:
        """Told of every change that is committed."""
        return self._quorum.listeners

    @property
    def serving(self) -> bool:
        return self._quorum.serving

    def sessions(self) -> tuple[LiveSession, ...]:
        """Those that have not ended, in the order in which they began."""
        return tuple(
            LiveSession(
                id=session.id,
                program=session.owner,
                timeout=session.timeout,
                expires=self._quorum.expiry(session),
            )
            for session in self._quorum.sessions.values()
        )

    def node(self, path: str) -> Node | None:
        record = self._quorum.tree.find(path)
        return None if record is None else record.node(path)

    def read(self, path: str) -> bytes | None:
        """What a node holds; None: there is none."""
        node = self.node(path)
        return None if node is None else node.data

    def children(self, path: str) -> list[str]:
        """Names of the children, sorted; of a missing node none."""
        if self._quorum.tree.find(path) is None:
            return []
        return self._quorum.tree.names(path)

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a node.

        :raises NodeMissing: there is no parent.
        """
        with self._quorum.tree.change() as change:
            if self._quorum.tree.find(path) is None:
                change.create(path, data, acl=_acl_of(path))
            else:
                change.set(path, data)
        self._quorum.committed(change)

    def delete(self, path: str) -> None:
        """:raises NodeMissing:"""
        with self._quorum.tree.change() as change:
            change.delete(path)
        self._quorum.committed(change)

    def lowest_child(self, path: str) -> Lowest | None:
        """The first of the sequential nodes below ``path``."""
        names = contenders.order(self.children(path))
        node = self.node(f"{path}/{names[0]}") if names else None
        if node is None:
            return None
        session = self._quorum.sessions.get(node.owner)
        return Lowest(
            name=paths_mod.name_of(node.path),
            program="" if session is None else session.owner,
            created=node.created,
            alive=session is not None,
        )


def _acl_of(path: str) -> Sequence[znodes.Acl]:
    _, *names = path.split("/")
    owner = ""
    match names:
        case [_, _, "agents", host, *_]:
            owner = access.host_identity(paths_mod.unescape(host))
    root = "/".join(["", *names[:2]])
    try:
        return acl.acl_for(root, path, access.IDS, owner)
    except ValueError:  # not of nova_ha's making
        return tree.OPEN
