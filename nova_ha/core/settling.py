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

"""What is left of a case whose moves have come to rest: held instances that
can go on after all, and whether a returned host is clean."""

import dataclasses
from collections.abc import Collection

from nova_ha.core import evacuation
from nova_ha.core import model
from nova_ha.core import runners
from nova_ha.core import surveys
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.work import Work


def revived(work: Work) -> bool:
    """In PARTIAL: whether an instance that was held can go on, or all have
    been completed by somebody else."""
    if all(move.state in evacuation.GOOD for move in work.case.moves):
        return True
    survey = work.progress.survey
    if survey is not None and not work.progress.survey_used:
        work.remember(survey_used=True)
        surveys.update_moves(
            work,
            [_settle_held(work, move, survey) for move in work.case.moves],
        )
    return not surveys.settled(work)


def _settle_held(work: Work, move: Move, survey: model.Survey) -> Move:
    if move.state is not MoveState.HELD or not surveys.covered(work, move):
        return move
    others = _possible(work, move, survey)
    if others:
        return evacuation.held(work, move, others)
    room = evacuation.reaching(
        work, move, evacuation.room_for(work, survey.targets or ())
    )
    if room.full_up(move.resources):
        return move
    return dataclasses.replace(move, state=MoveState.RETRY)


def _possible(
    work: Work, move: Move, survey: model.Survey
) -> frozenset[model.HostName]:
    finding = runners.possible(
        move.instance,
        work.case.host,
        survey.migrations,
        work.world.agents,
        work.progress.marks,
        asked=(move.target,) if move.unanswered and move.target else (),
        over=move.over,
    )
    work.remember(marks=finding.marks)
    return finding.runners


def not_clean(work: Work) -> str:
    """Why a returned host may not be taken back yet; empty if it may.

    Also settles what was still wanted when the host came back: nothing more
    is sent, but an instance that another host may run keeps the gate shut.
    """
    survey, progress = work.progress.survey, work.progress
    if progress.reports_at_return is None:
        work.remember(reports_at_return=work.report_moves(), survey=None)
        return "Nova is being asked whether it has cleaned the host up"
    if survey is None:
        return "Nova is being asked whether it has cleaned the host up"
    surveys.update_moves(
        work, [_settle(work, move, survey) for move in work.case.moves]
    )
    open_ones = [
        move
        for move in work.case.moves
        if move.state.in_flight or move.state is MoveState.HELD
    ]
    if open_ones:
        first = open_ones[0]
        return (
            f"{len(open_ones)} instances are not settled, e.g. "
            f"{first.name}: {first.reason or first.state.value}"
        )
    return _not_cleaned_by_nova(work, survey)


def _settle(work: Work, move: Move, survey: model.Survey) -> Move:
    """What was still wanted when the host came back is left to it."""
    wanting = (MoveState.PENDING, MoveState.RETRY, MoveState.HELD)
    if move.state not in wanting:
        return move
    if not surveys.covered(work, move):
        return dataclasses.replace(
            move, state=MoveState.HELD, reason="its records have to be read"
        )
    others = _possible(work, move, _without_waiting(work, survey))
    if others:
        return evacuation.held(work, move, others)
    return dataclasses.replace(
        move, state=MoveState.FAILED, reason="the host came back first"
    )


def _without_waiting(work: Work, survey: model.Survey) -> model.Survey:
    """Leave out migrations that wait for this very host: until its own
    nova-compute has stopped the guest and handed over its disk, nothing can
    run elsewhere, and that is what the gate keeps from starting."""
    kept = tuple(
        one
        for one in survey.migrations
        if not (
            one.source == work.case.host
            and one.kind in runners.COLD
            and one.status in runners.NOT_HANDED_OVER
        )
    )
    return dataclasses.replace(survey, migrations=kept)


def _not_cleaned_by_nova(work: Work, survey: model.Survey) -> str:
    source = work.case.host
    left = [
        one
        for one in survey.migrations
        if one.kind == runners.EVACUATION
        and one.source == source
        and (one.status == "done" or one.status not in runners.TERMINAL)
        and not _cleaned_later(one, survey.migrations)
    ]
    if left:
        return (
            f"its nova-compute has not cleaned up {len(left)} evacuated "
            "guests yet"
        )
    if work.report_moves() == work.progress.reports_at_return:
        return "its nova-compute has not reported yet"
    return ""


def _cleaned_later(
    one: model.Migration, records: Collection[model.Migration]
) -> bool:
    """Of several evacuations of an instance, nova-compute marks only the
    last one ``completed`` when it destroys the guest; one whose target died
    half-way stays as it is for ever (nova.compute.manager
    ``_destroy_evacuated_instances``)."""
    return any(
        later.instance == one.instance
        and later.id > one.id
        and later.source == one.source
        and later.kind == one.kind
        and later.status == "completed"
        for later in records
    )
