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

"""Asking Nova and the device about a case's host, and taking in the answer.

A survey is one pass over migration records and, where wanted, the list of
instances, the room elsewhere and - last - the power.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping

from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import moves
from nova_ha.core import ordering
from nova_ha.core import planning
from nova_ha.core import repairs
from nova_ha.core import transitions
from nova_ha.core import troubles
from nova_ha.core.model import CaseState
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import Severity
from nova_ha.core.work import Work

SURVEY = actions.TakeSurvey.__name__

SLOW = 10.0
"""Seconds between surveys of a case that waits for somebody else."""

LEISURE = 60.0
"""Seconds until what is left on its host for good is looked for again: an
operator may have moved or deleted it."""


# -- taking in ---------------------------------------------------------------


def absorb_survey(work: Work, event: events.Surveyed) -> None:
    """Take in what Nova and the device said."""
    survey = event.survey
    work.later(SURVEY, work.world.policy.progress_interval)
    work.remember(
        survey=survey,
        survey_began=event.began,
        survey_ended=work.now.mono,
        survey_used=False,
    )
    flying = in_flight(work)
    final = {move.instance for move in work.case.moves if move.final}
    update_moves(
        work, (_follow(work, move, survey) for move in work.case.moves)
    )
    if survey.instances is not None:
        _absorb_list(work, survey, event.began, final)
    if in_flight(work) < flying and waiting_moves(work):
        # Slots are free: the next wave need not wait for its turn.
        work.later(SURVEY, 0.0)


def in_flight(work: Work) -> int:
    """How many evacuations of the case are under way."""
    return sum(move.state.in_flight for move in work.case.moves)


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
        # What comes to a host that is back is no business of this case.
        work.update(
            moves=tuple(
                _still_there(work, move, listed, survey)
                for move in work.case.moves
            )
        )
        return
    known = {move.instance for move in work.case.moves}
    new = tuple(
        _follow(work, _plan(work, one, survey), survey)
        for one in listed.values()
        if one.id not in known
    )
    for move in new:
        _tell_left(work, move)
    kept = tuple(
        _plan(work, listed[move.instance], survey)
        if _wanted_again(work, move, listed, final)
        else _still_there(work, move, listed, survey)
        for move in work.case.moves
    )
    work.update(moves=ordering.arranged((*kept, *new)), surveyed=True)
    work.milestone("listed")


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


def update_moves(work: Work, changed: Iterable[Move]) -> None:
    before = {move.instance: move for move in work.case.moves}
    after = tuple(changed)
    for move in after:
        if move.state is before[move.instance].state:
            continue
        if move.state is MoveState.RETRY:
            pause(work, move)
        if not move.state.in_flight:
            work.remember(settled_at=work.now.mono)
    if after != work.case.moves:
        work.update(moves=after)


def pause(work: Work, move: Move) -> None:
    policy = work.world.policy
    pause = policy.evacuation_backoff * 2 ** max(move.counted - 1, 0)
    work.later(str(move.instance), min(pause, policy.evacuation_backoff_max))


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

    update_moves(work, [refused(move) for move in work.case.moves])


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


# -- asking ------------------------------------------------------------------


def look_again(work: Work) -> None:
    """The proof does not hold now: ask everybody again, send nothing."""
    if work.case.state in (CaseState.FENCED, CaseState.EVACUATING):
        survey_if_due(work, power=True)


def survey_if_due(
    work: Work, *, slowly: bool = False, power: bool = False
) -> None:
    """Ask Nova, if it is time to and nothing is pending.

    :param slowly: less often, and for what others may have done: whether
        what is held can go on.
    :param power: ask the device too, even if there is nothing to send.
    """
    if not work.due(SURVEY):
        return
    if slowly and work.now.mono - work.progress.survey_began < SLOW:
        return
    waiting = waiting_moves(work)
    issue = work.case.state in (CaseState.FENCED, CaseState.EVACUATING)
    again = slowly and bool(waiting)
    listing = again or _list_again(work) or (slowly and _long_listed(work))
    slots = work.world.policy.evacuations - in_flight(work)
    wave = issue and (listing or (bool(waiting) and slots > 0))
    blind = work.world.blind_spots(work.case.host)
    pending = tuple(move.instance for move in waiting)
    unclear = _unclear(work)
    work.remember(
        looked_for=frozenset(unclear),
        histories=frozenset(pending) if blind else None,
        histories_listed=listing,
    )
    work.act(
        actions.TakeSurvey(
            host=work.case.host,
            case=work.case.id,
            instances=listing,
            targets=wave or again,
            requests=_distinct(waiting),
            power=wave or power,
            barred=work.barred,
            histories=blind and (listing or bool(waiting)),
            pending=pending,
            look_at=unclear,
        )
    )


def _unclear(work: Work) -> tuple[model.InstanceId, ...]:
    """Instances whose records left a question open in the last survey."""
    survey = work.progress.survey
    if survey is None:
        return ()
    return tuple(
        move.instance
        for move in work.case.moves
        if moves.unclear(move, work.case.host, survey.migrations)
        or (
            moves.waits_for_nobody(move, work.case.host, survey.migrations)
            and troubles.quiet(work, move)
        )
    )


def _distinct(waiting: list[Move]) -> tuple[Mapping[str, int], ...]:
    """What the waiting instances ask of Placement, each size once."""
    sizes = {
        tuple(sorted(move.resources.items())): move.resources
        for move in waiting
    }
    return tuple(sizes.values())


def waiting_moves(work: Work) -> list[Move]:
    """Moves that want a request and whose turn it is, in their order."""
    wanting = (MoveState.PENDING, MoveState.RETRY, MoveState.HELD)
    return [
        move
        for move in ordering.sendable(
            work.case.moves, _restless(work), work.world.policy.rules
        )
        if move.state in wanting and work.due(str(move.instance))
    ]


def _restless(work: Work) -> list[Move]:
    return [
        move for move in work.case.moves if not troubles.at_rest(work, move)
    ]


def settled(work: Work) -> bool:
    """No move is getting on or wants a request."""
    return not _restless(work)


def _list_again(work: Work) -> bool:
    """Never listed, or all moves have come to rest: has anything else arrived
    meanwhile?"""
    if work.progress.listed_at is None:
        return True
    return settled(work) and not listed_since(work)


def _long_listed(work: Work) -> bool:
    listed = work.progress.listed_at
    return listed is None or work.now.mono - listed >= LEISURE


def listed_since(work: Work) -> bool:
    """The instances have been listed after the last move came to rest."""
    listed, settled = work.progress.listed_at, work.progress.settled_at
    if listed is None:
        return False
    return settled is None or listed >= settled


def watch_only(work: Work) -> None:
    """Follow what is in flight, and send nothing."""
    if work.case.state is CaseState.EVACUATING and any(
        move.state.in_flight for move in work.case.moves
    ):
        survey_if_due(work)


def covered(work: Work, move: Move) -> bool:
    """The survey has all the records that are needed for this instance."""
    progress = work.progress
    if not work.world.blind_spots(work.case.host):
        return True
    if progress.histories is None:
        return False
    return move.instance in progress.histories or (
        progress.histories_listed and move.attempts == 0
    )
