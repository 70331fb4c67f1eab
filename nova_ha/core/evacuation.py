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

"""Moving the instances of a fenced host: waves of pinned evacuations.

Every wave starts from a survey whose reading of the power is younger than
the last wave. Targets are saved before the first request names them; a
request is repeated only to the same target.
"""

import collections
import dataclasses

from nova_ha.core import actions
from nova_ha.core import domains
from nova_ha.core import model
from nova_ha.core import repairs
from nova_ha.core import reserved
from nova_ha.core import runners
from nova_ha.core import surveys
from nova_ha.core import troubles
from nova_ha.core.model import CaseState
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import Severity
from nova_ha.core.targets import Room
from nova_ha.core.work import Work

GOOD = (MoveState.DONE, MoveState.EXCLUDED, MoveState.GONE)
"""How moves end that nobody has to care about any more."""

NAMED = 5
"""How many instances a message names."""

ASK = 30.0
"""Seconds in which a live agent says whether it runs a guest: some of its
collections, which are five seconds apart, and what may delay them."""

REFUSALS = 50
"""Hosts that are asked for one instance at most, if the scheduler refuses one
after the other: it may be bound to some by what nova_ha does not know, such as
a server group or the traits of a host."""

STALE = 2.0
"""Seconds after its arrival in which a survey can start a wave. The power
is the last thing that it reads."""


def go_on(work: Work) -> None:
    """Send what can be sent, and see whether all is done."""
    if not work.case.surveyed:
        surveys.survey_if_due(work)
        return
    _send_wave(work)
    if surveys.settled(work) and surveys.listed_since(work):
        _finish(work)
        return
    work.wait_for(_under_way(work))
    surveys.survey_if_due(work)


