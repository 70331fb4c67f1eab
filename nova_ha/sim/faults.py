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

"""What each verb of a fault script does to the world.

:mod:`nova_ha.sim.verbs` says what there is and what each can be told.
"""

from collections.abc import Callable, Mapping

from nova_ha.core import model
from nova_ha.sim import caretaker
from nova_ha.sim import devices
from nova_ha.sim import machines
from nova_ha.sim import network
from nova_ha.sim import nova
from nova_ha.sim import script
from nova_ha.sim import thief
from nova_ha.sim import verbs
from nova_ha.sim import world as world_mod
from nova_ha.sim.arguments import Arguments

_ALL = "all"


Act = Callable[[world_mod.World, str, Arguments], None]
"""Does it, to one target; the empty string where a verb has none."""


# -- hosts and their networks ------------------------------------------------


def _machine(call: Callable[[machines.Machine], object]) -> Act:
    def act(world: world_mod.World, host: str, _: Arguments) -> None:
        call(world.machines[host])

    return act


def _check(passes: bool) -> Act:
    def act(world: world_mod.World, host: str, given: Arguments) -> None:
        world.machines[host].checks[given.text("check")] = passes

    return act


def _reboot(world: world_mod.World, host: str, given: Arguments) -> None:
    world.machines[host].reboot(given.number("after"))


def _start_guest(world: world_mod.World, host: str, given: Arguments) -> None:
    instance = model.InstanceId(given.text("instance"))
    world.machines[host].start_guest(instance)


def _freeze(world: world_mod.World, node: str, _: Arguments) -> None:
    (world.engines.get(node) or world.machines[node]).freeze()


def _thaw(world: world_mod.World, node: str, _: Arguments) -> None:
    (world.engines.get(node) or world.machines[node]).thaw()


def _step_clock(sign: int) -> Act:
    def act(world: world_mod.World, node: str, given: Arguments) -> None:
        stepped = world.engines.get(node) or world.machines[node]
        stepped.step_clock(sign * given.number("by"))

    return act


def _cut(world: world_mod.World, node: str, given: Arguments) -> None:
    if given.text("from"):
        world.networks.cut_link(node, network.Server(given.text("from")))
    else:
        for one in _networks(given):
            world.networks.cut(node, one)


def _join(world: world_mod.World, node: str, given: Arguments) -> None:
    if given.text("from"):
        world.networks.join_link(node, network.Server(given.text("from")))
    else:
        for one in _networks(given):
            world.networks.join(node, one)


def _networks(given: Arguments) -> list[network.Network]:
    name = given.text("network")
    if name in ("", _ALL):
        return list(network.Network)
    return [network.Network(name)]


def _device(
    world: world_mod.World, host: str, given: Arguments
) -> devices.Bmc | None:
    """The one of the level that was named, if there is one."""
    levels = world.bmcs[host]
    level = given.count("level")
    return levels[level - 1] if level <= len(levels) else None


def _bmc(world: world_mod.World, host: str, given: Arguments) -> None:
    bmc = _device(world, host, given)
    if bmc is None:
        return
    delay, controls = given.number("delay"), given.text("controls")
    bmc.mode = given.text("mode")
    bmc.delay = delay if delay >= 0.0 else None
    bmc.controls = world.machines[controls] if controls else None


def _mend_bmc(world: world_mod.World, host: str, given: Arguments) -> None:
    bmc = _device(world, host, given)
    if bmc is not None:
        bmc.mend()


_HOSTS: Mapping[str, Act] = {
    "power-off": _machine(lambda one: one.power_off("by hand")),
    "power-on": _machine(machines.Machine.power_on),
    "power-feed-lost": _machine(machines.Machine.lose_feed),
    "power-feed-back": _machine(machines.Machine.restore_feed),
    "crash": _machine(machines.Machine.crash),
    "reboot": _reboot,
    "freeze": _freeze,
    "thaw": _thaw,
    "shutdown": _machine(machines.Machine.shutdown),
    "stop-agent": _machine(machines.Machine.stop_agent),
    "kill-agent": _machine(machines.Machine.kill_agent),
    "start-agent": _machine(machines.Machine.start_agent),
    "stop-compute": _machine(machines.Machine.stop_compute),
    "kill-compute": _machine(machines.Machine.kill_compute),
    "start-compute": _machine(machines.Machine.start_compute),
    "fail-check": _check(False),
    "mend-check": _check(True),
    "start-guest": _start_guest,
    "cut": _cut,
    "join": _join,
    "bmc": _bmc,
    "mend-bmc": _mend_bmc,
    "step-clock": _step_clock(1),
}


