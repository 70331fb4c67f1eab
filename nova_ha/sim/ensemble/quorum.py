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

"""The servers: one tree, the sessions, and the connections to members."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from nova_ha import exception
from nova_ha.coordination import znodes
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network
from nova_ha.sim.ensemble import access
from nova_ha.sim.ensemble import past
from nova_ha.sim.ensemble import sessions as sessions_mod
from nova_ha.sim.ensemble import tree as tree_mod
from nova_ha.sim.ensemble import watches
from nova_ha.sim.ensemble import wire
from nova_ha.sim.ensemble.sessions import Session
from nova_ha.sim.ensemble.watches import Kind

NAME = "zookeeper"
"""Who it is in the journal."""

T = TypeVar("T")

Act = Callable[["Link"], T]
"""A request, as it is carried out at the server."""

Listener = Callable[[str, str, str, bytes | None], None]
"""Told of each node that a change has touched, by the truth: the program
that has changed it, the role of its credentials, the path, and what the node
holds now (None: it is gone)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """A client, as far as the servers know it."""

    program: kernel_mod.Program
    node: str
    identities: Sequence[str]
    """ZooKeeper's ids; the first is that of its role."""
    timeout: float
    """What it asks for, seconds."""
    closed: Callable[["Link"], None]
    """Called in the program when it sees that a server has closed."""


class Link:
    """A connection between a client and one member."""

    def __init__(
        self,
        peer: Peer,
        session: Session,
        member: int,
        passes: Callable[[], bool],
    ) -> None:
        kernel = peer.program.kernel
        self.peer = peer
        self.session = session
        self.member = member
        self.up = wire.Wire(kernel, passes)
        self.down = wire.Wire(kernel, passes)
        self.late: list[tuple[float, kernel_mod.Call]] = []
        """Watches that have fired, but not at this member yet; with when
        they do."""

    def tell(self, call: kernel_mod.Call, extra: float = 0.0) -> None:
        """Have the client call something."""
        self.down.send(lambda: self.peer.program.run(call), extra)