def _under_way(work: Work) -> str:
    moves = work.case.moves
    left = [move for move in moves if not move.final]
    if not left:
        return "looks for instances that have arrived meanwhile"
    names = ", ".join(_destination(move) for move in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return f"{len(left)} of {len(moves)} instances to go: {names}{more}"


def _destination(move: Move) -> str:
    target = f" to {move.target}" if move.target else ""
    return f"{move.name}{target} ({move.state.value})"


def _send_wave(work: Work) -> None:
    progress, survey = work.progress, work.progress.survey
    if progress.survey_used or survey is None or survey.targets is None:
        return
    if survey.power is None:
        return
    if work.now.mono - progress.survey_ended > STALE:
        return
    room = room_for(work, survey.targets)
    marks = progress.marks
    changed = []
    slots = surveys.slots(work)
    waiting = {
        move.instance
        for move in surveys.waiting_moves(work)
        if surveys.covered(work, move)
    }
    for move in work.case.moves:
        if move.instance in waiting:
            finding = runners.possible(
                move.instance,
                work.case.host,
                survey.migrations,
                work.world.agents,
                marks,
                over=move.over,
            )
            marks = finding.marks
            reach = reaching(work, move, room)
            move = _decide(work, move, finding, reach, slots)
            slots -= move.state.in_flight
        changed.append(move)
    work.remember(marks=marks, survey_used=True)
    _tell_of_reserve(work, changed, room)
    surveys.update_moves(work, changed)


def _tell_of_reserve(work: Work, changed: list[Move], room: Room) -> None:
    before = {move.instance: move.attempts for move in work.case.moves}
    sent = [one for one in changed if one.attempts > before[one.instance]]
    full = [
        one.target
        for one in sent
        if one.target is not None and not room.fits(one.target, one.resources)
    ]
    reserved.tell(work, sent, full)


def room_for(work: Work, targets: tuple[model.Target, ...]) -> Room:
    # Among all cases, ours is as it was before this step.
    cases = {**work.world.cases, work.case.host: work.case}
    busy = collections.Counter(
        move.target
        for case in cases.values()
        for move in case.moves
        if move.state.in_flight and move.target is not None
    )
    taken = collections.Counter(
        move.target for move in work.case.moves if move.target is not None
    )
    source = work.case.host
    return Room(
        [one for one in targets if work.world.takes(one.host, source)],
        busy,
        taken,
        work.world.policy.evacuations_per_target,
        reserved.preference(work),
        {view.host: domains.domain_of(view) for view in work.world.fleet},
    )


def reaching(work: Work, move: Move, room: Room) -> Room:
    """The room on hosts that reach the disk of an instance."""
    if not move.storage_domain:
        return room
    return room.within(work.world.sharing(move.storage_domain))


def _decide(
    work: Work,
    move: Move,
    finding: runners.Finding,
    room: Room,
    slots: int,
) -> Move:
    """One instance in one wave: hold, give up, wait, or send."""
    if move.queued:
        return move
    others = finding.runners
    if others and (others != {move.target} or _seen_there(work, move)):
        if others <= finding.asking and _may_ask(work, move):
            return move
        return held(work, move, others)
    if move.counted >= work.world.policy.evacuation_attempts:
        return _give_up(work, move, others)
    if slots <= 0:
        return move
    if others or move.unanswered:
        return _send_again(work, move, room)
    return _send_elsewhere(work, move, room)


def _seen_there(work: Work, move: Move) -> bool:
    """The target's own agent lists the guest, which Nova books on the dead
    host: to ask for it again would only be refused by its hypervisor."""
    listed = work.world.agents.listed(move.instance, work.case.host)
    return move.target in listed


def held(work: Work, move: Move, others: frozenset[model.HostName]) -> Move:
    """It waits: to start it elsewhere would be to start it twice."""
    source = work.case.host
    seen = others & work.world.agents.listed(move.instance, source)
    reason = f"{_names(others)} may be running it"
    if seen:
        reason = f"{_names(seen)} runs it, though Nova has it on {source}"
    return _hold(work, move, reason)


def _names(hosts: frozenset[model.HostName]) -> str:
    return ", ".join(sorted(hosts))


def _hold(work: Work, move: Move, reason: str) -> Move:
    held = dataclasses.replace(move, state=MoveState.HELD, reason=reason)
    if move.state is not MoveState.HELD:
        work.tell_move(held, "instance.held", Severity.WARNING)
    return held


def _may_ask(work: Work, move: Move) -> bool:
    """Whether there is time left for agents to say that they do not run it:
    then it goes on at once."""
    if move.state is MoveState.HELD:
        return False
    asked = work.progress.asked_at
    if move.instance not in asked:
        asked = {**asked, move.instance: work.now.mono}
        work.remember(asked_at=asked)
    return work.now.mono - asked[move.instance] < ASK


def _give_up(
    work: Work, move: Move, others: frozenset[model.HostName]
) -> Move:
    if others:
        return held(work, move, others)
    failed = dataclasses.replace(
        move,
        state=MoveState.FAILED,
        reason=f"given up after {move.attempts} attempts: {move.reason}",
    )
    work.tell_move(failed, "instance.failed", Severity.ALARM)
    return failed


def _send_again(work: Work, move: Move, room: Room) -> Move:
    """The pinned target may run it: only that one may be asked again."""
    target = move.target
    if target is None or target not in room.hosts:
        return dataclasses.replace(
            move,
            reason=f"{target} may be running it and takes no instances now",
        )
    if not room.slot(target):
        return move
    return _send(work, move, target, room)


def _send_elsewhere(work: Work, move: Move, room: Room) -> Move:
    """Nobody can be running it: any host will do, best one not tried yet."""
    tried = work.progress.tried.get(move.instance, frozenset())
    if move.target is not None:
        tried |= {move.target}
    target = room.choose(move.resources, tried)
    if target is None:
        return _no_target(work, move, room)
    if target not in tried and _was_refused(work, move):
        move = dataclasses.replace(move, forgiven=move.forgiven + 1)
    return _send(work, move, target, room)


def _was_refused(work: Work, move: Move) -> bool:
    """Nova's scheduler did not let it go to its latest target, which says
    nothing about others."""
    survey = work.progress.survey
    return (
        survey is not None
        and move.attempts < REFUSALS
        and any(
            one.id == move.migration and one.status == "error"
            for one in survey.migrations
        )
    )


def _no_target(work: Work, move: Move, room: Room) -> Move:
    if not room.full_up(move.resources) or surveys.in_flight(work):
        return move
    # Placement names only hosts that have room.
    source, fleet = work.case.host, work.world.fleet
    some = any(work.world.takes(host, source) for host in fleet.services)
    if not some:
        return _hold(work, move, "no live host may take it")
    shared = (
        f" of storage domain {move.storage_domain}"
        if move.storage_domain
        else ""
    )
    return _hold(work, move, f"no live host{shared} has room for it")


def _send(work: Work, move: Move, target: model.HostName, room: Room) -> Move:
    room.take(target, move.resources)
    work.act(
        actions.Evacuate(
            host=work.case.host,
            case=work.case.id,
            instance=move.instance,
            target=target,
            reset=move.reset,
        )
    )
    work.remember(
        requested_at={
            **work.progress.requested_at,
            move.instance: work.now.mono,
        },
        tried={
            **work.progress.tried,
            move.instance: work.progress.tried.get(move.instance, frozenset())
            | {target},
        },
    )
    sent = dataclasses.replace(
        move,
        state=MoveState.REQUESTED,
        target=target,
        attempts=move.attempts + 1,
        reason="",
        requested_at=work.now.utc,
    )
    work.tell_move(sent, "instance.evacuating")
    return sent


def _finish(work: Work) -> None:
    left = any(move.state not in GOOD for move in work.case.moves)
    done = sum(move.state is MoveState.DONE for move in work.case.moves)
    work.milestone("all_instances")
    repairs.note_all(work)
    if not left:
        work.enter(
            CaseState.EVACUATED,
            f"{done} instances moved{_left_out(work)}; waits for the host to "
            "come back",
        )
        return
    work.enter(CaseState.PARTIAL, left_behind(work), Severity.ALARM)


def _left_out(work: Work) -> str:
    out = sum(move.state is MoveState.EXCLUDED for move in work.case.moves)
    return f", {out} left out by the rules for instances" if out else ""


def left_behind(work: Work) -> str:
    """What could not be moved, and why."""
    done = sum(move.state is MoveState.DONE for move in work.case.moves)
    left = [move for move in work.case.moves if move.state not in GOOD]
    names = "; ".join(
        f"{move.name}: {troubles.explain(move)}" for move in left[:NAMED]
    )
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return f"{done} instances moved, {len(left)} not: {names}{more}"
