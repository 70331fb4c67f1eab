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

"""Evacuations that an operator asks for.

The operator's word stands for what nova_ha would wait for or respect on its
own: an agent's goodbye, a nova-compute that somebody has disabled or forced
down, instances that were given up. It never stands for the proof that the host
is off, and never against a sign of life.
"""

import dataclasses
import datetime
from collections.abc import Collection

from nova_ha.core import evacuation
from nova_ha.core import model
from nova_ha.core import transitions
from nova_ha.core.model import CaseState
from nova_ha.core.model import EvacuationRequest
from nova_ha.core.model import HostName
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import Severity
from nova_ha.core.work import Work

LIFETIME = datetime.timedelta(hours=1)
"""For how long a request may wait for a leader: what was dead then may be
alive now. UTC of two machines is compared, so it is no fine limit."""


def refusal(
    request: EvacuationRequest,
    facts: model.HostFacts | None,
    hosts: Collection[HostName],
    now: datetime.datetime,
) -> str:
    """Why a request is not followed; empty if it is.

    :param facts: of its host.
    :param hosts: all that are known.
    """
    record = None if facts is None else facts.record
    host, target = request.host, request.target
    if facts is None or record is None:
        return f"{host} is not enrolled"
    if facts.beacon is not None:
        return f"the agent of {host} has a beacon: the host is alive"
    if record.maintenance:
        return f"{host} is in maintenance ({record.maintenance}): end that"
    if record.protected:
        return f"{host} must never be fenced ({record.protected})"
    if target is not None and (target == host or target not in hosts):
        return f"{target} cannot take the instances of {host}"
    if now - request.at > LIFETIME:
        return f"the request for {host} is older than {LIFETIME}: ask again"
    return ""


def too_late(case: model.RecoveryCase) -> bool:
    """Whether a case takes no request any more: its host is back, or is
    about to be looked at anew."""
    return case.state in transitions.BACK


def take(work: Work) -> None:
    """Make an operator's request part of the case, once."""
    request = work.world.requests.get(work.case.host)
    if request is None or request == work.case.request:
        return
    if too_late(work.case):
        return
    asked = f"asked again by {request.by}"
    work.update(
        request=request,
        moves=tuple(
            _revived(move, asked) if _named(move, request) else move
            for move in work.case.moves
            if move.state is not MoveState.SKIPPED
        ),
    )
    # Whom the rules had skipped is planned anew, and told of again.
    work.remember(listed_at=None)
    work.tell("case.requested", f"{request.by} asks for its evacuation")
    if work.case.state is CaseState.PARTIAL:
        # That was the end of what was asked for before. This request gets one
        # of its own, after everything has been listed and proven again.
        work.enter(CaseState.EVACUATING, asked)


def fulfilled(case: model.RecoveryCase) -> bool:
    """Whether all that the latest request asks to be moved has been; without
    one, all that the rules want to be moved."""
    request = case.request
    named = set() if request is None else set(request.servers)
    found = {move.instance for move in case.moves}
    return (
        case.surveyed
        and named <= found
        and all(
            move.state in evacuation.GOOD
            for move in case.moves
            if request is None or _named(move, request)
        )
    )


def _revived(move: Move, why: str) -> Move:
    """Its target stays pinned: an earlier request may yet come to life."""
    if move.state is not MoveState.FAILED:
        return move
    return dataclasses.replace(
        move, state=MoveState.RETRY, forgiven=move.attempts, reason=why
    )


def _named(move: Move, request: EvacuationRequest) -> bool:
    return not request.servers or move.instance in request.servers


def narrow(work: Work) -> None:
    """Leave out the instances that the operator has not named."""
    request = work.case.request
    if request is None or not request.servers:
        return
    why = f"{request.by} has named other instances"
    work.update(
        moves=tuple(
            move
            if _named(move, request) or not _untouched(move)
            else _left_out(work, move, why)
            for move in work.case.moves
        )
    )


def _left_out(work: Work, move: Move, why: str) -> Move:
    skipped = dataclasses.replace(move, state=MoveState.SKIPPED, reason=why)
    work.tell_move(skipped, "instance.skipped", Severity.WARNING)
    return skipped


def _untouched(move: Move) -> bool:
    return move.state is MoveState.PENDING and move.attempts == 0
