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

"""Asking Nova and the device about a case's host.

A survey is one pass over migration records and, where wanted, the list of
instances, the room elsewhere and - last - the power.
"""

from collections.abc import Iterable, Mapping

from nova_ha.core import actions
from nova_ha.core import model
from nova_ha.core import moves
from nova_ha.core import ordering
from nova_ha.core import troubles
from nova_ha.core.model import CaseState
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.work import Work

SURVEY = actions.TakeSurvey.__name__

SLOW = 10.0
"""Seconds between surveys of a case that waits for somebody else."""

PLACING = 12
"""Requests of a case that no target has taken yet. More than nova-api,
nova-conductor and nova-scheduler have processor time for make all of them
late: measured on two processors, 12 at a time took as long as a script with
8, and 32 took half as long again."""

STIRRED = 0.2
"""Seconds from Nova's notification until the records are read: it is sent
before the record of its migration is changed, and others follow."""

LEISURE = 60.0
"""Seconds until what is left on its host for good is looked for again: an
operator may have moved or deleted it."""


# -- the moves ---------------------------------------------------------------


def in_flight(work: Work) -> int:
    """How many evacuations of the case are under way."""
    return sum(move.state.in_flight for move in work.case.moves)


def _unplaced(work: Work) -> int:
    """How many of them no target has taken yet, as far as is known."""
    survey = work.progress.survey
    accepted = {
        one.id
        for one in (() if survey is None else survey.migrations)
        if one.status == "accepted"
    }
    return sum(
        move.state is MoveState.REQUESTED
        or (move.state is MoveState.RUNNING and move.migration in accepted)
        for move in work.case.moves
    )


def slots(work: Work) -> int:
    """How many more evacuations may begin, the targets' own limits aside.
    What a target has taken keeps no others from being placed: guests may
    take long to start."""
    return min(
        work.world.policy.evacuations - in_flight(work),
        PLACING - _unplaced(work),
    )


def look_sooner(work: Work, instance: model.InstanceId) -> None:
    """Something has happened to an instance that is waited for."""
    due = work.progress.not_before.get(SURVEY, 0.0) - work.now.mono
    flying = any(
        move.instance == instance and move.state.in_flight
        for move in work.case.moves
    )
    if flying and due > STIRRED:
        work.later(SURVEY, STIRRED)


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
    wave = issue and (listing or (bool(waiting) and slots(work) > 0))
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
