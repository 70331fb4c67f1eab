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

"""The acts: each does one thing to the cloud and shows what follows."""

import datetime
import json
import time
from typing import Any

from lab import cloud as cloud_mod
from lab import process
from lab.demo import follow
from lab.demo import reference
from lab.demo import screen as screen_mod
from nova_ha import clock as clock_mod
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.fencing import topology

RECOVERED = (CaseState.EVACUATED, CaseState.PARTIAL)

RECOVERY_TIMEOUT = 300.0
RETURN_TIMEOUT = 240.0


class Stage:
    """The cloud and the screen, and what the acts have in common."""

    def __init__(
        self, cloud: cloud_mod.Cloud, screen: screen_mod.Screen
    ) -> None:
        self.cloud = cloud
        self.screen = screen
        self.nova = cloud.nova()
        self.tree = follow.Tree(cloud.nova_ha.settings("operator"))
        self.devices = topology.Topology(
            str(cloud.nova_ha.topology), clock_mod.SystemClock()
        )

    def close(self) -> None:
        self.tree.close()

    def wait_watched(self) -> None:
        """Wait until every host is enrolled and plainly alive."""

        def watched() -> bool:
            # Each start of the CLI takes a second of a processor.
            if not self.tree.calm():
                return False
            shown = json.loads(
                self.cloud.nova_ha.cli("host", "list", "-f", "json")
            )
            return len(shown) == len(self.cloud.hosts) and all(
                "alive" in json.dumps(one) for one in shown
            )

        process.wait_until(watched, 120, "all hosts to be watched", interval=1)

    def where(self) -> dict[str, str]:
        """Host of each server, by name, as Nova has it."""
        found = self.nova.servers.list(search_opts={"all_tenants": 1})
        return {
            one.name: getattr(one, "OS-EXT-SRV-ATTR:host") for one in found
        }

    def check_running(self) -> int:
        """Every server is ACTIVE, and its guest runs on the host that Nova
        names and nowhere else; returns their number.

        :raises lab.process.LabError: one is not.
        """
        running: dict[str, list[str]] = {}
        for host in self.cloud.hosts:
            if host.unit_alive("guest-runner"):
                for guest in host.running_guests():
                    running.setdefault(guest, []).append(host.name)
        servers = self.nova.servers.list(search_opts={"all_tenants": 1})
        for one in servers:
            booked = getattr(one, "OS-EXT-SRV-ATTR:host")
            if one.status != "ACTIVE":
                raise process.LabError(f"{one.name} is {one.status}")
            if running.get(one.id) != [booked]:
                raise process.LabError(
                    f"{one.name} is booked on {booked} and runs on "
                    f"{running.get(one.id, 'none')}"
                )
        return len(servers)

    def show_moves(
        self, before: dict[str, str], case: model.RecoveryCase
    ) -> int:
        """The table of old and new hosts; returns how many moved."""
        after = self.where()
        rows = [
            (name, old, after.get(name, "gone"))
            for name, old in sorted(before.items())
            if old == case.host
        ]
        self.screen.table(("instance", "was on", "is on"), rows)
        return sum(old != new != "gone" for _, old, new in rows)


def split(
    case: model.RecoveryCase, killed: datetime.datetime
) -> dict[str, Any]:
    """The times of a recovery, in seconds.

    ``detect_s``: from the kill to the verdict DOWN; ``fence_s``: from there
    to the power seen off; ``force_down_s``: from there to the force-down;
    ``first_instance_s`` and ``all_instances_s``: from the kill to the first
    and to the last instance running again.
    """
    times = case.times
    done = [move.done_at for move in case.moves if move.done_at is not None]

    def seconds(
        begin: datetime.datetime | None, end: datetime.datetime | None
    ) -> float | None:
        if begin is None or end is None:
            return None
        return round((end - begin).total_seconds(), 2)

    return {
        "detect_s": seconds(killed, times.get("fencing")),
        "fence_s": seconds(times.get("fencing"), times.get("fenced")),
        "force_down_s": seconds(times.get("fenced"), times.get("forced_down")),
        "down_to_force_down_s": seconds(
            times.get("fencing"), times.get("forced_down")
        ),
        "first_instance_s": seconds(killed, min(done, default=None)),
        "all_instances_s": seconds(killed, max(done, default=None)),
        "evacuation_s": seconds(
            times.get("forced_down"), max(done, default=None)
        ),
    }


def show_split(screen: screen_mod.Screen, times: dict[str, Any]) -> None:
    screen.table(
        ("phase", "seconds"),
        [
            ("kill -> verdict: down", str(times["detect_s"])),
            ("down -> power seen off", str(times["fence_s"])),
            ("off -> nova-compute forced down", str(times["force_down_s"])),
            (
                "forced down -> last instance back",
                str(times["evacuation_s"]),
            ),
            ("kill -> first instance back", str(times["first_instance_s"])),
            ("kill -> last instance back", str(times["all_instances_s"])),
        ],
    )


