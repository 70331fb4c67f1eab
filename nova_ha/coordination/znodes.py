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

"""The little of ZooKeeper that nova_ha uses, as a port.

:class:`nova_ha.coordination.kazoo_znodes.KazooZnodes` is the real one; the
simulator and the unit tests bring their own. One contract suite runs on all.

Every call has a deadline. Apart from the errors that a method names, each
raises

* :class:`CoordinationUnavailable`: no connection or no answer in time. A
  change may or may not have taken effect, and is never repeated by itself.
* :class:`CoordinationDenied`: the credentials do not permit it.
"""

import abc
import dataclasses
import enum
from collections.abc import Callable, Collection, Mapping, Sequence

from nova_ha import exception

ANY_VERSION = -1


class NodeMissing(exception.CoordinationError):
    """There is no such node, or no parent to create it below."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} does not exist")


class NodeExists(exception.CoordinationError):
    """The node to be created is there already."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} exists already")


class NodeNotEmpty(exception.CoordinationError):
    """The node to be deleted has children."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} has children")


class ConnectionState(enum.Enum):
    """What is known of the own session."""

    CONNECTED = "connected"
    SUSPENDED = "suspended"  # no connection; the session may yet live
    LOST = "lost"  # the session has ended, or none has begun


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A node as it was read.

    ``data`` is None where the node exists but may not be read. ``owner`` is
    the session of an ephemeral node, 0 for a persistent one. The ids of
    transactions (zxid) grow over the whole tree: ``created`` identifies one
    life of a node, ``changed`` one version of its data.
    """

    path: str
    data: bytes | None
    version: int
    created: int
    changed: int
    owner: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Create:
    path: str
    data: bytes = b""
    ephemeral: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Set:
    path: str
    data: bytes
    version: int = ANY_VERSION


@dataclasses.dataclass(frozen=True, slots=True)
class Delete:
    path: str
    version: int = ANY_VERSION


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """The node exists (and is at ``version``, if one is given)."""

    path: str
    version: int = ANY_VERSION


Operation = Create | Set | Delete | Check

Watch = Callable[[str], None]
"""Called once, with the path, after what was read has changed; it only marks
or enqueues. Arming the same watch twice on one node calls it once. A lost
connection drops all watches without a call: listen to the connection."""

Listener = Callable[[ConnectionState], None]
"""Called from a thread of the client's; it only marks or enqueues."""


class Znodes(abc.ABC):
    """One session with ZooKeeper. Paths are absolute."""

    @property
    @abc.abstractmethod
    def state(self) -> ConnectionState: ...

    @property
    @abc.abstractmethod
    def session(self) -> int:
        """Id of the session; 0 while there is none."""

    @property
    @abc.abstractmethod
    def session_timeout(self) -> float:
        """T in seconds as *negotiated*; what was asked for, until then."""

    @abc.abstractmethod
    def listen(self, listener: Listener) -> None:
        """Call ``listener`` at every change of the connection."""

    @abc.abstractmethod
    def unlisten(self, listener: Listener) -> None: ...

    @abc.abstractmethod
    def get(self, path: str, watch: Watch | None = None) -> Node | None:
        """Read a node; None where there is none. ``watch`` fires on its
        creation, too."""

    @abc.abstractmethod
    def get_many(
        self, paths: Collection[str], watch: Watch | None = None
    ) -> Mapping[str, Node | None]:
        """Read many nodes at the cost of a few round trips."""

    @abc.abstractmethod
    def children(self, path: str, watch: Watch | None = None) -> Sequence[str]:
        """Names of the children, sorted.

        :raises NodeMissing:
        """

    @abc.abstractmethod
    def create(
        self,
        path: str,
        data: bytes = b"",
        *,
        ephemeral: bool = False,
        sequence: bool = False,
    ) -> str:
        """Create a node; returns its path (``sequence`` appends to it).

        :raises NodeExists:
        :raises NodeMissing: there is no parent.
        """

    @abc.abstractmethod
    def set(self, path: str, data: bytes, version: int = ANY_VERSION) -> int:
        """Replace a node's data; returns its new version.

        :raises NodeMissing:
        :raises StaleVersion:
        """

    @abc.abstractmethod
    def delete(self, path: str, version: int = ANY_VERSION) -> None:
        """
        :raises NodeMissing:
        :raises StaleVersion:
        :raises NodeNotEmpty:
        """

    @abc.abstractmethod
    def commit(self, operations: Sequence[Operation]) -> Sequence[int]:
        """All or nothing. Returns the new version for each Set, 0 for the
        others; raises what the first operation that fails would raise."""

    @abc.abstractmethod
    def sync(self, path: str) -> None:
        """Later reads of this session see what was committed before."""

    @abc.abstractmethod
    def close(self) -> None:
        """End the session; its ephemeral nodes go at once."""


class Perm(enum.Flag):
    """Permissions. CREATE and DELETE concern a node's *children*: it is the
    parent that says who may delete a node. ADMIN is setting the ACL."""

    NONE = 0
    READ = 1
    WRITE = 2
    CREATE = 4
    DELETE = 8
    ADMIN = 16
    ALL = 31


@dataclasses.dataclass(frozen=True, slots=True)
class Acl:
    """One entry of a node's access control list."""

    scheme: str
    id: str = dataclasses.field(repr=False)
    """``user:<digest>``; for ``world``: ``anyone``. Kept out of logs."""
    perms: Perm

    @property
    def who(self) -> str:
        """Scheme and user without the digest."""
        return f"{self.scheme}:{self.id.partition(':')[0]}"


class GuardedZnodes(Znodes):
    """A tree with access control: what making and checking it needs."""

    @abc.abstractmethod
    def create_guarded(
        self, path: str, data: bytes, acl: Sequence[Acl]
    ) -> None:
        """Create a persistent node with an ACL of its own.

        :raises NodeExists:
        :raises NodeMissing: there is no parent.
        """

    @abc.abstractmethod
    def acl(self, path: str) -> Sequence[Acl]:
        """:raises NodeMissing:"""

    @abc.abstractmethod
    def set_acl(self, path: str, acl: Sequence[Acl]) -> None:
        """:raises NodeMissing:"""
