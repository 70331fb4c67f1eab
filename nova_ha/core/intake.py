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

"""Taking in what Nova and the device say about a case's host.

Every survey brings the moves up to date; one with the list of instances also
tells who belongs to the case, and who does no more.
"""

import dataclasses
from collections.abc import Collection

from nova_ha.core import arrivals
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import moves
from nova_ha.core import ordering
from nova_ha.core import planning
from nova_ha.core import repairs
from nova_ha.core import surveys
from nova_ha.core import transitions
from nova_ha.core import troubles
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import Severity
from nova_ha.core.work import Work


def absorb_survey(work: Work, event: events.Surveyed) -> None:
    """Take in what Nova and the device said."""
    survey = event.survey
    full, flying = surveys.slots(work) <= 0, surveys.in_flight(work)
    work.later(surveys.SURVEY, work.world.policy.progress_interval)
    work.remember(
        survey=survey,
        survey_began=event.began,
        survey_ended=work.now.mono,
        survey_used=False,
    )
    final = {move.instance for move in work.case.moves if move.final}
    surveys.update_moves(
        work, (_follow(work, move, survey) for move in work.case.moves)
    )
    if survey.instances is not None:
        _absorb_list(work, survey, event.began, final)
    freed = full or surveys.in_flight(work) < flying
    if freed and surveys.slots(work) > 0 and surveys.waiting_moves(work):
        # The next wave need not wait for its turn.
        work.later(surveys.SURVEY, 0.0)


def _absorb_list(
    work: Work,
    survey: model.Survey,
    began: float,
    final: Collection[model.InstanceId],
) -> None:
    """Take in a complete list of the host's instances.

    :param final: those whose move was over before the list was made.
    """
    listed = {one.id: one for one in survey.instances or ()}
    work.remember(listed_at=began)
    if work.case.state in transitions.BACK:
        _who_is_left(work, listed, survey)
        return
    known = {move.instance for move in work.case.moves}
    new = tuple(
        _follow(work, _plan(work, one, survey), survey)
        for one in listed.values()
        if one.id not in known
    )
    arriving = () if work.case.surveyed else _arriving(work, listed, survey)
    for move in (*new, *arriving):
        _tell_left(work, move)
    kept = tuple(
        _plan(work, _as_it_was(listed[move.instance], move), survey)
        if _wanted_again(work, move, listed, final)
        else _still_there(work, move, listed, survey)
        for move in work.case.moves
    )
    work.update(
        moves=ordering.arranged((*kept, *new, *arriving)), surveyed=True
    )
    work.milestone("listed")


def _who_is_left(
    work: Work, listed: Collection[model.InstanceId], survey: model.Survey
) -> None:
    """What comes to a host that is back is no business of its case."""
    work.update(
        moves=tuple(
            _still_there(work, move, listed, survey)
            for move in work.case.moves
        )
    )


def _arriving(
    work: Work, listed: Collection[model.InstanceId], survey: model.Survey
) -> tuple[Move, ...]:
    others = (
        move.instance
        for case in (*work.world.cases.values(), work.case)
        for move in case.moves
    )
    known = {*listed, *others}
    return tuple(
        arrivals.of(work.case.host, survey.migrations, known, work.now)
    )


def _plan(work: Work, one: model.Instance, survey: model.Survey) -> Move:
    return planning.plan(
        one,
        survey.migrations,
        work.world.policy.rules,
        work.world.storage(work.case.host),
    )


def _tell_left(work: Work, move: Move) -> None:
    if move.state is MoveState.SKIPPED:
        work.tell_move(move, "instance.skipped", Severity.WARNING)
    if move.state is MoveState.EXCLUDED:
        work.tell_move(move, "instance.excluded")
    if move.state is MoveState.GONE:
        work.tell_move(move, "instance.arriving", Severity.WARNING)


def _wanted_again(
    work: Work,
    move: Move,
    listed: Collection[model.InstanceId],
    final: Collection[model.InstanceId],
) -> bool:
    """It had left and has come back since; or the host has died again."""
    if move.instance not in listed or move.instance not in final:
        return False
    return move.state in _AWAY or not work.case.surveyed


