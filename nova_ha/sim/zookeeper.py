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

"""ZooKeeper on virtual time, behind :class:`znodes.GuardedZnodes`.

What is true of the real one, and matters to us, is true here:

* Sessions end on the servers, between T and T + tick after the leader has
  last heard of them; a client learns of it only when it is connected again.
  After an election all time-outs are counted anew, and nothing ends while
  there is no quorum.
* Changes go through the leader, one after the other. A follower's readers
  may see an older tree, until they write or sync.
* A request whose answer is lost has taken effect; one that is held up on its
  way does so later, when its caller has long given up.
* Watches come once, in order with the answers, and are lost with the
  connection.
* Access is checked against the lists of the nodes.
"""

from collections.abc import Collection, Mapping, Sequence

from nova_ha import exception
from nova_ha.coordination import acl as acl_mod
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ANY_VERSION
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.coordination.znodes import Node
from nova_ha.coordination.znodes import Perm
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network
from nova_ha.sim.ensemble import access
from nova_ha.sim.ensemble import connection
from nova_ha.sim.ensemble import quorum as quorum_mod
from nova_ha.sim.ensemble import sessions
from nova_ha.sim.ensemble import tree
from nova_ha.sim.ensemble import truth
from nova_ha.sim.ensemble import wire
from nova_ha.sim.ensemble.quorum import Link
from nova_ha.sim.ensemble.watches import Kind

BATCH = 256
"""Requests in flight at once when many nodes are read."""

IDS: Mapping[str, str] = access.IDS
"""ZooKeeper's id of each role: what ``init_tree`` is to be called with."""

host_identity = access.host_identity


class SimZnodes(znodes.GuardedZnodes):
    """One session of a program.

    Calls from its threads take time. Called from outside any thread (a test,
    the world itself) they are carried out at once.

    :param acl_of: the lists of the nodes that it creates; those that the
        tree publishes, unless given.
    :param own: id of the credential of an agent's host; else empty.
    """

    def __init__(
        self,
        quorum: quorum_mod.Quorum,
        link: connection.Connection,
        kernel: kernel_mod.Kernel,
        acl_of: tree.AclOf | None,
        own: str,
    ) -> None:
        self._quorum = quorum
        self._connection = link
        self._kernel = kernel
        self._own = own
        self._acl_of = acl_of or self._published

    # -- the session ---------------------------------------------------------

    @property
    def state(self) -> ConnectionState:
        return self._connection.state

    @property
    def session(self) -> int:
        return self._connection.session

    @property
    def session_timeout(self) -> float:
        return self._connection.timeout

    def listen(self, listener: znodes.Listener) -> None:
        self._connection.listeners.append(listener)

    def unlisten(self, listener: znodes.Listener) -> None:
        if listener in self._connection.listeners:
            self._connection.listeners.remove(listener)

    def close(self) -> None:
        self._connection.close()

    # -- reading -------------------------------------------------------------

    def get(self, path: str, watch: znodes.Watch | None = None) -> Node | None:
        node = self.get_many([path], watch)[path]
        if node is not None and node.data is None:
            raise exception.CoordinationDenied(path)
        return node

    def get_many(
        self, paths: Collection[str], watch: znodes.Watch | None = None
    ) -> Mapping[str, Node | None]:
        names = list(paths)
        found: dict[str, Node | None] = {}
        while names:
            # Others' changes may come between any two reads.
            chance = self._kernel.chance("batches of reads")
            size = chance.randint(1, min(BATCH, len(names)))
            batch, names = names[:size], names[size:]
            found |= self._get_batch(batch, watch)
        return found

    def _get_batch(
        self, paths: Sequence[str], watch: znodes.Watch | None
    ) -> Mapping[str, Node | None]:
        def act(link: Link) -> Mapping[str, Node | None]:
            return {path: self._get(link, path, watch) for path in paths}

        return self._connection.ask(paths[0], act)

    def _get(
        self, link: Link, path: str, watch: znodes.Watch | None
    ) -> Node | None:
        """At the member."""
        if watch is not None:
            self._quorum.arm(link, Kind.DATA, path, watch)
        record = self._quorum.find(link, path)
        if record is None:
            return None
        perms = access.granted(record.acl, link.session.identities)
        return record.node(path, readable=Perm.READ in perms)

    def children(
        self, path: str, watch: znodes.Watch | None = None
    ) -> Sequence[str]:
        def act(link: Link) -> Sequence[str]:
            names = self._quorum.names(link, path)
            record = self._quorum.find(link, path)
            if record is not None:
                access.guard(link.session.identities)(record, Perm.READ, path)
            if watch is not None:
                self._quorum.arm(link, Kind.CHILDREN, path, watch)
            return names

        return self._connection.ask(path, act)

    def sync(self, path: str) -> None:
        self._connection.ask(path, self._quorum.catch_up, self._agreement())

    def _agreement(self) -> float:
        """Seconds that it takes the leader to hear from a quorum."""
        return 2 * wire.latency(self._kernel)

    # -- changing ------------------------------------------------------------

    def create(
        self,
        path: str,
        data: bytes = b"",
        *,
        ephemeral: bool = False,
        sequence: bool = False,
    ) -> str:
        acl = self._acl_of(path)
        return self._create(path, data, acl, ephemeral, sequence)

    def _create(
        self,
        path: str,
        data: bytes,
        acl: Sequence[znodes.Acl],
        ephemeral: bool = False,
        sequence: bool = False,
    ) -> str:
        def act(link: Link) -> str:
            owner = link.session.id * ephemeral
            entries = access.resolved(acl, link.session.identities)
            return self._quorum.change(
                link,
                lambda change: change.create(
                    path, data, owner, entries, sequence=sequence
                ),
            )

        return self._connection.ask(path, act, self._agreement())

    def set(self, path: str, data: bytes, version: int = ANY_VERSION) -> int:
        (result,) = self.commit([znodes.Set(path, data, version)])
        return result

    def delete(self, path: str, version: int = ANY_VERSION) -> None:
        self.commit([znodes.Delete(path, version)])

    def commit(self, operations: Sequence[znodes.Operation]) -> Sequence[int]:
        # Whoever creates a node brings its list, and asks for it first.
        acls = {
            one.path: self._acl_of(one.path)
            for one in operations
            if isinstance(one, znodes.Create)
        }

        def act(link: Link) -> Sequence[int]:
            who, owner = link.session.identities, link.session.id
            return self._quorum.change(
                link,
                lambda change: [
                    change.apply(
                        one,
                        owner,
                        lambda path: access.resolved(acls[path], who),
                    )
                    for one in operations
                ],
            )

        return self._connection.ask(operations[0].path, act, self._agreement())

    # -- access control ------------------------------------------------------

    def _published(self, path: str) -> Sequence[znodes.Acl]:
        """The root of the namespace follows from the path."""
        root = "/".join(path.split("/")[:3])
        return acl_mod.PublishedAcls(root, self._own)(self, path)

    def create_guarded(
        self, path: str, data: bytes, acl: Sequence[znodes.Acl]
    ) -> None:
        self._create(path, data, acl)

    def acl(self, path: str) -> Sequence[znodes.Acl]:
        def act(link: Link) -> Sequence[znodes.Acl]:
            record = self._quorum.find(link, path)
            if record is None:
                raise znodes.NodeMissing(path)
            return access.shown(record, link.session.identities, path)

        return self._connection.ask(path, act)

    def set_acl(self, path: str, acl: Sequence[znodes.Acl]) -> None:
        def act(link: Link) -> None:
            entries = access.resolved(acl, link.session.identities)
            self._quorum.change(
                link, lambda change: change.set_acl(path, entries)
            )

        self._connection.ask(path, act, self._agreement())


