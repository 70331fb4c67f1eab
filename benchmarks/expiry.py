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

"""How soon nova-scheduler avoids a host whose session has expired.

A real ZooKeeper, a session with a beacon for each of many hosts, and worker
processes that are forked as nova-scheduler forks them: the filter is made
before, and each process opens a view of its own when it is first asked. All
the time every worker filters all hosts with Nova's ComputeFilter and ours.
Sessions are abandoned, one after another and a rack at once. What is measured
for each is the time from its expiry, which a watch of our own tells, to the
end of the first request that avoids the host, in the slowest worker.
"""

import contextlib
import dataclasses
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import connection
from typing import Any

from nova import conf as nova_conf
from nova.objects import request_spec
from nova.scheduler import filters
from nova.scheduler.filters import compute_filter

from benchmarks import clouds
from benchmarks import fleets
from benchmarks import sessions
from nova_ha.coordination import acl
from nova_ha.coordination import paths as paths_module
from nova_ha.core import codec
from nova_ha.scheduler import sight
from nova_ha.scheduler.filters import liveness
from tests import zookeeper_server

HOSTS = 1000
WORKERS = 4
SINGLE = 20
"""Hosts that die one after another."""

GAP = 0.7
"""Seconds between two of them: no multiple or part of what the view does
periodically."""

PAUSE = 0.05
"""Seconds between two requests of a worker."""

TICK = 0.5
SESSION = 10.0
"""Seconds: ZooKeeper's tick, and an agent's session. How long that is does
not matter here: only what comes after its end."""

START = 60.0
"""Seconds that the workers' first reads may take."""

LATE = 10.0
"""Seconds after which a host that is not avoided never will be."""

NAMESPACE = "benchmark"


@dataclasses.dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from expiry to the first request that avoids a host: of hosts
    that die alone, and of the last one of a rack that dies at once."""

    worst: float
    median: float
    rack: float


class Fleet:
    """Hosts with records and beacons in the tree of a fresh ZooKeeper."""

    def __init__(self, port: int, size: int) -> None:
        self._port = port
        self.paths = paths_module.Paths(NAMESPACE)
        self.names = [f"cmp{number:05}" for number in range(size)]
        own = self.session()
        for path in (
            paths_module.TOP,
            self.paths.root,
            *[f"{self.paths.root}/{place}" for place in acl.CONTAINERS],
        ):
            own.create(path)
        self.keeper = sessions.Keeper()
        for name, known in fleets.Fleet(size).facts.items():
            own.create(self.paths.host(name), codec.encode(known.record))
            own.create(paths_module.parent_of(self.paths.beacon(name)))
            alive = self.session()
            alive.create(
                self.paths.beacon(name),
                codec.encode(known.beacon),
                ephemeral=True,
            )
            self.keeper.add(name, alive)
        self.keeper.add("", own)

    def session(self) -> sessions.Session:
        return sessions.Session(self._port, SESSION)


# -- the scheduler's workers --------------------------------------------------


class Worker:
    """A process that filters until it is told to end."""

    def __init__(self, ours: liveness.HostLivenessFilter, size: int) -> None:
        forking = multiprocessing.get_context("fork")
        self._pipe, theirs = forking.Pipe()
        self._process = forking.Process(
            target=_work, args=(theirs, ours, size), daemon=True
        )
        self._process.start()

    def begin(self) -> None:
        """Let it filter."""
        self._pipe.send(None)

    def wait(self) -> Any:
        """What it says next.

        :raises TimeoutError: nothing, or its process has ended.
        """
        if not self._pipe.poll(START):
            raise TimeoutError("a worker does not answer")
        return self._pipe.recv()

    def end(self) -> Mapping[str, float]:
        """When it first avoided each of the hosts that it has avoided."""
        self._pipe.send(None)
        found: Mapping[str, float] = self.wait()
        return found

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _work(
    pipe: connection.Connection,
    ours: liveness.HostLivenessFilter,
    size: int,
) -> None:
    """The body of a worker's process."""
    pipe.recv()
    states = [clouds.state(number) for number in range(size)]
    names = {one.host for one in states}
    spec = request_spec.RequestSpec(
        instance_uuid=clouds.uuid(0, 0), scheduler_hints={}
    )
    chain = [compute_filter.ComputeFilter(), ours]
    handler = filters.HostFilterHandler()
    view = sight.shared(nova_conf.CONF)
    while view.snapshot().age == float("inf"):
        time.sleep(PAUSE)
    pipe.send(None)
    avoided: dict[str, float] = {}
    while not pipe.poll(PAUSE):
        passed = handler.get_filtered_objects(chain, states, spec)
        now = time.monotonic()
        for name in names.difference(one.host for one in passed):
            avoided.setdefault(name, now)
    pipe.recv()
    pipe.send(avoided)