def bare(stage: Stage, host: str, pool: int = reference.POOL) -> float:
    """The reference: a bare script, with nova_ha paused; it stays so until
    :func:`take_back`. Returns the script's seconds."""
    stage.cloud.nova_ha.cli("pause", "--reason", "reference run")
    before = stage.where()
    on_host = sum(where == host for where in before.values())
    stage.screen.say(f"{host} with {on_host} instances is switched off")
    stage.cloud.host(host).power_off()
    seconds = reference.evacuate(stage.cloud, host, pool)
    stage.screen.say(f"all moved in {seconds:.1f} s; {host} comes back")
    return seconds


def take_back(stage: Stage, host: str) -> None:
    """Put the reference's host to work again, and nova_ha too."""
    reference.take_back(stage.cloud, host)
    stage.cloud.nova_ha.cli("resume")
    # A host that has come back by itself takes no instances for a while.
    stage.wait_watched()


def delete_servers(stage: Stage) -> None:
    """Delete all servers and wait for their end."""
    for server in stage.nova.servers.list(search_opts={"all_tenants": 1}):
        server.delete()
    process.wait_until(
        lambda: not stage.where(), 120, "the servers' end", interval=0.5
    )


def death(stage: Stage, host: str) -> tuple[dict[str, Any], int]:
    """Act 1: a hypervisor dies; returns the split and what moved."""
    screen = stage.screen
    before = stage.where()
    count = sum(where == host for where in before.values())
    screen.say(f"killing {host} with its {count} instances, outright")
    killed = datetime.datetime.now(datetime.UTC)
    screen.restart_clock()
    stage.cloud.host(host).kill()
    case = follow.Follower(stage.tree, screen, host).until(
        lambda one: one is not None and one.state in RECOVERED,
        RECOVERY_TIMEOUT,
    )
    if case is None:
        raise process.LabError(f"{host} has no case")
    moved = stage.show_moves(before, case)
    times = split(case, killed)
    show_split(screen, times)
    return times, moved


def homecoming(stage: Stage, host: str) -> dict[str, Any]:
    """Act 2: the host comes back and returns to service."""
    screen = stage.screen
    screen.say(f"switching {host} on, by its BMC")
    began = time.monotonic()
    stage.devices.power_on(model.HostName(host))

    def countdown(case: model.RecoveryCase) -> str:
        since = case.times.get("soaking")
        if case.state is not CaseState.SOAKING or since is None:
            return f"{host}: {case.message}"
        age = datetime.datetime.now(datetime.UTC) - since
        left = max(0.0, 60 - age.total_seconds())
        return f"{host}: healthy, taken back in {left:2.0f} s"

    follow.Follower(stage.tree, screen, host).until(
        lambda one: one is None, RETURN_TIMEOUT, countdown
    )
    (service,) = stage.nova.services.list(host=host, binary="nova-compute")
    if service.forced_down or service.status != "enabled":
        raise process.LabError(f"{host} is not back in service")
    took = round(time.monotonic() - began, 1)
    screen.say(f"{host} is back in service")
    return {"return_s": took}


def failover(stage: Stage, host: str) -> tuple[dict[str, Any], int, int]:
    """Act 3: another hypervisor dies, and in the middle of its recovery the
    leading engine; returns the split, what moved, and the failovers."""
    screen, cloud = stage.screen, stage.cloud
    before = stage.where()
    count = sum(where == host for where in before.values())
    leader = leading_engine(stage)
    screen.say(f"killing {host} with its {count} instances, outright")
    killed = datetime.datetime.now(datetime.UTC)
    screen.restart_clock()
    cloud.host(host).kill()
    follower = follow.Follower(stage.tree, screen, host)
    follower.until(_in_the_middle, RECOVERY_TIMEOUT)
    leader.kill()
    screen.say(f"killed the leading engine too ({leader.name}, SIGKILL)")
    first = follower.case.epoch if follower.case else None
    case = follower.until(
        lambda one: (
            one is not None and one.state in RECOVERED and one.epoch != first
        ),
        RECOVERY_TIMEOUT,
    )
    if case is None:
        raise process.LabError(f"{host} has no case")
    screen.say("the other engine has finished the recovery")
    moved = stage.show_moves(before, case)
    times = split(case, killed)
    show_split(screen, times)
    leader.start()
    return times, moved, 1


def _in_the_middle(case: model.RecoveryCase | None) -> bool:
    return (
        case is not None
        and case.state is CaseState.EVACUATING
        and any(move.state.in_flight for move in case.moves)
    )


def leading_engine(stage: Stage) -> process.Process:
    """The process of the engine that leads.

    :raises lab.process.LabError: none does.
    """
    shown = stage.tree.leader()
    for engine in stage.cloud.nova_ha.engines:
        identity = engine.identity()
        if identity is not None and shown.endswith(f":{identity.pid}"):
            return engine
    raise process.LabError(f"no engine of this cloud leads, but {shown!r}")
