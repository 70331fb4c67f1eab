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

"""The client's side of a session: connecting, pinging, asking.

After kazoo's own, with the deadlines of
:class:`nova_ha.coordination.kazoo_znodes.KazooZnodes`.
"""

import contextlib
import threading
from collections.abc import Sequence
from typing import Any, TypeVar

from nova_ha import exception
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim.ensemble import quorum as quorum_mod
from nova_ha.sim.ensemble import wire
from nova_ha.sim.ensemble.quorum import Link

RECONNECT = 1.0
"""Longest pause between two attempts to connect, seconds
(``session.MAX_RECONNECT_DELAY``)."""

T = TypeVar("T")


class _Question:
    """A request under way."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Any = None
        self.error: exception.CoordinationError | None = None

    def answer(
        self, value: Any, error: exception.CoordinationError | None = None
    ) -> None:
        self.value, self.error = value, error
        self.done.set()


class Connection:
    """Keeps one session of a program alive, and begins a new one when it
    has expired.

    :param node: where the program runs.
    :param identities: ZooKeeper's ids; the first is that of its role.
    :param timeout: T in seconds, to be asked for.
    """

    def __init__(
        self,
        quorum: quorum_mod.Quorum,
        program: kernel_mod.Program,
        node: str,
        identities: Sequence[str],
        timeout: float,
    ) -> None:
        self._quorum = quorum
        self._peer = quorum_mod.Peer(
            program, node, identities, timeout, self._closed
        )
        self._program = program
        self._kernel = program.kernel
        self.timeout = timeout
        """T as negotiated; as asked for until then."""
        self.state = ConnectionState.LOST
        self.session = 0
        self.listeners: list[znodes.Listener] = []
        self._link: Link | None = None
        self._attempts = 0
        self._questions: dict[_Question, None] = {}
        self._pinging = False
        """A ping has not been answered."""
        self._closing = False
        self._begin()

    # -- the session ---------------------------------------------------------

    def _begin(self) -> None:
        """At once, if there is a member: programs wait for their first
        connection anyway."""
        if self._reached():
            self._connected(self._quorum.open(self._peer))
        else:
            self._later(self._pause, self._try)
        self._later(self.timeout / 3, self._beat)

    def _reached(self) -> bool:
        return self._quorum.serving and self._quorum.reached_by(self._peer)

    @property
    def _pause(self) -> float:
        return min(RECONNECT, self.timeout / 3)

    def _later(self, seconds: float, call: kernel_mod.Call) -> None:
        self._kernel.after(seconds, lambda: self._program.run(call))

    def _become(self, state: ConnectionState) -> None:
        if state is not self.state:
            self.state = state
            for listener in list(self.listeners):
                listener(state)

    def _try(self) -> None:
        """Connect to some member; again a little later if nothing comes."""
        if self._link is not None or self._closing:
            return
        self._attempts += 1
        attempt = self._attempts
        self._kernel.after(
            wire.latency(self._kernel), lambda: self._hello(attempt)
        )
        self._later(self._pause, self._try)

    def _hello(self, attempt: int) -> None:
        """At the member."""
        if not self._reached() or attempt != self._attempts:
            return
        link = self._quorum.connect(self._peer, self.session)
        if link is None:
            self._later(
                wire.latency(self._kernel), lambda: self._expired(attempt)
            )
        else:
            link.tell(lambda: self._welcome(attempt, link))

    def _welcome(self, attempt: int, link: Link) -> None:
        if attempt != self._attempts or self._link or self._closing:
            self._quorum.drop(link)
            return
        self._connected(link)

    def _connected(self, link: Link) -> None:
        self._link = link
        self._pinging = False
        self.session = link.session.id
        self.timeout = link.session.timeout
        self._become(ConnectionState.CONNECTED)

    def _expired(self, attempt: int) -> None:
        """Only now does the client learn of it."""
        if attempt != self._attempts or self._link or self._closing:
            return
        self.session = 0
        self._become(ConnectionState.LOST)
        self._try()

    def _closed(self, link: Link) -> None:
        """The member has closed. A moment passes before the client has
        noticed, also if it was frozen until now: whatever runs in its
        program meanwhile still takes itself for connected."""
        self._later(wire.latency(self._kernel), lambda: self._lose(link))

    def _lose(self, link: Link) -> None:
        """The connection is gone, and with it what was asked."""
        if self._link is not link:
            return
        self._drop()
        if not self._closing:
            self._become(ConnectionState.SUSPENDED)
            self._later(wire.latency(self._kernel), self._try)

    def _drop(self) -> None:
        if self._link is not None:
            self._quorum.drop(self._link)
            self._link = None
        questions, self._questions = self._questions, {}
        for question in questions:
            question.answer(None, _unavailable("the connection is lost"))

    def _beat(self) -> None:
        """Every third of T: give up on a member that has not answered the
        last ping, or ping."""
        if self._closing:
            return
        link = self._link
        if link is not None and self._pinging:
            self._lose(link)
        elif link is not None:
            self._pinging = True
            link.up.send(lambda: self._ping(link))
        self._later(self.timeout / 3, self._beat)

    def _ping(self, link: Link) -> None:
        """At the member."""
        self._quorum.touch(link)
        link.tell(self._pong)

    def _pong(self) -> None:
        self._pinging = False

    def close(self) -> None:
        """End the session, if that can be told to a member."""
        self._program.check_alive()
        self._closing = True
        # What cannot be told, the time-out brings about.
        with contextlib.suppress(exception.CoordinationUnavailable):
            self.ask("/", self._end)
        self._drop()
        self.session = 0
        self._become(ConnectionState.LOST)

    def _end(self, link: Link) -> None:
        """At the member."""
        if link.session.id in self._quorum.sessions:
            self._quorum.end(link.session)

    # -- requests ------------------------------------------------------------

    def ask(self, path: str, act: quorum_mod.Act[T], extra: float = 0.0) -> T:
        """Have a member carry a request out, and wait for its answer.

        Without a thread there is nobody who could wait: it is carried out
        at once.

        :param extra: seconds that the members need to agree on it.
        :raises CoordinationError:
        """
        # One that has been killed says nothing more while it unwinds.
        self._program.check_alive()
        link = self._link
        if link is None:
            raise _unavailable(f"no connection ({path})")
        if self._kernel.thread is None:
            return self._ask_at_once(link, act)
        question = _Question()
        self._questions[question] = None
        link.up.send(lambda: self._serve(link, act, question, extra))
        # The deadline of a call is half of the session time-out.
        self._program.clock.wait(question.done, self.timeout / 2)
        self._questions.pop(question, None)
        if not question.done.is_set():
            raise _unavailable(f"no answer in time ({path})")
        if question.error is not None:
            raise question.error
        value: T = question.value
        return value

    def _ask_at_once(self, link: Link, act: quorum_mod.Act[T]) -> T:
        if not self._reached():
            raise _unavailable("out of reach")
        self._quorum.touch(link)
        return act(link)

    def _serve(
        self,
        link: Link,
        act: quorum_mod.Act[T],
        question: _Question,
        extra: float,
    ) -> None:
        """At the member. It has taken effect even if nobody hears it."""
        self._quorum.touch(link)
        value: T | None = None
        failed: exception.CoordinationError | None = None
        try:
            value = act(link)
        except exception.CoordinationError as error:
            failed = error
        link.tell(lambda: question.answer(value, failed), extra)


def _unavailable(problem: str) -> exception.CoordinationUnavailable:
    return exception.CoordinationUnavailable(f"ZooKeeper: {problem}")
