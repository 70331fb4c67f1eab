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

"""Sessions with ZooKeeper as agents hold them, and nothing beside them.

A client library needs threads and buffers for each session: a thousand of
them would be the load that is measured. Here a session is a socket. It speaks
ZooKeeper's protocol to a server on this machine, one request at a time.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from kazoo import security
from kazoo.protocol import serialization

TOUCH = 1.0
"""Seconds between two signs of life of a session, as of agents."""

SLICES = 20
"""So many parts of a fleet are touched one after another, evenly."""

_PING = serialization.int_int_struct.pack(-2, serialization.Ping.type)
_EVENT = -1
"""Number of a packet that is no answer, but tells of a watch."""
_EPHEMERAL = 1
_NO_PASSWORD = b"\0" * 16


class Session:
    """One session; requests wait for their answers.

    :param port: of a server on loopback.
    :param timeout: seconds.
    :raises OSError: the server is not there, or has gone.
    """

    def __init__(self, port: int, timeout: float) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asked = 0
        request = serialization.Connect(
            0, 0, int(timeout * 1000), 0, _NO_PASSWORD, False
        )
        self._send(bytes(request.serialize()))
        self._packet()

    def create(
        self, path: str, data: bytes = b"", *, ephemeral: bool = False
    ) -> None:
        """A node that is open to everybody."""
        flags = _EPHEMERAL if ephemeral else 0
        self._ask(
            serialization.Create(path, data, security.OPEN_ACL_UNSAFE, flags)
        )

    def watch(self, path: str) -> None:
        """Have :meth:`event` tell when the node at ``path``, which exists,
        is gone."""
        self._ask(serialization.Exists(path, True))

    def event(self, timeout: float) -> str:
        """The path whose watch fires next; empty if none does in time."""
        if not select.select([self._socket], [], [], timeout)[0]:
            return ""
        header, rest = self._packet()
        if header.xid != _EVENT:
            return ""
        return str(serialization.Watch.deserialize(rest, 0)[0].path)

    def ping(self) -> None:
        """Ask for a sign of life; its answer is an event that is none."""
        self._send(_PING)

    def touch(self) -> None:
        """Keep the session: without waiting, and deaf to any answer."""
        self._send(_PING)
        try:
            gone = not self._socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return  # the answer is on its way
        if gone:
            raise ConnectionError("the server has ended a session")

    def abandon(self) -> None:
        """Vanish without a farewell: the session has yet to expire."""
        self._socket.close()

    def _ask(self, request: Any) -> None:
        self._asked += 1
        self._send(
            serialization.int_int_struct.pack(self._asked, request.type)
            + bytes(request.serialize())
        )
        header, _ = self._packet()
        if header.xid != self._asked or header.err:
            raise ConnectionError(f"{request}: answered by {header}")

    def _send(self, packet: bytes) -> None:
        self._socket.sendall(
            serialization.int_struct.pack(len(packet)) + packet
        )

    def _packet(self) -> tuple[Any, bytes]:
        """Header and rest of what comes next."""
        size = serialization.int_struct.size
        (length,) = serialization.int_struct.unpack(self._exactly(size))
        packet = self._exactly(length)
        header, offset = serialization.ReplyHeader.deserialize(packet, 0)
        return header, packet[offset:]

    def _exactly(self, size: int) -> bytes:
        found = self._socket.recv(size, socket.MSG_WAITALL)
        if len(found) != size:
            raise ConnectionError("the server has ended the connection")
        return found


class Keeper:
    """Keeps sessions alive, by name, in a thread of its own.

    :ivar failed: why it could not; empty as long as it can.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.failed = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, name: str, session: Session) -> None:
        """Nobody else may use the session from now on."""
        with self._lock:
            self._sessions[name] = session

    def abandon(self, name: str) -> None:
        with self._lock:
            self._sessions.pop(name).abandon()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        part = 0
        while not self._ended.wait(TOUCH / SLICES):
            part = (part + 1) % SLICES
            with self._lock:
                try:
                    for one in list(self._sessions.values())[part::SLICES]:
                        one.touch()
                except OSError as error:
                    self.failed = str(error)
                    return


class Observer:
    """Notes when watched nodes vanish, in a thread of its own.

    :ivar gone: by path, the moment (:func:`time.monotonic`, which all
        processes of a machine share).
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ended = threading.Event()
        self.gone: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """After the last watch was armed."""
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        touched = 0.0
        while not self._ended.is_set():
            if time.monotonic() - touched >= TOUCH:
                self._session.ping()
                touched = time.monotonic()
            path = self._session.event(TOUCH / 2)
            if path:
                self.gone[path] = time.monotonic()


def wait_until(condition: Callable[[], object], timeout: float) -> None:
    """:raises TimeoutError: it did not come true within ``timeout`` s."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s")
        time.sleep(0.05)
