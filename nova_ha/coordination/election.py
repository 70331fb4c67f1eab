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
"""

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

RETRY = 0.5

FOREVER = 3600.0


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
            # Goes through a quorum, changes nothing, wakes no watcher.
            self._tree.commit([znodes.Check(own.path)])
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

    def _follow(self, nodes: list[znodes.Node], own: znodes.Node) -> None:
        """Wait for the one before ours to go; that wakes us alone."""
        with self._lock:
            self._become(None)
        before = nodes[[node.path for node in nodes].index(own.path) - 1]
        if self._tree.get(before.path, self._watch) is None:
            self._wake.set()


def _nowhere(event: events.Event) -> None:
    """The sink before the start."""
