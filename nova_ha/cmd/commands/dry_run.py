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

"""What ``nova-ha evacuate --dry-run`` shows: from a forecast to words."""

from collections.abc import Iterator
from typing import Any

from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import nova as assembly
from nova_ha.assembly.operator import Picture
from nova_ha.cmd import render
from nova_ha.cmd.commands import devices
from nova_ha.cmd.commands import fence_check
from nova_ha.cmd.commands import overview
from nova_ha.core import forecast
from nova_ha.core import model
from nova_ha.core import ordering
from nova_ha.core import world
from nova_ha.core.model import HostName
from nova_ha.core.model import MoveState
from nova_ha.core.model import record
from nova_ha.core.rules import Rules
from nova_ha.engine import forecasting

COLUMNS = ("Turn", "Instance", "Name", "Priority", "Outcome", "To", "Why")

_OUTCOMES = {
    MoveState.REQUESTED: "under way",
    MoveState.RUNNING: "under way",
    MoveState.DONE: "has moved",
    MoveState.HELD: "waits",
    MoveState.EXCLUDED: "left out",
    MoveState.GONE: "gone",
}
"""Of what does not leave in any turn; else it is left."""


@record
class Answer:
    """Everything that a dry run has found out."""

    picture: Picture
    request: model.EvacuationRequest
    refusal: str
    """Why it would be refused now; empty: it would not."""
    levels: str
    """The fence levels of the host, in words."""
    rules: Rules
    outlook: forecasting.Outlook

    @property
    def well(self) -> bool:
        return not self.refusal and self.outlook.forecast.complete


def ask(
    conf: cfg.ConfigOpts,
    clock: nova_clock.Clock,
    picture: Picture,
    request: model.EvacuationRequest,
    refusal: str,
) -> Answer:
    """Ask Nova and Placement, and see what an engine would do.

    :raises CoordinationError: the host is not enrolled.
    :raises ConfigError: the credentials for Nova are missing here.
    :raises ComputeError: Nova or Placement could not be read.
    """
    if overview.facts(picture, request.host).record is None:
        raise exception.CoordinationError(f"{request.host} is not enrolled")
    policy = assembly.policy(conf)
    compute = assembly.open_compute(
        conf, clock, ask_images=policy.rules.ask_images
    )
    now = model.Now(mono=clock.monotonic(), utc=picture.at)
    return Answer(
        picture=picture,
        request=request,
        refusal=refusal,
        levels=_levels(conf, request.host),
        rules=policy.rules,
        outlook=forecasting.look(
            request, picture.hosts, picture.cases, compute, policy, now
        ),
    )


def _levels(conf: cfg.ConfigOpts, host: HostName) -> str:
    """The fence levels of a host by ``fencing.yaml``, in words."""
    try:
        rule = fence_check.validate(conf).rule_for(host)
    except exception.ConfigError as error:
        return f"not known here: {error}"
    if rule is None:
        return "none is configured"
    return "; ".join(
        f"level {number}: {' and '.join(level)}"
        for number, level in enumerate(rule.levels, 1)
    )


# -- as an object ------------------------------------------------------------


def data(answer: Answer) -> dict[str, Any]:
    """All of it as one object."""
    host = answer.request.host
    facts = overview.facts(answer.picture, host)
    return {
        "host": host,
        "refused": answer.refusal or None,
        "agent_alive": facts.beacon is not None,
        "nova_compute": _service(answer.outlook.service),
        "proof": _proof(answer),
        "fence_levels": answer.levels,
        "fence_devices": None
        if facts.record is None
        else devices.of_record(facts.record),
        "complete": answer.outlook.forecast.complete,
        "instances": [
            _instance(one, answer.rules)
            for one in answer.outlook.forecast.prospects
        ],
    }


def _instance(one: forecast.Prospect, rules: Rules) -> dict[str, Any]:
    move = one.move
    return {
        "id": move.instance,
        "name": move.name,
        "vm_state": move.was,
        "turn": one.turn,
        "priority": move.priority,
        "group": ordering.group(move, rules) + 1,
        "outcome": outcome(one),
        "target": move.target,
        "why": why(one),
    }


def _service(service: model.ServiceReport | None) -> str:
    if service is None:
        return "Nova knows none"
    words = ["up: no fencing while it reports" if service.up else "down"]
    if service.forced_down:
        words.append("forced down")
    if service.disabled:
        words.append(f"disabled ({service.disabled_reason})")
    return ", ".join(words)


def _proof(answer: Answer) -> str:
    host = answer.request.host
    case = answer.picture.cases.get(host)
    if case is not None and case.state in world.OFF_STATES and case.evidence:
        return (
            f"given: {case.evidence.kind.value} by {case.evidence.by}; the "
            "power is read again before each turn"
        )
    return (
        "all fence devices of one level read off, or you vouch for it "
        f"(nova-ha confirm-fenced {host})"
    )


# -- as people read it -------------------------------------------------------


def text(answer: Answer) -> str:
    """All of it for people."""
    shown = data(answer)
    refused = f"would be refused: {answer.refusal}"
    head = {
        "Request": refused if answer.refusal else "would be followed",
        "Agent": "alive" if shown["agent_alive"] else "no beacon",
        "nova-compute": shown["nova_compute"],
        "Proof needed": shown["proof"],
        "Fence levels": answer.levels,
        "Latest check": _check(answer),
    }
    rows = [_row(one) for one in shown["instances"]]
    if not rows:
        return f"{render.fields(head)}\n\nNova books no instance there."
    return f"{render.fields(head)}\n\n{render.table(COLUMNS, rows)}"


def _check(answer: Answer) -> str:
    facts = overview.facts(answer.picture, answer.request.host)
    health = None if facts.record is None else facts.record.fencing
    if health is None:
        return "not checked yet"
    word = devices.word(facts.record)
    failing = (f"{name}: {why}" for name, why in health.failing.items())
    return "; ".join(filter(None, [word, health.problem, *failing]))


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["turn"] or "-",
        one["id"],
        one["name"],
        one["priority"],
        one["outcome"],
        one["target"] or "-",
        one["why"] or "-",
    )


def outcome(one: forecast.Prospect) -> str:
    """What would become of an instance, in a word or two."""
    if one.turn is not None:
        return "moves"
    if one.asked:
        return "asks first"
    return _OUTCOMES.get(one.move.state, "left")


def why(one: forecast.Prospect) -> str:
    """Why, and at what price."""
    return "; ".join(filter(None, _reasons(one)))


def _reasons(one: forecast.Prospect) -> Iterator[str]:
    move = one.move
    yield move.reason
    if one.asked:
        yield "its agent is asked, and it moves if that says no"
    yield move.note
    if one.turn is not None and move.reset:
        yield "its state is reset to active first (os-resetState)"
    if one.turn is not None and move.repair and move.was_off:
        yield "it is stopped again (os-stop)"
