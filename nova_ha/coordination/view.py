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

"""The liveness of all hosts, kept up to date in the background.

For schedulers, which ask thousands of times a second and must never wait for
a server: :meth:`LivenessView.snapshot` returns what is known, without I/O.
"""

import dataclasses
import os
import threading
import types
import weakref
from collections.abc import Callable, Mapping

from oslo_log import log

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.coordination import habits
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import watching
from nova_ha.coordination import znodes
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import stability
from nova_ha.core import view as core_view
from nova_ha.core.model import HostName
from nova_ha.core.model import record

LOG = log.getLogger(__name__)

WINDOW = 7 * 24 * 3600.0
"""Seconds for which a death or a flap makes a host less stable."""

SHARE = 100.0
"""Watches tell what changes, and each :data:`watching.INTERVAL` it is made
sure that they have. A complete read of a large fleet, which is there against
mistakes, is to take no more than a hundredth of a scheduler's time."""

_Hosts = Mapping[HostName, core_view.HostView]
_Recoveries = Mapping[HostName, model.PublishedVerdict]
_Arrivals = Mapping[HostName, frozenset[model.InstanceId]]


@dataclasses.dataclass(frozen=True, slots=True)
class ViewSnapshot:
    """What was known of all hosts at one moment; never changes.

    ``recoveries``: what is published of hosts with an open case.
    ``arrivals``: which instances of those each host is to get, or has got
    since. ``age``: seconds since all of it was so; infinite before the tree
    was read for the first time. ``connected``: changes since then have been
    followed.
    """

    hosts: _Hosts = dataclasses.field(default_factory=dict)
    recoveries: _Recoveries = dataclasses.field(default_factory=dict)
    arrivals: _Arrivals = dataclasses.field(default_factory=dict)
    age: float = float("inf")
    connected: bool = False


@record
class _VerdictsRead(events.Event):
    verdicts: Mapping[HostName, model.PublishedVerdict]


@record
class _Followed(events.Event):
    at: float
    """All that was so then is known; monotonic."""


class ViewReader:
    """Follows the tree on one session, which it does not own."""

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        clock: clock_module.Clock,
        *,
        interval: float = watching.INTERVAL,
        window: float = WINDOW,
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._clock = clock
        self._window = window
        self._decoder = reading.Decoder()
        self._watcher = watching.HostWatcher(
            tree,
            paths,
            clock,
            extras={paths.verdicts: self._read_verdicts},
            guests=False,
            interval=interval,
            share=SHARE,
            pulse=lambda at: _Followed(at=at),
        )
        # Changed only by the watcher's events, which come one at a time.
        self._facts: dict[HostName, model.HostFacts] = {}
        self._verdicts: Mapping[HostName, model.PublishedVerdict] = {}
        self._habits = habits.Habits()
        # Swapped as a whole: readers take no lock.
        self._shown = ViewSnapshot()
        self._read_at: float | None = None
        self._complete = False
        self._connected = False

    def start(self) -> None:
        self._watcher.start(self._fold)

    def stop(self) -> None:
        self._watcher.stop()

    def snapshot(self) -> ViewSnapshot:
        """What is known now, without I/O."""
        read_at = self._read_at
        if read_at is None:
            return ViewSnapshot(connected=self._connected)
        return dataclasses.replace(
            self._shown,
            age=self._clock.monotonic() - read_at,
            connected=self._connected,
        )

    def _read_verdicts(self, watch: znodes.Watch) -> events.Event:
        parent = self._paths.verdicts
        names = self._tree.children(parent, watch)
        nodes = self._tree.get_many(
            [f"{parent}/{name}" for name in names], watch
        )
        decoded = (
            self._decoder.decode(model.PublishedVerdict, node)
            for node in nodes.values()
        )
        found = [one for one in decoded if one is not None]
        self._decoder.forget(nodes.__contains__)
        return _VerdictsRead(verdicts={one.host: one for one in found})

    def _fold(self, event: events.Event) -> None:
        match event:
            case events.ConnectionChanged(connected=connected):
                self._connected = connected
            case events.HostsRead(hosts=hosts, complete=complete):
                self._take_hosts(hosts, complete=complete)
            case _VerdictsRead(verdicts=verdicts):
                self._take_verdicts(verdicts)
            case _Followed(at=at):
                self._read_at = at
                self._look_at_goodbyes()

    def _take_hosts(
        self, hosts: Mapping[HostName, model.HostFacts], *, complete: bool
    ) -> None:
        now = self._clock.monotonic()
        for host, facts in hosts.items():
            self._habits.note(self._facts.get(host), facts, now)
        if complete:
            self._complete = True
            self._facts = {}
            self._habits.keep(hosts)
        self._facts.update(hosts)
        known = {} if complete else self._shown.hosts
        self._show({**known, **self._judge(hosts, now)})

    def _look_at_goodbyes(self) -> None:
        """They end by themselves; nothing tells of it."""
        away = {
            host: facts
            for host, facts in self._facts.items()
            if facts.goodbye is not None
        }
        if away:
            judged = self._judge(away, self._clock.monotonic())
            self._show({**self._shown.hosts, **judged})

    def _show(self, hosts: _Hosts) -> None:
        self._shown = dataclasses.replace(
            self._shown, hosts=types.MappingProxyType(hosts)
        )

    def _take_verdicts(
        self, verdicts: Mapping[HostName, model.PublishedVerdict]
    ) -> None:
        now = self._clock.monotonic()
        self._verdicts = verdicts
        recoveries = {
            host: verdict
            for host, verdict in verdicts.items()
            if verdict.case is not None
        }
        self._shown = ViewSnapshot(
            hosts=types.MappingProxyType(self._judge(self._facts, now)),
            recoveries=recoveries,
            arrivals=core_view.arrivals(recoveries.values()),
        )
        # The verdicts are read after the hosts: with them all is there.
        if self._complete:
            self._read_at, self._complete = now, False

    def _judge(
        self, hosts: Mapping[HostName, model.HostFacts], now: float
    ) -> dict[HostName, core_view.HostView]:
        utc = self._clock.utcnow()
        return {
            host: core_view.judge(
                facts,
                self._verdicts.get(host),
                self._habits.goodbye_age(host, now),
                stability.of(
                    facts,
                    self._habits.flap_ages(host, now),
                    utc,
                    self._window,
                ),
            )
            for host, facts in hosts.items()
        }


