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

"""What the leader says aloud about a host: to filters and to operators."""

import dataclasses

from nova_ha.core import model
from nova_ha.core import verdict as verdict_mod
from nova_ha.core import world as world_mod
from nova_ha.core.model import Severity
from nova_ha.core.model import VerdictKind as Kind

CODES = {
    Kind.ALIVE: ("host.alive", Severity.INFO),
    Kind.DEGRADED: ("host.degraded", Severity.WARNING),
    Kind.REBOOTED: ("host.rebooted", Severity.WARNING),
    Kind.QUARANTINED: ("host.in_quarantine", Severity.WARNING),
    Kind.AWAY: ("host.away", Severity.INFO),
    Kind.HANDS_OFF: ("host.hands_off", Severity.INFO),
    Kind.UNKNOWN: ("host.suspected", Severity.WARNING),
    Kind.AGENT_LOST: ("host.agent_lost", Severity.ALARM),
    Kind.ISOLATED: ("host.isolated", Severity.ALARM),
    Kind.DOWN: ("host.down", Severity.ALARM),
}
"""Stable code and severity of the event that tells of a verdict."""

ADVICE = {
    Kind.AGENT_LOST: "start nova-ha-agent there: nothing watches this host",
    Kind.ISOLATED: "its guests run and write: mend its network, or switch "
    "it off at its device, and it is recovered",
    Kind.DEGRADED: "mend what the check names",
    Kind.REBOOTED: "see that its instances run",
    Kind.QUARANTINED: "find out why, then `nova-ha host release` it",
}


def code(verdict: model.Verdict) -> tuple[str, Severity]:
    """Code and severity of the event that tells of a verdict."""
    return CODES[verdict.kind]


def of(
    host: model.HostName,
    verdict: model.Verdict | None,
    case: model.RecoveryCase | None,
    world: world_mod.World,
    now: model.Now,
) -> model.PublishedVerdict | None:
    """What is to be published of a host; None if it is plainly alive, and
    nobody has set a flag on its nova-compute."""
    if verdict is None:
        return None
    if case is None and verdict.kind is Kind.ALIVE:
        # It matters to operators alone, who may have forgotten it.
        service = world.fleet.services.get(host)
        verdict = verdict_mod.operator_flag(service, None)
        if verdict is None:
            return None
    if case is None and verdict.reason is model.Reason.NOT_ENROLLED:
        return None
    return model.PublishedVerdict(
        host=host,
        verdict=verdict,
        case=None if case is None else case.id,
        case_state=None if case is None else case.state,
        schedulable=_schedulable(verdict, case),
        message=_message(verdict, case, world),
        targets={} if case is None else _targets(case),
        at=now.utc,
    )


def of_unreadable(
    host: model.HostName, verdict: model.Verdict, why: str, now: model.Now
) -> model.PublishedVerdict:
    """The same where the stored case of the host cannot be read."""
    return model.PublishedVerdict(
        host=host,
        verdict=verdict,
        schedulable=False,
        message=f"its recovery case is stored, but {why}: mend or delete "
        "that node; until then nothing is done about this host",
        at=now.utc,
    )


def same(
    one: model.PublishedVerdict | None, other: model.PublishedVerdict | None
) -> bool:
    """Whether two publications say the same, apart from the time."""
    if one is None or other is None:
        return one is other
    return dataclasses.replace(one, at=other.at) == other


def _schedulable(
    verdict: model.Verdict, case: model.RecoveryCase | None
) -> bool:
    if case is not None:
        return False
    if verdict.kind is Kind.AWAY:
        # An agent that is being upgraded; a host that goes down is not to
        # get new instances.
        return verdict.detail == model.GoodbyeReason.STOP.value
    return verdict.reason in (
        model.Reason.OPERATOR_DISABLED,
        model.Reason.OPERATOR_FORCED_DOWN,
        # Nova's own business, see ComputeFilter; not ours to repeat.
    )


def _targets(
    case: model.RecoveryCase,
) -> dict[model.InstanceId, model.HostName]:
    """Chosen targets, also of instances that have arrived: a duplicate of
    their evacuation may still wait in a queue."""
    over = (model.MoveState.FAILED, model.MoveState.GONE)
    return {
        move.instance: move.target
        for move in case.moves
        if move.target is not None and move.state not in over
    }


def _message(
    verdict: model.Verdict,
    case: model.RecoveryCase | None,
    world: world_mod.World,
) -> str:
    if case is not None:
        prefix = f"held ({case.hold.value}): " if case.hold else ""
        return prefix + (case.message or verdict_mod.EXPLAIN[verdict.reason])
    text = verdict_mod.EXPLAIN[verdict.reason]
    if verdict.detail:
        text += f" ({verdict.detail})"
    if verdict.kind is Kind.DOWN and world.stopped is not None:
        return f"{text}; would fence it, but: {world.stopped.value}"
    advice = ADVICE.get(verdict.kind, "")
    return f"{text}; {advice}" if advice else text
