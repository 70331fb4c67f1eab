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
"""The cloud in which evacuations are timed: the demo's, with eight hosts."""

import collections
import concurrent.futures
import contextlib
import datetime
import pathlib
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks import evacuation
from lab import cloud as lab_cloud
from lab import process
from lab.demo import acts
from lab.demo import evidence
from lab.demo import screen
from nova_ha.core import model

HOSTS = 8
STATE = process.REPOSITORY / ".lab" / "bench-evacuation"

MOVERS = 8
"""Servers that are moved back at the same time."""

MOVE_TIMEOUT = 300.0
RECOVERY_TIMEOUT = 600.0
RETURN_TIMEOUT = 300.0

_REQUEST = re.compile(
    r"^(?P<at>[-\d]+ [:.\d]+) \d+ INFO nova\.api\.openstack\.requestlog "
)


@contextlib.contextmanager
def opened() -> Iterator["Cloud"]:
    """A cloud that nova_ha watches, armed; taken down at the end.

    :raises lab.process.LabError: a guest ran on two hosts at the same time:
        then no time means anything.
    """
    names = [f"cmp{number}" for number in range(1, HOSTS + 1)]
    cloud = lab_cloud.Cloud(
        STATE,
        [lab_cloud.HostSpec(name) for name in names],
        say=lambda line: print(f"    {line}", file=sys.stderr, flush=True),
    )
    # The cloud goes first: who still waits for one of its hosts then gives up.
    with concurrent.futures.ThreadPoolExecutor(1) as beside, cloud:
        stage = acts.Stage(cloud, screen.Screen())
        try:
            stage.wait_watched()
            cloud.nova_ha.cli("arm")
            yield Cloud(stage, beside)
        finally:
            stage.close()
        if found := evidence.double_active(cloud):
            raise process.LabError(f"guests ran on two hosts: {found}")


