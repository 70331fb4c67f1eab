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

"""Fault scripts that nobody would think of: made up from a seed.

Each has some *deaths* - hosts that fail, in one way or another - and more
*troubles* in the middle of what follows: they wait for a state of a case, a
request, a migration, and hit engines, ZooKeeper, Nova, devices, networks,
targets, or the operator's patience. In the end comes the calm, after which
every case has to end.
"""

import random
from collections.abc import Callable, Mapping, Sequence

from nova_ha.core import policy as policy_mod
from nova_ha.sim import script
from nova_ha.sim.dice import Dice
from nova_ha.sim.script import Fault
from nova_ha.sim.script import Trigger

CALM_VERB = "calm"

CALM = 900.0
"""Seconds after the troubles in which all cases have to end: four hosts, one
after the other, each with a device that has to be waited for, a boot and a
soak time."""

Make = Callable[[Dice], Sequence[Fault]]

CALLS = (
    "store.save",
    "fencing.fence",
    "fencing.power_state",
    "compute.force_down",
    "compute.disable",
    "compute.evacuate",
    "compute.instances",
    "compute.enable",
    "store.close",
)
"""Of an engine's, right before or after which it may die."""


# -- deaths ------------------------------------------------------------------


def _sudden_death(dice: Dice) -> Sequence[Fault]:
    verb = dice.random.choice(("crash", "power-off", "power-feed-lost"))
    return [dice.fault(verb, dice.host())]


def _short_death(dice: Dice) -> Sequence[Fault]:
    """It comes back by itself, or is switched on by somebody."""
    host, lasts = dice.host(), dice.span(120.0)
    if dice.random.random() < 0.5:
        return [dice.fault("reboot", host, after=max(lasts, 5.0))]
    verb = dice.random.choice(("power-off", "power-feed-lost", "freeze"))
    return [dice.fault(verb, host, lasts)]


def _isolation(dice: Dice) -> Sequence[Fault]:
    network = dice.random.choice(("management", "all", "storage", "bmc"))
    return [dice.fault("cut", dice.host(), dice.span(90.0), network=network)]


def _shutdown(dice: Dice) -> Sequence[Fault]:
    return [dice.fault("shutdown", dice.host())]


def _common_cause(dice: Dice) -> Sequence[Fault]:
    """Several hosts at once: a rack, a switch."""
    verb = dice.random.choice(("power-off", "crash", "cut", "freeze"))
    one = dice.fault(verb, lasts=None)
    count = dice.random.randint(2, len(dice.cloud.hosts))
    victims = tuple(sorted(dice.random.sample(dice.cloud.host_names, count)))
    lasts = None if verb == "crash" else dice.span(120.0)
    return [
        Fault(
            verb=verb, targets=victims, at=one.at, when=one.when, lasts=lasts
        )
    ]


DEATHS: Mapping[Make, int] = {
    _sudden_death: 10,
    _short_death: 4,
    _isolation: 3,
    _shutdown: 1,
    _common_cause: 2,
}
"""How hosts fail, and how often."""


# -- troubles ----------------------------------------------------------------


def _engine_killed(dice: Dice) -> Sequence[Fault]:
    return [dice.fault("kill", dice.engine(), dice.span(60.0))]


def _engine_frozen(dice: Dice) -> Sequence[Fault]:
    return [dice.fault("freeze", dice.engine(), dice.span(60.0))]


def _engine_crashes(dice: Dice) -> Sequence[Fault]:
    """Between two of its calls; its init system starts it again."""
    engine = dice.engine()
    crash = dice.fault(
        dice.random.choice(("crash-before", "crash-after")),
        engine,
        call=dice.random.choice(CALLS),
        count=float(dice.random.randint(1, 3)),
    )
    again = Trigger(
        code="engine.killed", of=engine, after=dice.span(60.0) + 0.1
    )
    return [crash, Fault(verb="start", targets=(engine,), when=again)]


def _engine_cut(dice: Dice) -> Sequence[Fault]:
    server = dice.random.choice(("zookeeper", "nova", "bmc"))
    return [dice.fault("cut", dice.engine(), dice.span(60.0), from_=server)]


def _clock_steps(dice: Dice) -> Sequence[Fault]:
    by = dice.random.choice((-3600.0, -30.0, 30.0, 3600.0))
    return [dice.fault("step-clock", dice.node(), by=by)]


def _zookeeper(dice: Dice) -> Sequence[Fault]:
    match dice.random.randrange(6):
        case 0:
            return [dice.fault("stop-zookeeper", lasts=dice.span(60.0))]
        case 1:
            return [dice.fault("elect", seconds=dice.span(15.0))]
        case 2:
            return [dice.fault("expire", dice.node())]
        case 3:
            lasts, lag = dice.span(60.0), dice.span(4.0)
            return [dice.fault("lag", lasts=lasts, seconds=lag)]
        case 4:
            return [dice.fault("lose-followers")]
    path = dice.random.choice(("agents/{}/guests", "verdicts/{}", "cases/x"))
    return [dice.fault("write-znode", path=path.format(dice.host()), data="{")]