class LivenessView:
    """The view of this process, on a session of its own.

    Nothing happens before the first :meth:`snapshot`. A forked child opens a
    session of its own at *its* first one: a service that forks its workers
    may so be given a view before.

    :param settings: makes the settings when they are needed, so that a
        scheduler starts even if they are wrong; that is told in the log.
    :param window: seconds for which a death or a flap makes a host less
        stable.
    :param started: called in each process that looks, at its first look,
        even if the settings are wrong.
    """

    def __init__(
        self,
        settings: Callable[[], settings_module.Settings],
        clock: clock_module.Clock,
        *,
        interval: float = watching.INTERVAL,
        window: float = WINDOW,
        started: Callable[["LivenessView"], None] | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._interval = interval
        self._window = window
        self._tell_started = started
        self._reset()
        # A forked child has none of the parent's threads, and perhaps its
        # lock held. At this moment it has one thread only: nothing races.
        this = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _reset(this))

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._started = False
        self._session: kazoo_znodes.KazooZnodes | None = None
        self._reader: ViewReader | None = None

    def snapshot(self) -> ViewSnapshot:
        """What is known now; never waits, never raises."""
        if not self._started:
            with self._lock:
                if not self._started:
                    self._start()
                    self._started = True
                    if self._tell_started is not None:
                        self._tell_started(self)
        reader = self._reader
        return ViewSnapshot() if reader is None else reader.snapshot()

    def _start(self) -> None:
        try:
            settings = self._settings()
            session = opening.new_session(settings, self._clock)
        except exception.ConfigError as error:
            LOG.error("No view of the hosts' liveness: %s", error)
            return
        reader = ViewReader(
            session,
            paths_module.Paths(settings.namespace),
            self._clock,
            interval=self._interval,
            window=self._window,
        )
        reader.start()
        session.start(wait=0)
        self._session, self._reader = session, reader

    def close(self) -> None:
        """End the session. The next snapshot would open another one."""
        with self._lock:
            if self._reader is not None:
                self._reader.stop()
            if self._session is not None:
                self._session.close()
            self._reader = self._session = None
            self._started = False


def _reset(this: weakref.ref[LivenessView]) -> None:
    view = this()
    if view is not None:
        view._reset()