# -- ZooKeeper ---------------------------------------------------------------


def _elect(world: world_mod.World, _: str, given: Arguments) -> None:
    world.zookeeper.elect(given.number("seconds"))


def _lag(world: world_mod.World, _: str, given: Arguments) -> None:
    world.zookeeper.lag(given.number("seconds"))


def _write_znode(world: world_mod.World, _: str, given: Arguments) -> None:
    path = f"{world.parts.paths.root}/{given.text('path')}"
    world.zookeeper.write(path, given.text("data").encode())


def _forge_znode(world: world_mod.World, host: str, given: Arguments) -> None:
    thief.write(world.parts, host, given.text("path"), given.text("data"))


_ZOOKEEPER: Mapping[str, Act] = {
    "stop-zookeeper": lambda world, _, __: world.zookeeper.stop(),
    "start-zookeeper": lambda world, _, __: world.zookeeper.start(),
    "elect": _elect,
    "expire": lambda world, node, _: world.zookeeper.expire(node),
    "lose-followers": lambda world, _, __: world.zookeeper.lose_followers(),
    "lag": _lag,
    "write-znode": _write_znode,
    "forge-znode": _forge_znode,
    "keep-session": lambda world, node, _: world.zookeeper.keep(node),
}


# -- Nova --------------------------------------------------------------------

_USUAL_LATENCY = 0.03
"""Seconds, as :class:`nova_ha.sim.nova_knobs.Knobs` begins with."""


def _nova_down(down: bool) -> Act:
    def act(world: world_mod.World, _: str, __: Arguments) -> None:
        world.nova.api_down = down

    return act


def _slow_nova(world: world_mod.World, _: str, given: Arguments) -> None:
    # Half of it on the way there, half on the way back.
    world.nova.api_latency = given.number("seconds") / 2.0


def _usual_nova(world: world_mod.World, _: str, __: Arguments) -> None:
    world.nova.api_latency = _USUAL_LATENCY


def _lose_answers(world: world_mod.World, _: str, given: Arguments) -> None:
    world.nova.lose_answers(given.count("count"), given.text("kind"))


def _lose_requests(world: world_mod.World, _: str, given: Arguments) -> None:
    world.nova.lose_requests(given.count("count"), given.text("kind"))


def _delay_requests(world: world_mod.World, _: str, given: Arguments) -> None:
    world.nova.delay_requests(
        given.count("count"), given.number("seconds"), given.text("kind")
    )


def _rebuilds(world: world_mod.World, _: str, given: Arguments) -> None:
    world.nova.rebuild_outcomes.extend(given.texts("outcomes"))
    seconds = given.number("seconds")
    if seconds >= 0.0:
        world.nova.rebuild_seconds = (seconds, seconds)


def _cell(down: bool) -> Act:
    def act(world: world_mod.World, host: str, _: Arguments) -> None:
        change = set.add if down else set.discard
        change(world.nova.down_cells, host)

    return act


def _migrate(live: bool) -> Act:
    def act(world: world_mod.World, name: str, given: Arguments) -> None:
        move = nova.Nova.live_migrate if live else nova.Nova.cold_migrate
        move(world.nova, model.InstanceId(name), given.text("to"))

    return act


def _evacuate(world: world_mod.World, name: str, given: Arguments) -> None:
    world.nova.operator_evacuate(
        model.InstanceId(name), given.text("to") or None
    )


def _disable(world: world_mod.World, host: str, given: Arguments) -> None:
    world.nova.operator_disable(host, given.text("reason"))


def _forced_down(forced: bool) -> Act:
    def act(world: world_mod.World, host: str, _: Arguments) -> None:
        world.nova.operator_force_down(host, forced)

    return act


def _enable(world: world_mod.World, host: str, _: Arguments) -> None:
    world.nova.operator_enable(host)


def _owner(call: Callable[[nova.Nova, model.InstanceId], None]) -> Act:
    """What the owner of an instance does with it."""

    def act(world: world_mod.World, name: str, _: Arguments) -> None:
        call(world.nova, model.InstanceId(name))

    return act