class Ensemble(truth.Truth):
    """The ensemble as the world and those who check it see it, and what may
    befall it.

    :param members: servers; one of them leads, the others follow.
    :param tick: seconds between two looks at the sessions; time-outs are
        granted between 2 and 20 ticks.
    """

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        networks: network.Networks,
        journal: journal_mod.Journal,
        *,
        members: int = 3,
        tick: float = 0.5,
    ) -> None:
        super().__init__(
            quorum_mod.Quorum(kernel, networks, journal, members, tick)
        )
        self._kernel = kernel
        self._journal = journal
        self._members = members
        self._stopped = False
        self._elections = 0

    def client(
        self,
        program: kernel_mod.Program,
        node: str,
        timeout: float = 10.0,
        user: str = "engine",
        host: str = "",
        acl_of: tree.AclOf | None = None,
    ) -> SimZnodes:
        """Open a session for a program.

        :param node: where it runs, for the networks.
        :param timeout: T in seconds, to be asked for.
        :param user: role of its credentials.
        :param host: whose own credential it has beside them.
        """
        own = access.host_identity(host) if host else ""
        identities = tuple(filter(None, (access.identity(user), own)))
        link = connection.Connection(
            self._quorum, program, node, identities, timeout
        )
        return SimZnodes(self._quorum, link, self._kernel, acl_of, own)

    # -- faults --------------------------------------------------------------

    def stop(self) -> None:
        """All members stop."""
        self._stopped = True
        self._journal.note(quorum_mod.NAME, "zookeeper.stopped")
        self._quorum.halt()

    def start(self) -> None:
        """They start again, and elect a leader at once."""
        self._stopped = False
        self._elections += 1
        self._journal.note(quorum_mod.NAME, "zookeeper.started")
        self._quorum.serve()

    def elect(self, seconds: float) -> None:
        """The leader is lost; it takes so long until another serves."""
        self._elections += 1
        election = self._elections
        self._journal.note(quorum_mod.NAME, "zookeeper.election")
        self._quorum.halt()
        self._kernel.after(seconds, lambda: self._elected(election))

    def _elected(self, election: int) -> None:
        if not self._stopped and election == self._elections:
            self._journal.note(quorum_mod.NAME, "zookeeper.elected")
            self._quorum.serve()

    def expire(self, program: str) -> None:
        """End the sessions of a program on the servers."""
        for session in list(self._quorum.sessions.values()):
            if session.owner == program:
                self._quorum.expire(session)

    def keep(self, program: str) -> None:
        """Somebody else goes on with the sessions of a program, for good:
        what it takes is their ids, which everybody is shown."""
        for session in list(self._quorum.sessions.values()):
            if session.owner == program:
                self._keep(session)

    def _keep(self, session: sessions.Session) -> None:
        if session.id not in self._quorum.sessions:
            return
        if self._quorum.serving:
            session.hear(self._kernel.now, self._kernel.now)
        self._kernel.after(session.timeout / 3, lambda: self._keep(session))

    def lag(self, seconds: float) -> None:
        """Have the followers lag behind the leader by so much."""
        self._quorum.lag(seconds)

    def lose_followers(self) -> None:
        """Each follower dies once, and with it what it had not yet reported
        of its clients: their sessions may end early, as seen from there."""
        for member in range(self._members):
            self._quorum.lose_follower(member)
