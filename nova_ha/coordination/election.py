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

"""Who leads: :class:`ports.Leadership`.

Each engine has one ephemeral sequential node below ``leader``; the lowest
leads, the others watch the node before theirs, so that a leader's end wakes
one. kazoo's own recipe stays silent when the session is lost, so that it
cannot be asked for the right to act.

That right is a *lease*: a leader renews it by a quorum write each second, and
it lasts ``lease`` seconds from *before* the last acknowledged write was
sent. ZooKeeper ends the session of a silent leader, and lets a successor
lead, only after the whole session time-out T. The lease is at most
:data:`LEASE_SHARE` of T; what remains is for the touches that followers
forward late (half a tick), drift, and a request under way.

Each renewal is seen: it writes the node ``lease``. For a session outlives its
client where somebody else goes on with it (:mod:`nova_ha.core.challenge`), and
a dead leader would lead for ever. Whoever stands next takes the place of one
that has not renewed for :data:`QUIET` seconds; its lease is long over.
"""

import contextlib
import dataclasses
import threading
import uuid

from oslo_log import log

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha import ports
from nova_ha.coordination import contenders
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.core import codec
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core.model import Epoch

LOG = log.getLogger(__name__)

LEASE_SHARE = 0.6

RENEW_INTERVAL = 1.0
"""Seconds between two renewals."""

QUIET = 30.0
"""Seconds without a renewal after which a leader is not believed to be there;
at least twice the session time-out, and so far more than a lease."""

BREAK = 5.0
"""Seconds between two looks at the leader after which what it did in between
is unknown."""

RETRY = 0.5

FOREVER = 3600.0


@dataclasses.dataclass(slots=True)
class _Rival:
    """A leader, as it was seen to renew last."""

    epoch: int
    version: int
    since: float = dataclasses.field(default=0.0, compare=False)
    """When this renewal was first seen."""
    looked: float = dataclasses.field(default=0.0, compare=False)


