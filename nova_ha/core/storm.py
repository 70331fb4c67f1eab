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

"""A storm begins, and is over: what a leader remembers for the brake.

A storm begins when a rule of the brake stops a host that all evidence calls
dead: what is suspect for a moment only, no rule has to stop. It lasts as long
as the rule would stop any suspect, and it is over when it has not for
``storm_cooldown``: the agents of a network that is back need a while, and
who flaps with it must not be fenced in between.

Ages are monotonic, and so a successor cannot know them. It takes each host
that its predecessor may have switched off for fenced just now, and each storm
for one that still blows.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from nova_ha.core import brake
from nova_ha.core import model
from nova_ha.core import world as world_mod
from nova_ha.core.brake import Memory
from nova_ha.core.brake import Storm
from nova_ha.core.model import BrakeRule


def fenced(memory: Memory, host: model.HostName, now: float) -> Memory:
    """A power-off may have reached a device of ``host``."""
    return dataclasses.replace(
        memory, fenced_at={**memory.fenced_at, host: now}
    )


def take_over(cases: Iterable[model.RecoveryCase], now: float) -> Memory:
    """What the cases of earlier leaders tell.

    Closed ones tell nothing: their hosts were in service again, at least a
    soak time after the power-off.
    """
    cases = list(cases)
    storms = {
        case.silent_domain or brake.EVERYWHERE: Storm(
            rule=case.held_by or BrakeRule.TOO_MANY
        )
        for case in cases
        if case.hold is model.Hold.STORM and case.held_by is not BrakeRule.PACE
    }
    return Memory(
        fenced_at={case.host: now for case in cases if case.off_sent},
        storms=storms,
    )


def fold(
    memory: Memory, world: world_mod.World, now: float
) -> tuple[Memory, list[model.AuditEvent]]:
    """Let time pass, and look who is stopped now.

    While the engine's own view is in doubt, no storm calms down.
    """
    window = world.policy.brake_window
    if any(now - at >= window for at in memory.fenced_at.values()):
        kept = {
            host: at
            for host, at in memory.fenced_at.items()
            if now - at < window
        }
        memory = dataclasses.replace(memory, fenced_at=kept)
    if not memory.storms and not world.undecided:
        return memory, []
    stopped = _stopped(memory, world)
    storms: dict[str, Storm] = {}
    told = []
    for key in sorted(memory.storms.keys() | stopped.keys()):
        before = memory.storms.get(key)
        after = _after(before, stopped.get(key), world, now)
        if after is None:
            told.append(_over(key, world))
            continue
        storms[key] = after
        if before is None:
            told.append(_begun(key, stopped[key], world))
    return dataclasses.replace(memory, storms=storms), told


def _stopped(
    memory: Memory, world: world_mod.World
) -> Mapping[str, brake.Block]:
    """What stops whom, by key of the storm: to begin one it takes a host
    that would be fenced now, to go on any suspect."""
    found: dict[str, brake.Block] = {}
    for host in sorted(world.undecided):
        for block in world.stops(host):
            if block.domain in memory.storms or world.is_down(host):
                found.setdefault(block.domain, block)
    return found


def _after(
    before: Storm | None,
    block: brake.Block | None,
    world: world_mod.World,
    now: float,
) -> Storm | None:
    if block is not None or before is None:
        return None if block is None else Storm(rule=block.rule)
    if not world.fleet.connected:
        return Storm(rule=before.rule)
    since = now if before.quiet_since is None else before.quiet_since
    if now - since >= world.policy.storm_cooldown:
        return None
    return Storm(rule=before.rule, quiet_since=since)


def _begun(
    key: str, block: brake.Block, world: world_mod.World
) -> model.AuditEvent:
    load = world.load
    return model.AuditEvent(
        code="storm.begun",
        severity=model.Severity.ALARM,
        message=f"{block.rule.value}: {block.message}; nothing new is fenced"
        f"{_where(key)} but what reads off",
        details={
            "rule": block.rule.value,
            "failure_domain": key,
            "counted": str(len(load.counted)),
            "allowed": str(brake.limit(load.monitored, world.policy)),
            "monitored": str(load.monitored),
        },
    )


def _over(key: str, world: world_mod.World) -> model.AuditEvent:
    return model.AuditEvent(
        code="storm.over",
        severity=model.Severity.ALARM,
        message=f"nobody was held{_where(key)} for "
        f"{world.policy.storm_cooldown:g} s: fencing goes on",
        details={"failure_domain": key},
    )


def _where(key: str) -> str:
    return f" in failure domain {key}" if key else ""
