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

"""Keeping up with the tree: a thread that reads what has changed.

One thread reads, and delivers. Watches and the connection's listener only
mark what is to be read again and wake it. Everything is read again every few
seconds as well, since watches are lost with a connection, and edges with a
mistake. With a large fleet that takes long; what changes meanwhile does not
wait for its end.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from oslo_log import log

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha import ports
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core.model import HostName

LOG = log.getLogger(__name__)

INTERVAL = 5.0
"""Seconds between two complete reads."""

SHARE = 10.0
"""See :class:`HostWatcher`."""

PART = 64
"""Hosts of a complete read after which changes get their turn."""

RETRY = 0.5
"""Seconds before a failed read is repeated on a good connection."""

FOREVER = 3600.0

_NEVER = float("inf")

Extra = Callable[[znodes.Watch], events.Event]
"""Reads something, arms the watch on it, returns what to deliver."""

Pulse = Callable[[float], events.Event]
"""Makes what to deliver when all is known that was so at a moment of the
monotonic clock."""

_Facts = dict[HostName, model.HostFacts]


class HostWatcher:
    """Delivers :class:`events.HostsRead`, :class:`events.ConnectionChanged`
    and what ``extras`` return: at every change, and complete again every few
    seconds.

    :param extras: what else to read, by the path of a node. It is read again
        when a watch armed for that node, or one below it, fires.
    :param interval: seconds between two complete reads.
    :param share: a complete read that took t seconds is repeated after
        ``share`` * t at the earliest, so that a large fleet does not keep a
        processor busy.
    :param pulse: asked every ``interval`` seconds between complete reads that
        are further apart: a sync, the changes that it has brought, and then
        what this makes.
    """

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        clock: clock_module.Clock,
        *,
        extras: Mapping[str, Extra],
        guests: bool = True,
        interval: float = INTERVAL,
        share: float = SHARE,
        pulse: Pulse | None = None,
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._clock = clock
        self._interval = interval
        self._share = share
        self._pulse = pulse
        self._extras = extras
        self._reader = reading.HostReader(tree, paths, guests=guests)
        self._sink: ports.Sink = _nowhere
        self._thread: clock_module.Thread | None = None
        self._stopped = threading.Event()
        self._wake = threading.Event()
        # Guards what follows; held while events are delivered, so that they
        # are in order. Sinks only enqueue.
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._generation = 0
        """Counts the changes of the connection."""
        self._announced: bool | None = None
        # Of the reading thread only:
        self._nodes: dict[str, znodes.Node | None] = {}
        self._last: dict[HostName, model.HostFacts] = {}
        """As delivered."""
        self._due = 0.0
        self._pulse_due = _NEVER
        self._told = ""

    # -- start and end ------------------------------------------------------

    def start(self, sink: ports.Sink) -> None:
        self._sink = sink
        self._due = self._clock.monotonic()
        self._tree.listen(self._connection_changed)
        self._thread = self._clock.spawn(self._run, "hosts")

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()
        self._tree.unlisten(self._connection_changed)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    # -- callbacks: they only mark -------------------------------------------

    def _connection_changed(self, state: ConnectionState) -> None:
        connected = state is ConnectionState.CONNECTED
        with self._lock:
            self._generation += 1
            self._dirty.clear()
            if not connected:
                # Told at once; that it is good again, when all is read.
                self._announce(connected=False)
        if connected:
            self._wake.set()

    def _announce(self, *, connected: bool) -> None:
        if self._announced is not connected:
            self._announced = connected
            self._sink(events.ConnectionChanged(connected=connected))

    def _watch(self, path: str) -> None:
        with self._lock:
            self._dirty.add(path)
        self._wake.set()

    # -- the reading thread --------------------------------------------------

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                wait = self.step()
            except exception.CoordinationError as error:
                self._failed(error)
            except Exception as error:  # the loop's edge: it must not end
                LOG.exception("Reading the hosts failed")
                self._failed(error)
            else:
                self._told = ""
                self._clock.wait(self._wake, wait)

    def _failed(self, error: Exception) -> None:
        # Told once, not twice a second for as long as it lasts.
        if str(error) != self._told:
            self._told = str(error)
            LOG.warning("Cannot read the hosts: %s", error)
        self._due = self._clock.monotonic()
        self._clock.wait(self._stopped, RETRY)

    def step(self) -> float:
        """Read what is due; returns the seconds until the next step.

        :raises CoordinationError:
        """
        self._wake.clear()
        if self._tree.state is not ConnectionState.CONNECTED:
            return FOREVER
        with self._lock:
            generation = self._generation
            known = self._announced is True
        now = self._clock.monotonic()
        if not known or now >= self._due:
            self._read_all(generation, known=known)
        elif self._pulse is not None and now >= self._pulse_due:
            self._beat(self._pulse, generation, now)
        else:
            self._read_changed(self._take_dirty(generation), generation)
        due = min(self._due, self._pulse_due)
        return max(0.0, due - self._clock.monotonic())

    def _take_dirty(self, generation: int) -> set[str]:
        """What has changed, unless it has to be read again anyway."""
        with self._lock:
            if self._generation != generation:
                return set()
            dirty, self._dirty = self._dirty, set()
        return dirty

    def _deliver(self, generation: int, *found: events.Event) -> None:
        """Unless the connection has changed since they were read."""
        with self._lock:
            if self._generation != generation:
                return
            for event in found:
                self._sink(event)

    def _beat(self, pulse: Pulse, generation: int, now: float) -> None:
        """Tell that nothing before ``now`` is unknown: watches fire before
        the sync is answered."""
        self._tree.sync(self._paths.root)
        self._read_changed(self._take_dirty(generation), generation)
        self._deliver(generation, pulse(now))
        self._pulse_due = now + self._interval

    def _read_all(self, generation: int, *, known: bool) -> None:
        began = self._clock.monotonic()
        dirty = self._take_dirty(generation)
        self._tree.sync(self._paths.root)
        hosts = self._reader.names(self._watch)
        # In order: what follows from it is the same in each run.
        for number, part in enumerate(_parts(sorted(hosts))):
            if known and number:
                self._read_changed(
                    dirty | self._take_dirty(generation), generation
                )
                dirty = set()
            self._read(part)
        if len(hosts) > PART:  # which may have come and gone meanwhile
            hosts = self._reader.names(self._watch)
        hosts = {
            one for one in hosts if self._paths.beacon(one) in self._nodes
        }
        self._keep(hosts)
        others = [ask(self._watch) for ask in self._extras.values()]
        with self._lock:
            if self._generation != generation:
                return
            self._announce(connected=True)
        self._last = self._facts(hosts)
        self._deliver(
            generation,
            events.HostsRead(hosts=dict(self._last), complete=True),
            *others,
        )
        took = self._clock.monotonic() - began
        self._due = began + max(self._interval, self._share * took)
        if self._pulse is not None:
            self._pulse_due = began + self._interval

    def _read(self, hosts: Sequence[HostName]) -> None:
        """Read all nodes of these hosts."""
        wanted = [path for host in hosts for path in self._nodes_of(host)]
        nodes = dict(self._tree.get_many(wanted, self._watch))
        self._reader.settle(hosts, nodes, self._watch)
        self._nodes.update(nodes)

    def _keep(self, hosts: Collection[HostName]) -> None:
        """Forget all other hosts."""
        kept = {path for host in hosts for path in self._nodes_of(host)}
        for path in self._nodes.keys() - kept:
            del self._nodes[path]
        self._reader.forget(hosts)

    def _nodes_of(self, host: HostName) -> Collection[str]:
        return self._reader.nodes_of(host)

    def _facts(self, hosts: Collection[HostName]) -> _Facts:
        return {
            host: self._reader.facts(host, self._nodes)
            for host in sorted(hosts)
        }

    def _read_changed(self, dirty: set[str], generation: int) -> None:
        changed = {
            host: facts
            for host, facts in self._facts(self._hosts_of(dirty)).items()
            if self._last.get(host) != facts
        }
        if changed:
            self._last |= changed
            self._deliver(generation, events.HostsRead(hosts=changed))
        others = [
            ask(self._watch)
            for path, ask in self._extras.items()
            if any(one == path or one.startswith(path + "/") for one in dirty)
        ]
        self._deliver(generation, *others)

    def _hosts_of(self, dirty: set[str]) -> set[HostName]:
        """Read the changed nodes of hosts; returns which hosts these are."""
        hosts: set[HostName] = set()
        wanted: dict[str, None] = {}
        for path in sorted(dirty):
            host = self._reader.host_of(path)
            if host is not None:
                hosts.add(host)
                wanted |= dict.fromkeys(self._together(host, path))
        if dirty & {self._paths.hosts, self._paths.agents}:
            for host in sorted(self._reader.names(self._watch)):
                if self._paths.beacon(host) not in self._nodes:
                    hosts.add(host)
                    wanted |= dict.fromkeys(self._nodes_of(host))
        if wanted:
            self._nodes.update(self._tree.get_many(wanted, self._watch))
            self._reader.settle(hosts, self._nodes, self._watch)
        return hosts

    def _together(self, host: HostName, path: str) -> tuple[str, ...]:
        """Beacon and goodbye are exchanged for one another: always both."""
        pair = (self._paths.beacon(host), self._paths.goodbye(host))
        return pair if path in pair else (path,)


def _parts(hosts: Sequence[HostName]) -> Iterator[Sequence[HostName]]:
    for start in range(0, len(hosts), PART):
        yield hosts[start : start + PART]


def _nowhere(event: events.Event) -> None:
    """The sink before the start."""
