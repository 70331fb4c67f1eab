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

""":class:`Znodes` on a real ensemble.

While the connection is down kazoo queues requests without a limit in time,
and would carry them out minutes after their caller gave up. Here a call
without a connection fails at once, and one that is under way when it breaks
is never repeated: nobody knows whether a change has taken effect, and all
callers read again anyway.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from oslo_log import log

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.coordination import session as kazoo
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ANY_VERSION
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.coordination.znodes import Node

LOG = log.getLogger(__name__)

CLOSE_TIMEOUT = 3.0
"""Seconds that an orderly end of the session may take; the rest goes on in
the background."""

BATCH = 256
"""Requests in flight at once when many nodes are read."""

AclSource = Callable[[znodes.Znodes, str], Sequence[znodes.Acl]]
"""The ACL that a node at a path is created with."""

_Answer = tuple[Any, exception.CoordinationError | None]


class KazooZnodes(znodes.GuardedZnodes):
    """One authenticated session. Not to be shared with a forked child.

    :param acls: what created nodes are guarded with.
    :param deadline: seconds for one call; half the session time-out unless
        given, so that a caller learns of trouble before the session ends.
    """

    def __init__(
        self,
        settings: settings_module.Settings,
        clock: clock_module.Clock,
        acls: AclSource,
        *,
        deadline: float | None = None,
    ) -> None:
        self._clock = clock
        self._acls = acls
        self._deadline = deadline or settings.session_timeout / 2
        self._connect_timeout = settings.connect_timeout
        self._granted = settings.session_timeout
        self._pid = os.getpid()
        self._state = ConnectionState.LOST
        self._connected = threading.Event()
        self._closing = threading.Event()
        self._listeners: list[znodes.Listener] = []
        self._client = kazoo.build(settings)
        kazoo.on_granted(self._client, self._set_granted)
        self._client.add_listener(self._state_changed)

    # -- the session ---------------------------------------------------------

    def start(self, wait: float | None = None) -> None:
        """Connect, and go on trying for as long as it takes.

        :param wait: seconds to wait for the first connection; None: those of
            ``[zookeeper] connect_timeout``; 0: not at all.
        :raises CoordinationUnavailable: there is none yet; the attempts go
            on until :meth:`close`.
        """
        self._client.start_async()
        wait = self._connect_timeout if wait is None else wait
        if wait and not self._clock.wait(self._connected, wait):
            raise exception.CoordinationUnavailable(
                f"no connection to ZooKeeper within {wait:g} s (see "
                "[zookeeper] hosts, and whether the ensemble has a quorum)"
            )

    def close(self) -> None:
        self._closing.set()
        # kazoo waits until its connection thread has ended, which with a
        # hung server can take as long as the session time-out.
        worker = threading.Thread(
            target=self._end, name="zookeeper-close", daemon=True
        )
        worker.start()
        worker.join(CLOSE_TIMEOUT)

    def _end(self) -> None:
        try:
            self._client.stop()
            self._client.close()
        except Exception as error:  # the edge of a background thread
            LOG.debug("Closing the ZooKeeper session: %s", error)

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def session(self) -> int:
        current = self._client.client_id
        return int(current[0]) if current and current[0] else 0

    @property
    def session_timeout(self) -> float:
        return self._granted

    def _set_granted(self, seconds: float) -> None:
        self._granted = seconds

    def listen(self, listener: znodes.Listener) -> None:
        self._listeners.append(listener)

    def unlisten(self, listener: znodes.Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _state_changed(self, state: str) -> None:
        """Called in kazoo's connection thread."""
        self._state = kazoo.STATES[state]
        if self._state is ConnectionState.CONNECTED:
            self._connected.set()
        else:
            self._connected.clear()
        if not self._closing.is_set():
            level = (
                logging.INFO if self._connected.is_set() else logging.WARNING
            )
            LOG.log(level, "ZooKeeper session: %s", self._state.value)
        for listener in list(self._listeners):
            listener(self._state)
        ended = self._client.client_state in kazoo.ENDED
        if ended and not self._closing.is_set():
            threading.Thread(
                target=self._revive, name="zookeeper-revive", daemon=True
            ).start()

    def _revive(self) -> None:
        """After an error that it does not expect, kazoo's connection thread
        ends for good; a daemon must not."""
        LOG.error("The connection to ZooKeeper has ended: opening a new one")
        while not self._clock.wait(self._closing, 1.0):
            try:
                kazoo.restart(self._client)
            except Exception as error:  # the loop's edge
                LOG.error("Cannot open a new connection: %s", error)
                continue
            if self._closing.is_set():
                self._end()
            return

    # -- calls ---------------------------------------------------------------

    def _require(self, path: str) -> None:
        if os.getpid() != self._pid:
            raise exception.CoordinationError(
                "this ZooKeeper session belongs to another process"
            )
        if not self._connected.is_set():
            raise exception.CoordinationUnavailable(
                f"no connection to ZooKeeper ({path})"
            )

    def _call(
        self,
        path: str,
        ask: Callable[[], Any],
        version: int = ANY_VERSION,
    ) -> Any:
        """Carry out one request."""
        self._require(path)
        with kazoo.translated(path, version):
            return ask().get(timeout=self._deadline)

    # -- reading -------------------------------------------------------------

    def get(self, path: str, watch: znodes.Watch | None = None) -> Node | None:
        node = self.get_many([path], watch)[path]
        if node is not None and node.data is None:
            raise exception.CoordinationDenied(path)
        return node

    def get_many(
        self, paths: Collection[str], watch: znodes.Watch | None = None
    ) -> Mapping[str, Node | None]:
        watcher = kazoo.Watcher(watch) if watch is not None else None
        found: dict[str, Node | None] = {}
        names = list(paths)
        for start in range(0, len(names), BATCH):
            self._get_batch(names[start : start + BATCH], watcher, found)
        return found

    def _get_batch(
        self,
        paths: Sequence[str],
        watcher: kazoo.Watcher | None,
        found: dict[str, Node | None],
    ) -> None:
        while paths:
            left = self._get_data(paths, watcher, found)
            # A node that is missing, or may not be read, can be watched only
            # by asking whether it exists. One that has appeared meanwhile
            # is read again.
            stats = self._ask_all(
                list(left),
                lambda path: self._client.exists_async(path, watcher),
            )
            paths = []
            for path, (stat, error) in stats.items():
                if error is not None:
                    raise error
                if stat is None:
                    found[path] = None
                elif isinstance(left[path], znodes.NodeMissing):
                    paths.append(path)
                else:
                    found[path] = kazoo.node(path, None, stat)

    def _get_data(
        self,
        paths: Sequence[str],
        watcher: kazoo.Watcher | None,
        found: dict[str, Node | None],
    ) -> Mapping[str, exception.CoordinationError]:
        """Returns those that could not be read, and why."""
        left: dict[str, exception.CoordinationError] = {}
        answers = self._ask_all(
            paths, lambda path: self._client.get_async(path, watcher)
        )
        for path, (answer, error) in answers.items():
            if error is None:
                found[path] = kazoo.node(path, *answer)
            elif isinstance(
                error, znodes.NodeMissing | exception.CoordinationDenied
            ):
                left[path] = error
            else:
                raise error
        return left

    def _ask_all(
        self, paths: Sequence[str], ask: Callable[[str], Any]
    ) -> Mapping[str, _Answer]:
        """Send all requests, then collect the answers."""
        until = self._clock.monotonic() + self._deadline
        answers: dict[str, _Answer] = {}
        for path in paths[:1]:
            self._require(path)
        asked = [(path, ask(path)) for path in paths]
        # They are answered in order: one awakening, not one for each.
        for _, last in asked[-1:]:
            last.wait(self._deadline)
        for path, result in asked:
            left = max(0.0, until - self._clock.monotonic())
            try:
                with kazoo.translated(path):
                    answers[path] = (result.get(timeout=left), None)
            except exception.CoordinationUnavailable:
                raise
            except exception.CoordinationError as error:
                answers[path] = (None, error)
        return answers

    def children(
        self, path: str, watch: znodes.Watch | None = None
    ) -> Sequence[str]:
        watcher = kazoo.Watcher(watch) if watch is not None else None
        return sorted(
            self._call(
                path, lambda: self._client.get_children_async(path, watcher)
            )
        )

    def sync(self, path: str) -> None:
        self._call(path, lambda: self._client.sync_async(path))

    # -- changing ------------------------------------------------------------

    def create(
        self,
        path: str,
        data: bytes = b"",
        *,
        ephemeral: bool = False,
        sequence: bool = False,
    ) -> str:
        acl = kazoo.to_acl(self._acls(self, path))
        created = self._call(
            path,
            lambda: self._client.create_async(
                path, data, acl, ephemeral=ephemeral, sequence=sequence
            ),
        )
        return str(created)

    def set(self, path: str, data: bytes, version: int = ANY_VERSION) -> int:
        stat = self._call(
            path, lambda: self._client.set_async(path, data, version), version
        )
        return int(stat.version)

    def delete(self, path: str, version: int = ANY_VERSION) -> None:
        self._call(
            path, lambda: self._client.delete_async(path, version), version
        )

    def commit(self, operations: Sequence[znodes.Operation]) -> Sequence[int]:
        transaction = self._client.transaction()
        for operation in operations:
            self._add(transaction, operation)
        results = self._call(operations[0].path, transaction.commit_async)
        for operation, result in zip(operations, results, strict=True):
            if isinstance(result, kazoo.NOT_THE_CAUSE):
                continue
            if isinstance(result, Exception):
                version = getattr(operation, "version", ANY_VERSION)
                with kazoo.translated(operation.path, version):
                    raise result
        return [getattr(result, "version", 0) for result in results]

    def _add(self, transaction: Any, operation: znodes.Operation) -> None:
        match operation:
            case znodes.Create(path, data, ephemeral):
                acl = kazoo.to_acl(self._acls(self, path))
                transaction.create(path, data, acl, ephemeral=ephemeral)
            case znodes.Set(path, data, version):
                transaction.set_data(path, data, version)
            case znodes.Delete(path, version):
                transaction.delete(path, version)
            case znodes.Check(path, version):
                transaction.check(path, version)

    # -- access control ------------------------------------------------------

    def create_guarded(
        self, path: str, data: bytes, acl: Sequence[znodes.Acl]
    ) -> None:
        entries = kazoo.to_acl(acl)
        self._call(
            path, lambda: self._client.create_async(path, data, entries)
        )

    def acl(self, path: str) -> Sequence[znodes.Acl]:
        entries, _ = self._call(
            path, lambda: self._client.get_acls_async(path)
        )
        return kazoo.from_acl(entries)

    def set_acl(self, path: str, acl: Sequence[znodes.Acl]) -> None:
        entries = kazoo.to_acl(acl)
        self._call(path, lambda: self._client.set_acls_async(path, entries))
