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

"""``python -m lab.demo``: run the acts, or leave the cloud up."""

import contextlib
import json
import pathlib
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from lab import cloud as cloud_mod
from lab import interrupts
from lab import process
from lab.demo import acts
from lab.demo import evidence
from lab.demo import screen as screen_mod
from lab.demo import settings as settings_mod

USAGE = "usage: python -m lab.demo [run|up|down]"


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    verb = arguments[0] if arguments else "run"
    if len(arguments) > 1 or verb not in ("run", "up", "down"):
        print(USAGE, file=sys.stderr)
        return 2
    interrupts.catch()
    try:
        return {"run": run, "up": up, "down": down}[verb]()
    except interrupts.Interrupted:
        print("\ninterrupted; everything that was started is stopped")
        return 130
    except process.LabError as error:
        print(f"\nERROR: {error}", file=sys.stderr)
        return 1


def _cloud(
    settings: settings_mod.Settings, **options: Mapping[str, Any]
) -> cloud_mod.Cloud:
    return cloud_mod.Cloud(
        settings.state,
        settings.specs(),
        engines=2,
        options=options,
        say=lambda line: print(f"    {line}", flush=True),
    )


def up() -> int:
    """Leave a cloud running for hand work."""
    settings = settings_mod.Settings.from_environment()
    # The openrc says who it is that gives a command.
    cloud = _cloud(settings, rpc={"enabled": True})
    cloud.up()
    try:
        _arm(cloud, screen_mod.Screen())
    except BaseException:
        cloud.down()
        raise
    host = cloud.hosts[0].name
    print(
        f"""
The cloud is up: {settings.hosts} hypervisors, 2 engines, armed.

    . {cloud.state_dir / "openrc"}
    nova-ha --config-file $NOVA_HA_CONFIG status
    nova-ha --config-file $NOVA_HA_CONFIG host list
    nova-ha --config-file $NOVA_HA_CONFIG --direct pause    without RabbitMQ
    openstack server create --flavor lab.tiny --image lab --nic none one
    python -m lab.hand kill {host}     crash a hypervisor (the power stays on)
    python -m lab.hand --help          freeze, agents, BMCs, ZooKeeper, ...
    logs and journals: {cloud.state_dir}
    make demo-down                     stop everything
"""
    )
    return 0


def down() -> int:
    """Stop what ``up`` has left."""
    if not (settings_mod.STATE / "cloud.json").exists():
        print("There is no cloud: nothing was started")
        return 0
    cloud_mod.Cloud.load(settings_mod.STATE).down()
    print("Everything that was started is stopped")
    return 0


def _arm(cloud: cloud_mod.Cloud, screen: screen_mod.Screen) -> None:
    """Wait until all hosts are watched, and arm."""
    stage = acts.Stage(cloud, screen)
    try:
        stage.wait_watched()
    finally:
        stage.close()
    cloud.nova_ha.cli("arm")
    screen.say("all hosts are watched; nova_ha is armed")


def run() -> int:
    """All acts; prints the result as one line of JSON."""
    settings = settings_mod.Settings.from_environment()
    screen = screen_mod.Screen()
    cloud = _cloud(settings)
    result: dict[str, Any] = {
        "ok": False,
        "instances": settings.instances,
        "recovered": 0,
        "double_active": None,
        "engine_failovers": 0,
        "acts": {},
    }
    screen.act("A real Nova on this machine")
    with _standing(cloud):
        problem = _play(cloud, screen, settings, result)
        _judge(cloud, screen, result, problem)
    print(json.dumps(result), flush=True)
    return 0 if result["ok"] else 1


@contextlib.contextmanager
def _standing(cloud: cloud_mod.Cloud) -> Iterator[None]:
    """The cloud, from up to down - whatever happens."""
    try:
        cloud.up()
        yield
    finally:
        cloud.down()


def _play(
    cloud: cloud_mod.Cloud,
    screen: screen_mod.Screen,
    settings: settings_mod.Settings,
    result: dict[str, Any],
) -> str:
    """Play the acts; returns what went wrong, empty if nothing."""
    _arm(cloud, screen)
    stage = acts.Stage(cloud, screen)
    try:
        _acts(stage, settings, result)
    except (process.LabError, TimeoutError) as error:
        return str(error)
    except interrupts.Interrupted:
        raise
    except Exception as error:
        traceback.print_exc()
        return f"unexpected: {error}"
    finally:
        stage.close()
    return ""


def _acts(
    stage: acts.Stage,
    settings: settings_mod.Settings,
    result: dict[str, Any],
) -> None:
    screen, cloud = stage.screen, stage.cloud
    first = cloud.hosts[0].name
    if settings.reference:
        screen.act("Reference: a bare script evacuates the same instances")
        cloud.boot_servers(settings.instances, first)
        bare = acts.bare(stage, first)
        acts.take_back(stage, first)
        acts.delete_servers(stage)
    screen.act("Act 1: a hypervisor dies")
    cloud.boot_servers(settings.instances, first)
    screen.say(f"{settings.instances} servers are up on {first}")
    times, moved = acts.death(stage, first)
    result["acts"]["1"] = times
    result["recovered"] = moved
    stage.check_running()
    if settings.reference:
        result["bare_s"] = round(bare, 2)
        result["ratio"] = round(times["evacuation_s"] / bare, 2)
        screen.say(
            f"from force-down to the last instance: {times['evacuation_s']} "
            f"s; the bare script: {bare:.1f} s; ratio {result['ratio']}"
        )
    if settings.inject == "double-start":
        _start_twice(stage)
    screen.act("Act 2: the host comes back")
    result["acts"]["2"] = acts.homecoming(stage, first)
    screen.act("Act 3: another one dies, and the leading engine with it")
    second = cloud.hosts[-1].name
    times, moved, failovers = acts.failover(stage, second)
    result["acts"]["3"] = {**times, "recovered": moved}
    result["engine_failovers"] = failovers
    stage.check_running()


def _start_twice(stage: acts.Stage) -> None:
    """Do what must never happen, to see that it would be noticed."""
    name, host = sorted(stage.where().items())[0]
    server = stage.nova.servers.list(search_opts={"name": name})[0]
    other = next(
        one
        for one in stage.cloud.hosts
        if one.name != host and one.unit_alive("guest-runner")
    )
    stage.screen.say(
        f"INJECTED: {name} is started on {other.name} too, behind "
        "everyone's back"
    )
    other.start_guest(server.id)


def _judge(
    cloud: cloud_mod.Cloud,
    screen: screen_mod.Screen,
    result: dict[str, Any],
    problem: str,
) -> None:
    """Look at the raw evidence, and keep it."""
    screen.act("What the evidence says")
    evidence.collect(cloud, settings_mod.OUT)
    overlaps = evidence.double_active(cloud)
    result["double_active"] = len(overlaps)
    for one in overlaps:
        screen.say(
            f"DOUBLE ACTIVE: {one.guest} on {one.hosts[0]} and "
            f"{one.hosts[1]} for {one.seconds} s"
        )
    if problem:
        screen.say(f"FAILED: {problem}")
    result["ok"] = (
        not problem
        and not overlaps
        and result["recovered"] == result["instances"]
        and result["engine_failovers"] == 1
    )
    if not problem and not overlaps:
        screen.say("no instance ever ran on two hosts at the same time")
    path = pathlib.Path(settings_mod.OUT)
    (path / "result.json").write_text(json.dumps(result) + "\n")
    screen.say(f"the raw evidence is in {path}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