# -- the measurement ----------------------------------------------------------


def measure(
    hosts: int = HOSTS, workers: int = WORKERS, single: int = SINGLE
) -> Delays:
    """Measure with a ZooKeeper of our own.

    :raises AssertionError: a host is avoided that lives, or one that is dead
        is not.
    """
    server = zookeeper_server.ZooKeeperServer(TICK)
    try:
        server.start()
        # It says that it is there a little before it serves.
        sessions.wait_until(lambda: "Mode: " in server.command("srvr"), START)
        with _options(server.hosts), _workers(workers, hosts) as processes:
            fleet = Fleet(server.port, hosts)
            _say(f"{hosts} sessions")
            for one in processes:
                one.begin()
            for one in processes:
                one.wait()
            _say(f"{workers} workers know all hosts")
            rack = fleet.names[-min(clouds.RACK, hosts // 4) :]
            gone = _kill(fleet, _spaced(fleet.names, single), rack)
            delays = _delays(gone, [one.end() for one in processes])
            alone = [took for name, took in delays.items() if name not in rack]
            return Delays(
                worst=max(alone),
                median=statistics.median(alone),
                rack=max(delays[name] for name in rack),
            )
    finally:
        server.destroy()


@contextlib.contextmanager
def _options(servers: str) -> Iterator[None]:
    """As in nova.conf."""
    wanted = {
        "zookeeper_hosts": servers,
        "zookeeper_namespace": NAMESPACE,
        "zookeeper_password": "anything",
    }
    sight.options(nova_conf.CONF)
    for name, value in wanted.items():
        nova_conf.CONF.set_override(name, value, group="nova_ha")
    try:
        yield
    finally:
        for name in wanted:
            nova_conf.CONF.clear_override(name, group="nova_ha")


@contextlib.contextmanager
def _workers(count: int, size: int) -> Iterator[Sequence[Worker]]:
    ours = liveness.HostLivenessFilter()
    processes = [Worker(ours, size) for _ in range(count)]
    try:
        yield processes
    finally:
        for one in processes:
            one.kill()


def _spaced(names: Sequence[str], count: int) -> Sequence[str]:
    """So many of the names, from the whole of the first half."""
    half = names[: len(names) // 2]
    return half[:: len(half) // count][:count]


def _kill(
    fleet: Fleet, single: Sequence[str], rack: Sequence[str]
) -> Mapping[str, float]:
    """Returns when the session of each had expired."""
    session = fleet.session()
    beacons = {fleet.paths.beacon(one): one for one in (*single, *rack)}
    for path in beacons:
        session.watch(path)
    observer = sessions.Observer(session)
    observer.start()
    for name in single:
        fleet.keeper.abandon(name)
        time.sleep(GAP)
    for name in rack:
        fleet.keeper.abandon(name)
    _say(f"{len(beacons)} hosts have died")
    sessions.wait_until(
        lambda: len(observer.gone) == len(beacons), SESSION + LATE
    )
    # What has not been avoided by then is late enough to be told.
    time.sleep(LATE / 2)
    observer.stop()
    fleet.keeper.stop()
    if fleet.keeper.failed:
        raise AssertionError(fleet.keeper.failed)
    return {beacons[path]: at for path, at in observer.gone.items()}


def _delays(
    gone: Mapping[str, float], avoided: Sequence[Mapping[str, float]]
) -> Mapping[str, float]:
    """Seconds that the slowest worker took for each host."""
    for one in avoided:
        if one.keys() != gone.keys():
            raise AssertionError(
                "avoided in error, or not avoided: "
                f"{', '.join(sorted(one.keys() ^ gone.keys()))}"
            )
    return {
        name: max(0.0, max(one[name] for one in avoided) - at)
        for name, at in gone.items()
    }


def _say(text: str) -> None:
    print(f"expiry: {text}", file=sys.stderr)
