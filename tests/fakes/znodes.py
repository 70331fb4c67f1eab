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

"""ZooKeeper in memory: the same contract as the real one, no server.

An :class:`Ensemble` is the tree; each :class:`FakeZnodes` is one client. A
test drops, expires and restores a client's session by hand. There is no
access control: that is tested on a real server.
"""

import dataclasses
import threading
from collections.abc import Callable, Collection, Mapping, Sequence

from nova_ha import exception
from nova_ha.coordination import paths
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ANY_VERSION
from nova_ha.coordination.znodes import ConnectionState


@dataclasses.dataclass(slots=True)
class _Record:
    data: bytes
    created: int
    changed: int
    owner: int = 0
    version: int = 0
    counter: int = 0
    """Children ever created, for sequential names."""


class Ensemble:
    """The tree that all sessions share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.records: dict[str, _Record] = {"/": _Record(b"", 0, 0)}
        self.zxid = 0
        self._sessions = 0x1000
        self._watches: dict[
            tuple[str, str], set[tuple[FakeZnodes, znodes.Watch]]
        ]
        self._watches = {}
        self._fired: list[tuple[znodes.Watch, str]] = []

    def client(self, timeout: float = 10.0) -> "FakeZnodes":
        """Return a connected client with a session of its own."""
        return FakeZnodes(self, timeout)

    def new_session(self) -> int:
        with self.lock:
            self._sessions += 1
            return self._sessions

    # -- watches -------------------------------------------------------------

    def arm(
        self,
        kind: str,
        path: str,
        client: "FakeZnodes",
        watch: znodes.Watch | None,
    ) -> None:
        if watch is not None:
            self._watches.setdefault((kind, path), set()).add((client, watch))

    def forget(self, client: "FakeZnodes") -> None:
        """A lost connection drops its watches without a call."""
        with self.lock:
            for entries in self._watches.values():
                entries -= {entry for entry in entries if entry[0] is client}

    def fire(self, *which: tuple[str, str]) -> None:
        for kind, path in which:
            for _, watch in self._watches.pop((kind, path), ()):
                if (watch, path) not in self._fired:
                    self._fired.append((watch, path))

    def run(self, change: Callable[[], object]) -> object:
        """One transaction; watches are called after it."""
        with self.lock:
            result = change()
            fired, self._fired = self._fired, []
        for watch, path in fired:
            watch(path)
        return result

    # -- the tree ------------------------------------------------------------

    def names(self, path: str) -> list[str]:
        self.existing(path)
        prefix = path.rstrip("/") + "/"
        return sorted(
            other[len(prefix) :]
            for other in self.records
            if other.startswith(prefix)
            and other != "/"
            and "/" not in other[len(prefix) :]
        )

    def existing(self, path: str) -> _Record:
        try:
            return self.records[path]
        except KeyError:
            raise znodes.NodeMissing(path) from None

    def at(self, path: str, version: int) -> _Record:
        record = self.existing(path)
        if version not in (ANY_VERSION, record.version):
            raise exception.StaleVersion(path, version)
        return record

    def create(
        self, path: str, data: bytes, owner: int = 0, sequence: bool = False
    ) -> str:
        parent = paths.parent_of(path)
        above = self.records.get(parent)
        if above is None:
            raise znodes.NodeMissing(path)
        if above.owner:
            raise exception.CoordinationError("ephemerals have no children")
        if sequence:
            path = f"{path}{above.counter:010d}"
        if path in self.records:
            raise znodes.NodeExists(path)
        above.counter += 1
        self.records[path] = _Record(data, self.zxid, self.zxid, owner)
        self.fire(("data", path), ("children", parent))
        return path

    def set(self, path: str, data: bytes, version: int) -> int:
        record = self.at(path, version)
        record.data, record.changed = data, self.zxid
        record.version += 1
        self.fire(("data", path))
        return record.version

    def delete(self, path: str, version: int) -> None:
        self.at(path, version)
        if self.names(path):
            raise znodes.NodeNotEmpty(path)
        del self.records[path]
        self.fire(
            ("data", path),
            ("children", path),
            ("children", paths.parent_of(path)),
        )

    def end(self, session: int) -> None:
        """A session is over: its ephemeral nodes go."""

        def change() -> None:
            for path in [
                path
                for path, record in self.records.items()
                if record.owner == session
            ]:
                self.zxid += 1
                self.delete(path, ANY_VERSION)

        self.run(change)


class FakeZnodes(znodes.Znodes):
    """One client of an ensemble."""

    def __init__(self, ensemble: Ensemble, timeout: float) -> None:
        self.ensemble = ensemble
        self._timeout = timeout
        self._session = ensemble.new_session()
        self._state = ConnectionState.CONNECTED
        self._listeners: list[znodes.Listener] = []
        self.fail_writes = False
        """Reads are answered, changes are not: a server without quorum."""
        self.writes = 0

    # -- what a test does to it ----------------------------------------------

    def suspend(self) -> None:
        self.ensemble.forget(self)
        self._become(ConnectionState.SUSPENDED)

    def resume(self) -> None:
        """Reconnect, in a new session if the old one has expired."""
        if not self._session:
            self._session = self.ensemble.new_session()
        self._become(ConnectionState.CONNECTED)

    def expire_on_server(self) -> None:
        """The server ends the session; the client has not learnt it yet."""
        session, self._session = self._session, 0
        self.ensemble.end(session)

    def expire(self) -> None:
        """The session expires and the client learns it."""
        if self._state is ConnectionState.CONNECTED:
            self.suspend()
        self.expire_on_server()
        self._become(ConnectionState.LOST)

    def _become(self, state: ConnectionState) -> None:
        if state is not self._state:
            self._state = state
            for listener in list(self._listeners):
                listener(state)

    # -- Znodes --------------------------------------------------------------

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def session(self) -> int:
        return self._session

    @property
    def session_timeout(self) -> float:
        return self._timeout

    def listen(self, listener: znodes.Listener) -> None:
        self._listeners.append(listener)

    def unlisten(self, listener: znodes.Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _connected(self) -> None:
        if self._state is not ConnectionState.CONNECTED:
            raise exception.CoordinationUnavailable("no connection")

    def get(
        self, path: str, watch: znodes.Watch | None = None
    ) -> znodes.Node | None:
        self._connected()
        with self.ensemble.lock:
            self.ensemble.arm("data", path, self, watch)
            record = self.ensemble.records.get(path)
            if record is None:
                return None
            return znodes.Node(
                path,
                record.data,
                record.version,
                record.created,
                record.changed,
                record.owner,
            )

    def get_many(
        self, paths: Collection[str], watch: znodes.Watch | None = None
    ) -> Mapping[str, znodes.Node | None]:
        return {path: self.get(path, watch) for path in paths}

    def children(
        self, path: str, watch: znodes.Watch | None = None
    ) -> Sequence[str]:
        self._connected()
        with self.ensemble.lock:
            names = self.ensemble.names(path)
            self.ensemble.arm("children", path, self, watch)
            return names

    def create(
        self,
        path: str,
        data: bytes = b"",
        *,
        ephemeral: bool = False,
        sequence: bool = False,
    ) -> str:
        owner = self._session if ephemeral else 0
        return str(
            self._change(
                lambda: self.ensemble.create(path, data, owner, sequence)
            )
        )

    def set(self, path: str, data: bytes, version: int = ANY_VERSION) -> int:
        result = self._change(lambda: self.ensemble.set(path, data, version))
        assert isinstance(result, int)
        return result

    def delete(self, path: str, version: int = ANY_VERSION) -> None:
        self._change(lambda: self.ensemble.delete(path, version))

    def commit(self, operations: Sequence[znodes.Operation]) -> Sequence[int]:
        # Tried on a copy first: all or nothing.
        with self.ensemble.lock:
            self._writable()
            trial = Ensemble()
            trial.records = {
                path: dataclasses.replace(record)
                for path, record in self.ensemble.records.items()
            }
            for operation in operations:
                self._apply(trial, operation)
            result = self._change(
                lambda: [
                    self._apply(self.ensemble, operation)
                    for operation in operations
                ]
            )
        assert isinstance(result, list)
        return result

    def _apply(self, tree: Ensemble, operation: znodes.Operation) -> int:
        match operation:
            case znodes.Create(path, data, ephemeral):
                tree.create(path, data, self._session if ephemeral else 0)
            case znodes.Set(path, data, version):
                return tree.set(path, data, version)
            case znodes.Delete(path, version):
                tree.delete(path, version)
            case znodes.Check(path, version):
                tree.at(path, version)
        return 0

    def _writable(self) -> None:
        self._connected()
        if self.fail_writes:
            raise exception.CoordinationUnavailable("no quorum")
        if not self._session:
            raise exception.CoordinationUnavailable("session expired")

    def _change(self, change: Callable[[], object]) -> object:
        self._writable()

        def counted() -> object:
            self.ensemble.zxid += 1
            self.writes += 1
            return change()

        return self.ensemble.run(counted)

    def sync(self, path: str) -> None:
        self._connected()

    def close(self) -> None:
        self.ensemble.forget(self)
        if self._session:
            self.expire_on_server()
        self._become(ConnectionState.LOST)