_NOVA: Mapping[str, Act] = {
    "stop-nova": _nova_down(True),
    "start-nova": _nova_down(False),
    "slow-nova": _slow_nova,
    "lose-answers": _lose_answers,
    "lose-requests": _lose_requests,
    "delay-requests": _delay_requests,
    "rebuilds": _rebuilds,
    "cell-down": _cell(True),
    "cell-up": _cell(False),
    "live-migrate": _migrate(live=True),
    "cold-migrate": _migrate(live=False),
    "confirm-resize": _owner(nova.Nova.confirm_resize),
    "delete-instance": _owner(nova.Nova.delete),
    "stop-instance": _owner(nova.Nova.stop),
    "start-instance": _owner(nova.Nova.start),
    "suspend-instance": _owner(nova.Nova.suspend),
    "pause-instance": _owner(nova.Nova.pause),
    "evacuate": _evacuate,
    "force-down": _forced_down(True),
    "disable": _disable,
    "enable": _enable,
}


# -- engines and the operator ------------------------------------------------


def _crash_at(*, before: bool) -> Act:
    def act(world: world_mod.World, engine: str, given: Arguments) -> None:
        world.engines[engine].crash_at(
            given.text("call"), given.count("count"), before=before
        )

    return act


def _confirm(world: world_mod.World, host: str, given: Arguments) -> None:
    world.operator.confirm(host, given.text("boot"))


def _maintenance(world: world_mod.World, host: str, given: Arguments) -> None:
    world.operator.maintenance(host, given.text("reason"))


_ENGINES: Mapping[str, Act] = {
    "kill": lambda world, engine, _: world.engines[engine].kill(),
    "start": lambda world, engine, _: world.engines[engine].start(),
    "crash-before": _crash_at(before=True),
    "crash-after": _crash_at(before=False),
    "pause": lambda world, _, __: world.operator.pause(),
    "resume": lambda world, _, __: world.operator.resume(),
    "disarm": lambda world, _, __: world.operator.disarm(),
    "arm": lambda world, _, __: world.operator.arm(),
    "confirm": _confirm,
    "maintenance": _maintenance,
    "end-maintenance": lambda world, host, _: world.operator.end_maintenance(
        host
    ),
    "release": lambda world, host, _: world.operator.release(host),
    "request-evacuation": lambda world, host, given: world.operator.request(
        host, given.text("to"), given.text("servers")
    ),
    "reserve": lambda world, host, _: world.operator.reserve(host),
    "calm": lambda world, _, __: caretaker.Caretaker(world).begin(),
}

ACTS: Mapping[str, Act] = {**_HOSTS, **_ZOOKEEPER, **_NOVA, **_ENGINES}
"""What each verb does."""

ENDS: Mapping[str, Act] = {
    "power-off": ACTS["power-on"],
    "power-feed-lost": ACTS["power-feed-back"],
    "freeze": ACTS["thaw"],
    "stop-agent": ACTS["start-agent"],
    "kill-agent": ACTS["start-agent"],
    "stop-compute": ACTS["start-compute"],
    "kill-compute": ACTS["start-compute"],
    "fail-check": ACTS["mend-check"],
    "cut": ACTS["join"],
    "bmc": ACTS["mend-bmc"],
    "step-clock": _step_clock(-1),
    "stop-zookeeper": ACTS["start-zookeeper"],
    "lag": lambda world, _, __: world.zookeeper.lag(0.0),
    "stop-nova": ACTS["start-nova"],
    "slow-nova": _usual_nova,
    "cell-down": ACTS["cell-up"],
    "force-down": _forced_down(False),
    "disable": ACTS["enable"],
    "kill": ACTS["start"],
    "pause": ACTS["resume"],
    "disarm": ACTS["arm"],
    "maintenance": ACTS["end-maintenance"],
}
"""What ``for`` undoes each with."""


def begin(world: world_mod.World, fault: script.Fault) -> None:
    """Do it now."""
    _apply(world, fault, ACTS[fault.verb], "")


def end(world: world_mod.World, fault: script.Fault) -> None:
    """Undo it now."""
    _apply(world, fault, ENDS[fault.verb], "over")


def _apply(
    world: world_mod.World, fault: script.Fault, act: Act, word: str
) -> None:
    given = Arguments(verbs.VERBS[fault.verb], fault.parameters)
    told = " ".join(
        [word, *(f"{k}={_shown(v)}" for k, v in fault.parameters.items())]
    ).strip()
    for target in fault.targets or ("",):
        world.journal.note(target or "world", f"fault.{fault.verb}", told)
        act(world, target, given)


def _shown(value: script.Value) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