_AWAY = (MoveState.DONE, MoveState.GONE)
"""The host has lost the instance, in Nova's eyes too."""


def _as_it_was(one: model.Instance, move: Move) -> model.Instance:
    """An evacuation that failed has left its instance in ERROR. That is no
    state in which its owner had it, so no rule for such applies, and if it was
    off it is to be off again."""
    tried = move.state is MoveState.FAILED and move.attempts > 0
    if one.vm_state == "error" and tried and move.was:
        return dataclasses.replace(one, vm_state=move.was)
    return one


def _still_there(
    work: Work,
    move: Move,
    listed: Collection[model.InstanceId],
    survey: model.Survey,
) -> Move:
    """What was left on the host, for now or for good, may have gone from it
    without us."""
    if move.instance in listed or move.state in _AWAY or move.state.in_flight:
        return move
    host = moves.evacuated_to(move, work.case.host, survey.migrations)
    gone = dataclasses.replace(
        move,
        state=MoveState.GONE,
        reason=f"evacuated to {host} by somebody else"
        if host
        else "deleted, or moved by others",
    )
    work.tell_move(gone, "instance.gone")
    return gone


def _follow(work: Work, move: Move, survey: model.Survey) -> Move:
    source = work.case.host
    look = next((one for one in survey.looks if one.id == move.instance), None)
    forgotten = troubles.forgotten(work, move, survey)
    after = moves.follow(
        move, source, survey.migrations, work.now, look, forgotten
    )
    if after.migration != move.migration or after.state is not move.state:
        running_at = {**work.progress.running_at}
        running_at[move.instance] = work.now.mono
        work.remember(running_at=running_at)
    if look is None and move.instance in work.progress.looked_for:
        return _vanished(work, after)
    if after.state is not move.state:
        _tell_change(work, after)
    if after.state is MoveState.DONE and move.state is not MoveState.DONE:
        work.milestone("first_instance")
        after = repairs.note_arrival(after, source, survey.migrations)
    return troubles.after_trouble(work, after)


def _vanished(work: Work, move: Move) -> Move:
    """Nova was asked for the instance itself, and does not know it."""
    if move.final:
        return move
    gone = dataclasses.replace(
        move, state=MoveState.GONE, reason="it has been deleted"
    )
    work.tell_move(gone, "instance.gone")
    return gone


def _tell_change(work: Work, move: Move) -> None:
    match move.state:
        case MoveState.DONE:
            work.tell_move(move, "instance.evacuated")
        case MoveState.RETRY:
            work.tell_move(move, "instance.retry", Severity.WARNING)
        case MoveState.RUNNING if move.reason:
            work.tell_move(move, "instance.adopted")


def absorb_answer(work: Work, event: events.EvacuateAnswered) -> None:
    """Take in Nova's answer to a request. Accepted means nothing: only the
    record tells. Refused is certain; no answer is neither."""
    work.arrived(f"Evacuate {event.instance}")
    if not event.refused:
        _tell_unanswered(work, event)
        return
    # Perhaps it has been deleted or moved meanwhile: list again.
    work.remember(listed_at=None)

    def refused(move: Move) -> Move:
        if (
            move.instance != event.instance
            or move.state is not MoveState.REQUESTED
        ):
            return move
        # The host stays pinned if an earlier request may have reached it;
        # what else may run the guest is asked before the next attempt.
        after = dataclasses.replace(
            move, state=MoveState.RETRY, reason=f"Nova refused: {event.error}"
        )
        work.tell_move(after, "instance.retry", Severity.WARNING)
        return after

    surveys.update_moves(work, [refused(move) for move in work.case.moves])


def _tell_unanswered(work: Work, event: events.EvacuateAnswered) -> None:
    """No answer is news only as long as no record has told more."""
    waits = any(
        move.instance == event.instance and move.state is MoveState.REQUESTED
        for move in work.case.moves
    )
    if event.error and waits:
        work.tell(
            "instance.unanswered",
            f"{event.instance}: {event.error}",
            severity=Severity.WARNING,
        )
