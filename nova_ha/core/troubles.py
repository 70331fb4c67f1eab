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

"""What can become of an evacuation that was asked for, beside its success:
its target dies, its request gets lost, nothing moves any more."""

import dataclasses

from nova_ha.core import model
from nova_ha.core import moves
from nova_ha.core import runners
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import Severity
from nova_ha.core.work import Work


def after_trouble(work: Work, move: Move) -> Move:
    """Deaths of targets, lost requests, pauses before the next attempt."""
    if move.final:
        return move
    fenced = move.target in work.world.agents.fenced
    if move.queued and not fenced:
        move = dataclasses.replace(move, queued=False)
    if fenced and (move.state.in_flight or move.state is MoveState.RETRY):
        move = _without_target(work, move)
    elif (
        move.state is MoveState.REQUESTED and _lost(work, move)
    ) or _record_lost(work, move):
        move = dataclasses.replace(
            move,
            state=MoveState.RETRY,
            unanswered=True,
            reason="no record of the request has appeared",
        )
        work.tell_move(move, "instance.retry", Severity.WARNING)
    return move


def _without_target(work: Work, move: Move) -> Move:
    """The target has been fenced. What it had begun is over - but a request
    that it had not taken yet waits in its message queue, or is on its way
    there, and will be done when it comes back: so it stays bound to that.

    Its record goes on before the target is seen to be back. Then it is the
    new life of the target that has begun, and nothing of that is over.
    """
    if move.queued or _not_taken(work, move):
        return _bound(work, move)
    if move.state is MoveState.REQUESTED and not _lost(work, move):
        return move
    survey = work.progress.survey
    died = moves.target_died(move, () if survey is None else survey.migrations)
    work.tell_move(died, "instance.retry", Severity.WARNING)
    return died


def _not_taken(work: Work, move: Move) -> bool:
    survey = work.progress.survey
    return survey is not None and any(
        one.id == move.migration and one.status == "accepted"
        for one in survey.migrations
    )


def _bound(work: Work, move: Move) -> Move:
    if not move.state.in_flight:
        return move
    bound = dataclasses.replace(
        move,
        queued=True,
        reason=f"its target {move.target} died before it took the request, "
        "and will once it is back",
    )
    if not move.queued:
        work.tell_move(bound, "instance.held", Severity.WARNING)
    return bound


def at_rest(work: Work, move: Move) -> bool:
    """Whether nothing will come of it soon, unless somebody does something."""
    if move.queued:
        return True
    if move.state.in_flight:
        return _stuck(work, move)
    return move.state not in (MoveState.PENDING, MoveState.RETRY)


def _stuck(work: Work, move: Move) -> bool:
    """Nova has not gone on with it for longer than an operator is left
    without news; or for twice the life of a request that no target has ever
    taken, when it will not come any more."""
    since = work.progress.running_at.get(
        move.instance, work.progress.taken_over_at
    )
    policy, survey = work.world.policy, work.progress.survey
    patience = policy.reminder
    if survey is not None and moves.waits_for_nobody(
        move, work.case.host, survey.migrations
    ):
        patience = min(patience, 2 * policy.takeover)
    return (
        move.state is MoveState.RUNNING
        and since is not None
        and work.now.mono - since >= patience
    )


def explain(move: Move) -> str:
    """Why an instance has not been moved."""
    if move.reason or not move.state.in_flight:
        return move.reason
    return f"Nova does not go on with its evacuation to {move.target}"


def _record_lost(work: Work, move: Move) -> bool:
    """The instance is there, but no record of its evacuation is."""
    survey = work.progress.survey
    return (
        move.state is MoveState.RUNNING
        and move.instance in work.progress.looked_for
        and survey is not None
        and not any(one.id == move.migration for one in survey.migrations)
    )


def forgotten(work: Work, move: Move, survey: model.Survey) -> frozenset[int]:
    """Records of requests that no target will take any more: of two at the
    same time Nova can settle one and forget the other (see
    :func:`moves.waits_for_nobody`), which then stays ``accepted`` for ever.

    Its conductor takes requests in their order, so one that a younger one
    has overtaken, and that has not reached its target for longer than a
    request lives, is nowhere any more. The target itself says that it does
    not run the guest.
    """
    if not quiet(work, move):
        return frozenset()
    evacuations = [
        one
        for one in survey.migrations
        if one.kind == runners.EVACUATION and one.source == work.case.host
    ]
    went_on = max(
        (one.id for one in evacuations if one.status != "accepted"), default=0
    )
    return frozenset(
        one.id
        for one in evacuations
        if one.instance == move.instance
        and one.status == "accepted"
        and one.id < went_on
        and _surely_not_at(work, move, one.dest)
    )


def _surely_not_at(
    work: Work, move: Move, host: model.HostName | None
) -> bool:
    inventory = None if host is None else work.world.agents.inventory(host)
    return inventory is not None and move.instance not in inventory.guests


def quiet(work: Work, move: Move) -> bool:
    """Nothing has changed for longer than a request can be on its way."""
    since = work.progress.running_at.get(
        move.instance, work.progress.taken_over_at
    )
    return since is None or (
        work.now.mono - since > work.world.policy.takeover
    )


def _lost(work: Work, move: Move) -> bool:
    """Whether a request without a record can no longer take effect: its own
    life is over, and so is the right to act of whoever sent it."""
    sent = work.progress.requested_at.get(
        move.instance, work.progress.taken_over_at
    )
    if sent is None:
        return True
    return work.progress.survey_began - sent > work.world.policy.takeover