class Quorum:
    """ZooKeeper's servers as one. Nothing in here takes time, or asks
    whether a client can be reached: connections do."""

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        networks: network.Networks,
        journal: journal_mod.Journal,
        members: int,
        tick: float,
    ) -> None:
        self._kernel = kernel
        self._networks = networks
        self._journal = journal
        self._members = members
        self._tick = tick
        self.tree = tree_mod.Tree()
        self._past = past.Past(self.tree)
        self._lag = 0.0
        self._watches = watches.Watches[Link]()
        self.listeners: list[Listener] = []
        self.sessions: dict[int, Session] = {}
        self._links: dict[int, Link] = {}
        """By session."""
        self._last_session = 0x1000
        self.serving = False
        self.leader = 0
        self._rhythm = sessions_mod.Rhythm(tick, 0.0)
        self.serve()

    # -- outages -------------------------------------------------------------

    def serve(self) -> None:
        """A leader is elected. It counts all time-outs anew."""
        self.serving = True
        chance = self._kernel.chance("elections of ZooKeeper")
        self.leader = chance.randrange(self._members)
        phase = chance.uniform(0.0, self._tick)
        self._rhythm = sessions_mod.Rhythm(self._tick, phase)
        for session in self.sessions.values():
            session.restart(self._kernel.now)
            self._look_later(session)

    def halt(self) -> None:
        """No quorum: members close their connections."""
        self.serving = False
        for link in list(self._links.values()):
            self.close(link)

    def lose_follower(self, member: int) -> None:
        """A follower dies with what it has not reported; another is there
        for its clients at once."""
        for link in list(self._links.values()):
            if link.member == member and member != self.leader:
                self.close(link)
                link.session.lose_report(self._kernel.now)
                self._look_later(link.session)

    # -- sessions ------------------------------------------------------------

    def connect(self, peer: Peer, session_id: int) -> Link | None:
        """A client asks for a session.

        :param session_id: that it had; 0: a new one.
        :returns: None: that session has expired.
        """
        if not session_id:
            return self.open(peer)
        session = self.sessions.get(session_id)
        if session is None:
            return None
        old = self._links.get(session.id)
        if old is not None:
            self._forget(old)
        return self._attach(peer, session)

    def open(self, peer: Peer) -> Link:
        """A client asks for its first session."""
        return self._attach(peer, self._new_session(peer))

    def _attach(self, peer: Peer, session: Session) -> Link:
        chance = self._kernel.chance(f"ZooKeeper of {peer.program.name}")
        member = chance.randrange(self._members)
        link = Link(peer, session, member, lambda: self.reached_by(peer))
        self._links[session.id] = link
        self.touch(link)
        return link

    def reached_by(self, peer: Peer) -> bool:
        return self._networks.reaches(peer.node, network.Server.ZOOKEEPER)

    def _new_session(self, peer: Peer) -> Session:
        now = self._kernel.now
        self._last_session += 1
        session = Session(
            id=self._last_session,
            owner=peer.program.name,
            identities=peer.identities,
            timeout=sessions_mod.granted(peer.timeout, self._tick),
            heard=now,
            heard_before=now,
            seen=now,
        )
        self.sessions[session.id] = session
        self._look_later(session)
        return session

    def touch(self, link: Link) -> None:
        """A member hears a client."""
        now = self._kernel.now
        leads = link.member == self.leader
        link.session.hear(now, now if leads else self._rhythm.report(now))

    def expiry(self, session: Session) -> float:
        """When it ends if it is not heard again."""
        return self._rhythm.expiry(session.heard, session.timeout)

    def _look_later(self, session: Session) -> None:
        due = self.expiry(session)
        session.looked_at = due
        self._kernel.at(due, functools.partial(self._look, session, due))

    def _look(self, session: Session, due: float) -> None:
        ended = session.id not in self.sessions
        if ended or session.looked_at != due or not self.serving:
            return
        if self.expiry(session) > due:
            self._look_later(session)
        else:
            self.expire(session)

    def expire(self, session: Session) -> None:
        self._journal.note(session.owner, "zookeeper.expired")
        self.end(session)

    def end(self, session: Session) -> None:
        """It is over: its ephemeral nodes go, in one transaction."""
        del self.sessions[session.id]
        link = self._links.get(session.id)
        if link is not None:
            self.close(link)
        with self.tree.change() as change:
            for path in self.tree.owned(session.id):
                change.delete(path)
        self.committed(change)

    # -- connections ---------------------------------------------------------

    def close(self, link: Link) -> None:
        """From the servers' side; the client sees it when it can."""
        self._forget(link)
        link.tell(lambda: link.peer.closed(link))

    def drop(self, link: Link) -> None:
        """From the client's side."""
        self._forget(link)
        link.down.close()

    def _forget(self, link: Link) -> None:
        link.up.close()
        link.late.clear()
        self._watches.forget(link)
        if self._links.get(link.session.id) is link:
            del self._links[link.session.id]

    # -- requests ------------------------------------------------------------

    def change(self, link: Link, act: Callable[[tree_mod.Change], T]) -> T:
        """A transaction. Its session sees it, and all before it, from now
        on.

        :raises CoordinationError:
        """
        if link.session.id not in self.sessions:
            raise exception.CoordinationUnavailable("session expired")
        self.catch_up(link)
        allow = access.guard(link.session.identities)
        with self.tree.change(allow) as change:
            result = act(change)
        self.committed(change, link.session)
        self.catch_up(link)
        return result

    def committed(
        self, change: tree_mod.Change, session: Session | None = None
    ) -> None:
        """Fire the watches, at each member when it gets to know.

        :param session: whose change it is; None: the servers' own.
        """
        self._tell(change, session)
        if self._lag:
            self._past.note(self._kernel.now, change)
            self._past.forget(self._kernel.now - self._lag)
        for link, watch, path in self._watches.fired(change.touched):
            self._fire(link, functools.partial(watch, path), self._kernel.now)

    def _tell(self, change: tree_mod.Change, session: Session | None) -> None:
        who, user = NAME, NAME
        if session is not None:
            who, user = session.owner, session.identities[0].partition(":")[0]
        for path, before in change.before.items():
            record = self.tree.find(path)
            if before and record and before.changed == record.changed:
                continue  # only its count of children
            data = None if record is None else record.data
            for listener in self.listeners:
                listener(who, user, path, data)

    def _fire(self, link: Link, call: kernel_mod.Call, changed: float) -> None:
        due = changed + self._lag_of(link)
        if due <= self._kernel.now:
            link.tell(call)
            return
        link.late.append((due, call))
        self._kernel.at(due, lambda: self._fire_late(link, due))

    def _fire_late(self, link: Link, until: float) -> None:
        while link.late and link.late[0][0] <= until:
            link.tell(link.late.pop(0)[1])

    # -- reading -------------------------------------------------------------

    def _lag_of(self, link: Link) -> float:
        return 0.0 if link.member == self.leader else self._lag

    def lag(self, seconds: float) -> None:
        """Have followers lag behind by so much from now on."""
        for link in self._links.values():
            self.seen(link)
        self._lag = seconds
        if not seconds:
            self._past.forget(self._kernel.now)
            for link in self._links.values():
                self.catch_up(link)

    def seen(self, link: Link) -> float:
        """The moment as of which a client is shown the tree; it never goes
        back."""
        session = link.session
        oldest = self._kernel.now - self._lag_of(link)
        session.seen = max(session.seen, oldest)
        return session.seen

    def catch_up(self, link: Link) -> None:
        """Its member has carried out all that was committed before."""
        link.session.seen = self._kernel.now
        self._fire_late(link, math.inf)

    def find(self, link: Link, path: str) -> tree_mod.Record | None:
        return self._past.find(path, self.seen(link))

    def names(self, link: Link, path: str) -> list[str]:
        """:raises NodeMissing:"""
        return self._past.names(path, self.seen(link))

    def arm(
        self, link: Link, kind: Kind, path: str, watch: znodes.Watch
    ) -> None:
        """Fire when what the client has been shown is no longer so."""
        changed = self._past.next_change((kind, path), self.seen(link))
        if changed is None:
            self._watches.arm(kind, path, link, watch)
        else:
            self._fire(link, functools.partial(watch, path), changed)