def _requests(dice: Dice) -> Sequence[Fault]:
    count = float(dice.random.randint(1, 3))
    match dice.random.randrange(3):
        case 0:
            return [dice.fault("lose-answers", count=count)]
        case 1:
            return [dice.fault("lose-requests", count=count)]
    late = dice.span(20.0)
    return [dice.fault("delay-requests", seconds=late, count=count)]


def _nova(dice: Dice) -> Sequence[Fault]:
    lasts = dice.span(60.0)
    match dice.random.randrange(3):
        case 0:
            return [dice.fault("stop-nova", lasts=lasts)]
        case 1:
            slow = dice.span(12.0)
            return [dice.fault("slow-nova", lasts=lasts, seconds=slow)]
    return [dice.fault("cell-down", dice.host(), lasts)]


def _rebuilds(dice: Dice) -> Sequence[Fault]:
    known = ("done", "failed", "failed-running", "stuck", "lost", "error")
    outcomes = tuple(dice.random.choices(known, k=dice.random.randint(1, 3)))
    seconds = dice.random.choice((0.5, 2.0, 10.0, 30.0))
    return [dice.fault("rebuilds", outcomes=outcomes, seconds=seconds)]


def _power_returns(dice: Dice) -> Sequence[Fault]:
    return [dice.fault("power-on", dice.host())]


def _device(dice: Dice) -> Sequence[Fault]:
    modes = ("slow", "hung", "refuses", "deaf", "lies-on", "dead", "denied")
    mode = dice.random.choice((*modes, *modes, "lies-off"))
    return [dice.fault("bmc", dice.host(), dice.span(120.0), mode=mode)]


def _services(dice: Dice) -> Sequence[Fault]:
    verb = dice.random.choice(
        (
            "kill-agent",
            "stop-agent",
            "kill-compute",
            "stop-compute",
            "fail-check",
        )
    )
    return [dice.fault(verb, dice.host(), dice.span(60.0))]


def _users(dice: Dice) -> Sequence[Fault]:
    """Others use the cloud, too."""
    instance = dice.instance()
    if dice.random.random() < 0.5:
        return [dice.fault("live-migrate", instance, to=dice.host())]
    verb = dice.random.choice(_OWNERS)
    if verb != "cold-migrate":
        return [dice.fault(verb, instance)]
    moved = dice.fault(verb, instance, to=dice.host())
    return [moved, dice.fault("confirm-resize", instance)]


_OWNERS = (
    "cold-migrate",
    "delete-instance",
    "stop-instance",
    "start-instance",
    "suspend-instance",
    "pause-instance",
)


def _operator(dice: Dice) -> Sequence[Fault]:
    lasts = dice.span(90.0)
    match dice.random.randrange(5):
        case 0:
            return [dice.fault("pause", lasts=lasts)]
        case 1:
            return [dice.fault("disarm", lasts=lasts)]
        case 2:
            return [dice.fault("maintenance", dice.host(), lasts)]
        case 3:
            return [dice.fault("disable", dice.host(), lasts)]
    return [dice.fault("force-down", dice.host(), lasts)]


TROUBLES: Mapping[Make, int] = {
    _engine_killed: 4,
    _engine_frozen: 5,
    _engine_crashes: 5,
    _engine_cut: 3,
    _clock_steps: 1,
    _zookeeper: 5,
    _requests: 5,
    _nova: 4,
    _rebuilds: 5,
    _power_returns: 4,
    _device: 5,
    _services: 2,
    _users: 4,
    _operator: 4,
    _sudden_death: 3,
    _short_death: 3,
}
"""What gets in the way, and how often."""


# -- a whole script ----------------------------------------------------------


def script_of(seed: int, hosts: int, minutes: float) -> script.Script:
    """Make up a run.

    :param hosts: at most so many; at least three.
    :param minutes: for how long there is trouble; the calm comes after it.
    """
    dice = Dice(seed, hosts, 60.0 * minutes)
    deaths = _draw(dice, DEATHS, dice.random.choice((1, 1, 2, 3)))
    troubles = _draw(dice, TROUBLES, dice.random.randint(1, 6))
    first = Fault(
        verb="power-off",
        targets=(dice.host(),),
        at=round(dice.random.uniform(1.0, 20.0), 1),
    )
    calm = Fault(verb=CALM_VERB, at=dice.seconds)
    return script.Script(
        name=f"fuzz-{seed}",
        cloud=dice.cloud,
        policy=_policy(dice.random),
        seconds=dice.seconds + CALM,
        seed=seed,
        faults=(first, *deaths, *troubles, calm),
    )


def _draw(dice: Dice, makers: Mapping[Make, int], count: int) -> list[Fault]:
    chosen = dice.random.choices(
        list(makers), weights=list(makers.values()), k=count
    )
    return [fault for make in chosen for fault in make(dice)]


def _policy(dice: random.Random) -> policy_mod.Policy:
    """The defaults, or a brake that lets more happen at a time."""
    if dice.random() < 0.5:
        return policy_mod.Policy(fence_backoff_max=30.0)
    return policy_mod.Policy(
        fence_backoff_max=30.0,
        small_cloud=2,
        brake_fraction=0.5,
        brake_window=20.0,
        storm_cooldown=20.0,
    )
