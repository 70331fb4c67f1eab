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

"""Instances that have arrived, but not as they were.

Of two requests to evacuate an instance one fails, and Nova writes that into
the instance whose other evacuation has succeeded. And an instance in ERROR,
whether before its recovery or because an attempt has failed, is started by
Nova even if it was off (nova.compute.manager ``_rebuild_instance`` goes by its
vm_state). That it is to be put right is saved with its move: whoever leads
next knows it, however soon after the arrival of the instance the leader dies.
"""

import dataclasses
from collections.abc import Collection

from nova_ha.core import actions
from nova_ha.core import model
from nova_ha.core import moves
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.work import Work

_KEY = "Repair "


def note(
    move: Move, source: model.HostName, records: Collection[model.Migration]
) -> Move:
    """The move, with what its records say about a duplicate that failed."""
    if (
        move.state is MoveState.DONE
        and move.target is not None
        and moves.had_duplicate_failure(move, source, records)
    ):
        return dataclasses.replace(move, repair=True)
    return move


def note_arrival(
    move: Move, source: model.HostName, records: Collection[model.Migration]
) -> Move:
    """The same for one that has just arrived, which Nova may have started
    against its owner's will. Later it is the owner who has."""
    if move.was_off and (move.was == "error" or move.attempts > 1):
        return dataclasses.replace(move, repair=True)
    return note(move, source, records)


def note_all(work: Work) -> None:
    """A duplicate may have failed after the repair of the one that ran."""
    survey = work.progress.survey
    if survey is not None:
        work.update(
            moves=tuple(
                note(move, work.case.host, survey.migrations)
                for move in work.case.moves
            )
        )


def go_on(work: Work) -> None:
    """Have done what is noted. It needs no proof: nothing is started, and the
    instance is looked at before it is changed."""
    if work.world.stopped is not None:
        return
    for move in work.case.moves:
        if move.repair and move.target is not None:
            work.act_when_due(
                actions.Repair(
                    host=work.case.host,
                    case=work.case.id,
                    instance=move.instance,
                    target=move.target,
                    stop=move.was_off,
                )
            )


def settled(work: Work, key: str) -> None:
    """An action is over: it has taken effect, or Nova has refused it, as it
    will again."""
    if not key.startswith(_KEY):
        return
    instance = key.removeprefix(_KEY)
    work.update(
        moves=tuple(
            dataclasses.replace(move, repair=False)
            if move.instance == instance
            else move
            for move in work.case.moves
        )
    )
