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

An :class:`Ensemble` is the simulator's tree without its time; each
:class:`FakeZnodes` is one client. A test drops, expires and restores a
client's session by hand. There is no access control: that is tested on a
real server, and in the simulator.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from nova_ha import exception
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ANY_VERSION
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.sim.ensemble import tree as tree_module
from nova_ha.sim.ensemble import watches
from nova_ha.sim.ensemble.watches import Kind

T = TypeVar("T")


class Ensemble:
    """The tree that all sessions share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.tree = tree_module.Tree()
        self._sessions = 0x1000
        self._watches = watches.Watches[FakeZnodes]()

    def client(self, timeout: float = 10.0) -> "FakeZnodes":
        """Return a connected client with a session of its own."""
        return FakeZnodes(self, timeout)

    def new_session(self) -> int:
        with self.lock:
            self._sessions += 1
            return self._sessions

    def arm(
        self,
        kind: Kind,
        path: str,
        client: "FakeZnodes",
        watch: znodes.Watch | None,
    ) -> None:
        if watch is not None:
            self._watches.arm(kind, path, client, watch)

    def forget(self, client: "FakeZnodes") -> None:
        """A lost connection drops its watches without a call."""
        with self.lock:
            self._watches.forget(client)

    def run(self, act: Callable[[tree_module.Change], T]) -> T:
        """One transaction; watches are called after it."""
        with self.lock:
            with self.tree.change() as change:
                result = act(change)
            fired = self._watches.fired(change.touched)
        for _, watch, path in fired:
            watch(path)
        return result

    def end(self, session: int) -> None:
        """A session is over: its ephemeral nodes go."""

        def act(change: tree_module.Change) -> None:
            for path in self.tree.owned(session):
                change.delete(path)

        self.run(act)


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
            self.ensemble.arm(Kind.DATA, path, self, watch)
            record = self.ensemble.tree.find(path)
        return None if record is None else record.node(path)

    def get_many(
        self, paths: Collection[str], watch: znodes.Watch | None = None
    ) -> Mapping[str, znodes.Node | None]:
        return {path: self.get(path, watch) for path in paths}

    def children(
        self, path: str, watch: znodes.Watch | None = None
    ) -> Sequence[str]:
        self._connected()
        with self.ensemble.lock:
            names = self.ensemble.tree.names(path)
            self.ensemble.arm(Kind.CHILDREN, path, self, watch)
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
        return self._change(
            lambda change: change.create(path, data, owner, sequence=sequence)
        )

    def set(self, path: str, data: bytes, version: int = ANY_VERSION) -> int:
        return self._change(lambda change: change.set(path, data, version))

    def delete(self, path: str, version: int = ANY_VERSION) -> None:
        self._change(lambda change: change.delete(path, version))

    def commit(self, operations: Sequence[znodes.Operation]) -> Sequence[int]:
        return self._change(
            lambda change: [
                change.apply(one, self._session, tree_module.open_to_all)
                for one in operations
            ]
        )

    def _change(self, act: Callable[[tree_module.Change], T]) -> T:
        self._connected()
        if self.fail_writes:
            raise exception.CoordinationUnavailable("no quorum")
        if not self._session:
            raise exception.CoordinationUnavailable("session expired")
        self.writes += 1
        return self.ensemble.run(act)

    def sync(self, path: str) -> None:
        self._connected()

    def close(self) -> None:
        self.ensemble.forget(self)
        if self._session:
            self.expire_on_server()
        self._become(ConnectionState.LOST)
