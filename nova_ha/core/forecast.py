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

"""What an evacuation would come to if it were asked for now.

What decides is the code of a real case, on what Nova, Placement and the agents
say at this moment. Only its surroundings are made up: the host is proven to be
off, every evacuation arrives, and nothing else happens meanwhile. So it shows
what would be tried; what comes of that, nobody knows before.
"""

import dataclasses
from collections.abc import Mapping

from nova_ha.core import actions
from nova_ha.core import by_hand
from nova_ha.core import evacuation
from nova_ha.core import events
from nova_ha.core import intake
from nova_ha.core import model
from nova_ha.core import recovery
from nova_ha.core import repairs
from nova_ha.core import surveys
from nova_ha.core import transitions
from nova_ha.core import work as work_mod
from nova_ha.core import world as world_mod
from nova_ha.core.model import InstanceId
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import record

_IDLE = 2
"""Waves without any news after which there will be none: agents that are
asked whether they run an instance get the time of one to answer."""


@record
class Prospect:
    """What would become of one instance."""

    move: Move
    """In the end. One that is under way already is so in the end, too."""
    turn: int | None = None
    """It leaves in this wave, the first is 1; None: it is not moved."""
    asked: bool = False
    """Other hosts may be running it, and their live agents are asked: it
    moves if they do not."""


@record
class Forecast:
    """What would become of a host's instances."""

    prospects: tuple[Prospect, ...]
    """In the order of their turns; those that stay come last."""
    complete: bool
    """All that is asked to be moved would be."""


def begin(
    world: world_mod.World, request: model.EvacuationRequest, now: model.Now
) -> work_mod.Step:
    """The case as it would be: the open one, or else a new one.

    What has to be known of its host is the only action, a
    :class:`actions.TakeSurvey`.

    :param world: knows the host; nothing in it stops anything.
    """
    case = world.cases.get(request.host)
    if case is None or by_hand.too_late(case):
        case = recovery.open_case(
            request.host, world, model.Epoch(0), now, request
        )
    case = dataclasses.replace(case, state=model.CaseState.EVACUATING)
    bench = _bench(case, work_mod.Progress(), world, now)
    by_hand.take(bench)
    surveys.survey_if_due(bench)
    return bench.finish()


def question(step: work_mod.Step) -> actions.TakeSurvey:
    """What Nova has to be asked first."""
    (action,) = step.actions
    if not isinstance(action, actions.TakeSurvey):
        raise TypeError(f"a case begins with a survey, not {action.key}")
    return action


def end(
    step: work_mod.Step,
    survey: model.Survey,
    world: world_mod.World,
    now: model.Now,
) -> Forecast:
    """What would become of each instance.

    :param step: as :func:`begin` has returned it.
    :param survey: the answer to its question.
    """
    waves = _Waves(step, _with_proof(survey, now))
    while not waves.over:
        # Agents have had their time to answer by the next wave.
        now = dataclasses.replace(now, mono=now.mono + evacuation.ASK)
        waves.send(world, now)
    return Forecast(
        prospects=tuple(sorted(waves.prospects(), key=_turn)),
        complete=by_hand.fulfilled(waves.case),
    )


def _turn(prospect: Prospect) -> tuple[bool, int]:
    return prospect.turn is None, prospect.turn or 0


def _bench(
    case: model.RecoveryCase,
    progress: work_mod.Progress,
    world: world_mod.World,
    now: model.Now,
) -> work_mod.Work:
    return work_mod.Work(case, progress, world, now, transitions.TRANSITIONS)


class _Waves:
    """One wave after the other, until no more can leave."""

    def __init__(self, step: work_mod.Step, survey: model.Survey) -> None:
        self.case, self._progress = step.case, step.progress
        self._survey = survey
        self._turns: dict[InstanceId, int] = {}
        self._under_way: dict[InstanceId, Move] = {}
        self._wave = 0
        self._idle = 0

    @property
    def over(self) -> bool:
        ended = self.case.state is not model.CaseState.EVACUATING
        return ended or self._idle >= _IDLE

    def send(self, world: world_mod.World, now: model.Now) -> None:
        """Let one wave leave, and arrive."""
        before = self.case.moves
        bench = _bench(self.case, self._progress, world, now)
        intake.absorb_survey(
            bench,
            events.Surveyed(
                host=self.case.host,
                case=self.case.id,
                survey=self._survey,
                began=now.mono,
            ),
        )
        by_hand.narrow(bench)
        evacuation.go_on(bench)
        step = bench.finish()
        self._note(step)
        self._arrive(step.case)
        self._progress = step.progress
        self._idle = 0 if self.case.moves != before else self._idle + 1

    def _note(self, step: work_mod.Step) -> None:
        sent = {
            action.instance
            for action in step.actions
            if isinstance(action, actions.Evacuate)
        }
        self._wave += bool(sent)
        self._turns.update(dict.fromkeys(sent, self._wave))
        for move in step.case.moves:
            if move.state.in_flight and move.instance not in self._turns:
                self._under_way.setdefault(move.instance, move)

    def _arrive(self, case: model.RecoveryCase) -> None:
        """All that is in flight is where it was to go."""
        arriving = [move for move in case.moves if move.state.in_flight]
        moves = tuple(
            self._arrived(move) if move in arriving else move
            for move in case.moves
        )
        self.case = dataclasses.replace(case, moves=moves)
        self._survey = _after(self._survey, arriving, self._turns)

    def _arrived(self, move: Move) -> Move:
        done = dataclasses.replace(move, state=MoveState.DONE)
        return repairs.note_arrival(
            done, self.case.host, self._survey.migrations
        )

    def prospects(self) -> list[Prospect]:
        return [
            Prospect(
                move=self._under_way.get(move.instance, move),
                turn=self._turns.get(move.instance),
                asked=move.state is MoveState.HELD
                and move.instance in self._progress.asked_at,
            )
            for move in self.case.moves
        ]


def _with_proof(survey: model.Survey, now: model.Now) -> model.Survey:
    power = model.PowerReading(
        host=survey.host, state=model.PowerState.OFF, seen_at=now.utc
    )
    return dataclasses.replace(survey, power=power)


def _after(
    survey: model.Survey,
    arriving: list[Move],
    ours: Mapping[InstanceId, int],
) -> model.Survey:
    """What Nova would say next.

    :param ours: what has been sent from here; Placement knows the others.
    """
    gone = {move.instance for move in arriving}
    left = [one for one in survey.instances or () if one.id not in gone]
    free = {one.host: dict(one.free) for one in survey.targets or ()}
    for move in arriving:
        room = free.get(move.target) if move.target else None
        if room is None or move.instance not in ours:
            continue
        for name, amount in move.resources.items():
            room[name] = room.get(name, 0) - amount
    return dataclasses.replace(
        survey,
        instances=tuple(left),
        targets=tuple(
            model.Target(host=host, free=amounts)
            for host, amounts in free.items()
        ),
    )