class ZooKeeperLeadership(ports.Leadership):
    """:class:`ports.Leadership` on one session, which it does not own.

    :param engine: name of this engine, for people.
    :param lease: seconds; the policy's ``leader_lease``. Never more than
        :data:`LEASE_SHARE` of the negotiated session time-out.
    """

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        clock: clock_module.Clock,
        *,
        engine: str,
        machine_id: str,
        lease: float,
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._clock = clock
        self._engine = engine
        self._machine_id = machine_id
        self._lease = lease
        # Finds our node again if the answer to its creation was lost.
        self._key = f"c-{uuid.uuid4().hex}-"
        self._sink: ports.Sink = _nowhere
        self._thread: clock_module.Thread | None = None
        self._stopped = threading.Event()
        self._wake = threading.Event()
        # Guards what follows; held while events are delivered, so that they
        # are in order. Sinks only enqueue.
        self._lock = threading.Lock()
        self._generation = 0
        """Counts the changes of the connection."""
        self._epoch: Epoch | None = None
        self._acknowledged = 0.0
        """When the last acknowledged renewal was sent."""
        # Of the election's thread only:
        self._told = ""
        self._rival: _Rival | None = None

    # -- ports.Leadership ----------------------------------------------------

    def start(self, sink: ports.Sink) -> None:
        self._sink = sink
        self._tree.listen(self._connection_changed)
        self._thread = self._clock.spawn(self._run, "election")

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()
        self._tree.unlisten(self._connection_changed)
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            self._become(None)
        try:
            node = self._own(contenders.nodes(self._tree, self._paths))
            if node is not None:
                self._tree.delete(node.path)
        except exception.CoordinationError as error:
            # The end of the session does it, a little later.
            LOG.warning("Cannot leave the election: %s", error)

    def check(self, epoch: Epoch) -> None:
        with self._lock:
            if epoch != self._epoch:
                raise exception.NotLeading(
                    f"this engine does not lead in epoch {epoch}"
                )
            left = self._left()
        if left <= 0:
            raise exception.NotLeading(
                f"the lease of epoch {epoch} ran out {-left:.1f} s ago"
            )

    def _left(self) -> float:
        """Seconds that the right to act still lasts."""
        lease = min(self._lease, LEASE_SHARE * self._tree.session_timeout)
        return self._acknowledged + lease - self._clock.monotonic()

    # -- callbacks: they only mark -------------------------------------------

    def _connection_changed(self, state: ConnectionState) -> None:
        with self._lock:
            self._generation += 1
            if state is not ConnectionState.CONNECTED:
                self._become(None)
        self._wake.set()

    def _watch(self, path: str) -> None:
        self._wake.set()

    def _become(self, epoch: Epoch | None) -> None:
        """Told once for each change; the lock is held."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._sink(events.LeadershipChanged(epoch=epoch))

    # -- the election's thread -----------------------------------------------

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                wait = self.step()
            except exception.CoordinationError as error:
                self._failed(error)
            except Exception as error:  # the loop's edge: it must not end
                LOG.exception("The election failed")
                self._failed(error)
            else:
                self._told = ""
                self._clock.wait(self._wake, wait)

    def _failed(self, error: Exception) -> None:
        if str(error) != self._told:
            self._told = str(error)
            LOG.warning("Election: %s", error)
        with self._lock:
            if self._epoch is not None and self._left() <= 0:
                self._become(None)
        self._clock.wait(self._stopped, RETRY)

    def step(self) -> float:
        """Stand, and renew if leading; returns the seconds until the next.

        :raises CoordinationError:
        """
        self._wake.clear()
        if self._tree.state is not ConnectionState.CONNECTED:
            return FOREVER
        with self._lock:
            generation = self._generation
        nodes = contenders.nodes(self._tree, self._paths)
        own = self._own(nodes)
        if own is None:
            with self._lock:
                self._become(None)
            self._stand()
            return 0.0
        if nodes[0].path == own.path:
            self._renew(own, generation)
        else:
            self._follow(nodes, own)
        return RENEW_INTERVAL

    def _own(self, nodes: list[znodes.Node]) -> znodes.Node | None:
        """Our node in this session. One of an expired session of ours may
        still be listed; it is not ours to lead by."""
        for node in nodes:
            mine = self._key in node.path
            if mine and node.owner == self._tree.session:
                return node
        return None

    def _stand(self) -> None:
        contender = model.Contender(
            engine=self._engine, machine_id=self._machine_id, epoch=Epoch(0)
        )
        path = f"{self._paths.leader}/{self._key}"
        data = codec.encode(contender, path)
        self._tree.create(path, data, ephemeral=True, sequence=True)

    def _renew(self, own: znodes.Node, generation: int) -> None:
        # Somebody may delete it; then there is no waiting for the renewal.
        if self._tree.get(own.path, self._watch) is None:
            self._wake.set()
            return
        sent = self._clock.monotonic()
        try:
            self._write_lease(own)
        except znodes.NodeMissing:
            self._wake.set()
            return
        with self._lock:
            if self._generation != generation or self._stopped.is_set():
                return
            self._acknowledged = sent
            # An answer that took longer than the lease gives no right.
            led = Epoch(own.created) if self._left() > 0 else None
            self._become(led)

    def _write_lease(self, own: znodes.Node) -> None:
        """Goes through a quorum, and wakes no watcher: nobody watches it.

        :raises NodeMissing: our own node is gone.
        """
        path = self._paths.lease
        data = codec.encode(model.Lease(epoch=Epoch(own.created)), path)
        here = znodes.Check(own.path)
        try:
            self._tree.commit([here, znodes.Set(path, data)])
        except znodes.NodeMissing as error:
            if error.path != path:
                raise
            # Deleted by somebody: `nova-ha zk check` tells. That must not
            # leave the fleet without a leader.
            self._tree.commit([here])

    def _follow(self, nodes: list[znodes.Node], own: znodes.Node) -> None:
        """Wait for the one before ours to go; that wakes us alone."""
        with self._lock:
            self._become(None)
        rank = [node.path for node in nodes].index(own.path)
        before = nodes[rank - 1]
        if self._tree.get(before.path, self._watch) is None:
            self._wake.set()
        elif rank == 1:
            self._doubt(before)

    def _doubt(self, leader: znodes.Node) -> None:
        """Take the leader's place if it has not renewed for long."""
        lease = self._lease_of(leader)
        if lease is None:
            self._rival = None
            return
        rival = _Rival(leader.created, lease.version)
        now = self._clock.monotonic()
        known = self._rival
        if known != rival or now - known.looked > BREAK:
            self._rival, known = rival, rival
            known.since = now
        known.looked = now
        quiet = now - known.since
        if quiet < max(QUIET, 2 * self._tree.session_timeout):
            return
        LOG.warning(
            "The leader's session is alive, but it has not renewed its lease "
            "for %.0f s: taking its place",
            quiet,
        )
        self._rival = None
        # In one step: a renewal that came meanwhile keeps it where it is.
        steps: list[znodes.Operation] = [
            znodes.Check(lease.path, lease.version),
            znodes.Delete(leader.path),
        ]
        with contextlib.suppress(exception.StaleVersion, znodes.NodeMissing):
            self._tree.commit(steps)

    def _lease_of(self, leader: znodes.Node) -> znodes.Node | None:
        """The node, if this leader writes it: one of the former release
        does not."""
        node = self._tree.get(self._paths.lease)
        if node is None or node.data is None:
            return None
        try:
            lease = codec.decode(model.Lease, node.data, node.path)
        except exception.PayloadError:
            return None
        return node if lease.epoch == leader.created else None


def _nowhere(event: events.Event) -> None:
    """The sink before the start."""