class Cloud(evacuation.Cloud):
    """Real hypervisors' deaths, and what it takes to have them again.

    A lost host returns while the servers are gathered for the next loss.
    """

    def __init__(
        self, stage: acts.Stage, beside: concurrent.futures.Executor
    ) -> None:
        self._stage = stage
        self._beside = beside
        self._returning: concurrent.futures.Future[None] | None = None
        self._cloud = stage.cloud
        self._nova = stage.nova
        self.hosts = [host.name for host in stage.cloud.hosts]

    # -- before a run --

    def gather(self, instances: int, host: str) -> None:
        self._wait_started()
        self._cloud.wait_hosts_up([host], RETURN_TIMEOUT)
        servers = self._servers()
        with concurrent.futures.ThreadPoolExecutor(MOVERS) as pool:
            # Nova lets one server at a time leave a host.
            away = evacuation.by_turns(_elsewhere(servers, host).values())
            list(pool.map(lambda server: self._move(server, host), away))
        missing = instances - len(servers)
        if missing > 0:
            self._cloud.boot_servers(missing, host)
        # Its deaths are forgotten: the third within an hour, by whose hand
        # ever, would bring it into quarantine.
        self._cloud.nova_ha.cli("host", "release", host)
        self._wait_well()
        self._settle()
        self._stage.check_running()

    def _wait_started(self) -> None:
        """Wait until each nova-compute runs: it starts faster while nothing
        moves. The rest of a return, the soak, is waiting."""

        def started() -> bool:
            states = self._cloud.compute_states()
            return all(
                state == "up" or self._soaks(host)
                for host, state in states.items()
            )

        process.wait_until(
            started, RETURN_TIMEOUT, "each nova-compute to run", interval=0.5
        )

    def _soaks(self, host: str) -> bool:
        case = self._stage.tree.case(host)
        return case is not None and case.state is model.CaseState.SOAKING

    def _settle(self) -> None:
        """Nova's clean-up after a live migration may lose a race in Placement,
        and leaves the server in ERROR that it has moved."""
        for server in self._servers():
            if server.status == "ERROR":
                self._nova.servers.reset_state(server, "active")

    def _servers(self) -> list[Any]:
        found = self._nova.servers.list(search_opts={"all_tenants": 1})
        return list(found)

    def _move(self, server: str, host: str) -> None:
        nova = self._cloud.nova()
        nova.servers.live_migrate(server, host, block_migration="auto")
        # For the latter see _settle.
        arrived = ((host, "ACTIVE"), (host, "ERROR"))
        process.wait_until(
            lambda: _place(nova.servers.get(server)) in arrived,
            MOVE_TIMEOUT,
            f"{server} to move to {host}",
            interval=1.0,
        )

    def _wait_well(self) -> None:
        """Wait until every host is in service and no case is open."""
        if self._returning is not None:
            self._returning.result()
            self._returning = None
        process.wait_until(
            lambda: not any(map(self._stage.tree.case, self.hosts)),
            RETURN_TIMEOUT,
            "the lost hosts' return to service",
            interval=0.5,
        )
        self._cloud.wait_hosts_up()
        self._stage.wait_watched()

    # -- runs --

    def bare(self, host: str, pool: int, spawn_delay: float) -> float:
        with self._slow_spawns(spawn_delay):
            seconds = acts.bare(self._stage, host, pool)
        self._returning = self._beside.submit(
            acts.take_back, self._stage, host
        )
        return seconds

    def ours(self, host: str, spawn_delay: float) -> evacuation.Recovery:
        with self._slow_spawns(spawn_delay):
            self._cloud.host(host).kill()
            case = self._recovered(host)
        ended = datetime.datetime.now(datetime.UTC)
        self._stage.check_running()
        requests = count_requests(
            self._cloud.site.log / "nova.log", case.times["fenced"], ended
        )
        self._cloud.host(host).power_on()
        return evacuation.Recovery(_seconds(case), requests)

    @contextlib.contextmanager
    def _slow_spawns(self, seconds: float) -> Iterator[None]:
        for host in self._cloud.hosts:
            host.machine.turn(spawn_delay=seconds)
        try:
            yield
        finally:
            for host in self._cloud.hosts:
                host.machine.turn(spawn_delay=0.0)

    def _recovered(self, host: str) -> model.RecoveryCase:
        """Follows the case in ZooKeeper: it must not cost Nova anything.

        :raises lab.process.LabError: an instance was not moved.
        """
        case: model.RecoveryCase | None = None

        def recovered() -> bool:
            nonlocal case
            case = self._stage.tree.case(host)
            return case is not None and case.state in acts.RECOVERED

        process.wait_until(
            recovered, RECOVERY_TIMEOUT, f"{host}'s recovery", interval=0.2
        )
        if case is None or case.state is not model.CaseState.EVACUATED:
            raise process.LabError(f"not all of {host} was moved: {case}")
        return case


def _elsewhere(servers: Iterable[Any], host: str) -> dict[str, list[str]]:
    """Ids of the servers that are not on a host, by the host they are on."""
    found = collections.defaultdict(list)
    for server in servers:
        place, _ = _place(server)
        if place != host:
            found[place].append(server.id)
    return found


def _place(server: Any) -> tuple[str, str]:
    return getattr(server, "OS-EXT-SRV-ATTR:host"), server.status


def _seconds(case: model.RecoveryCase) -> float:
    """From before the force-down, as the script's, to the last instance."""
    last = max(move.done_at for move in case.moves if move.done_at)
    return (last - case.times["fenced"]).total_seconds()


def count_requests(
    log: pathlib.Path, begin: datetime.datetime, end: datetime.datetime
) -> int:
    """The requests that nova-api has answered between two moments, by its
    own log, which has the machine's local time."""
    found = 0
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        entry = _REQUEST.match(line)
        if entry is not None:
            at = datetime.datetime.fromisoformat(entry["at"]).astimezone()
            found += begin <= at <= end
    return found
