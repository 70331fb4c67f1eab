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

"""What is done about a dead host: the recovery case, step by step.

``step`` is a pure function of the case, what has happened and what is known.
It returns the changed case, the actions to perform once that has been saved,
and what to tell. Nothing here may evacuate without evidence: the only way to
an :class:`actions.Evacuate` leads through :data:`CaseState.FENCED`, which is
entered by :func:`proof.prove` alone.
"""

import dataclasses
from collections.abc import Callable, Mapping

from nova_ha.core import actions
from nova_ha.core import barring
from nova_ha.core import by_hand
from nova_ha.core import evacuation
from nova_ha.core import events
from nova_ha.core import fencing_states
from nova_ha.core import holding
from nova_ha.core import intake
from nova_ha.core import leftovers
from nova_ha.core import model
from nova_ha.core import proof
from nova_ha.core import repairs
from nova_ha.core import returning
from nova_ha.core import service_flags
from nova_ha.core import settling
from nova_ha.core import story
from nova_ha.core import surveys
from nova_ha.core import switching
from nova_ha.core import verdict as verdict_mod
from nova_ha.core import world as world_mod
from nova_ha.core.model import CaseState
from nova_ha.core.model import Ownership
from nova_ha.core.model import Severity
from nova_ha.core.transitions import ENDED
from nova_ha.core.transitions import TRANSITIONS
from nova_ha.core.work import Progress
from nova_ha.core.work import Step
from nova_ha.core.work import Work

S = CaseState


def open_case(
    host: model.HostName,
    world: world_mod.World,
    epoch: model.Epoch,
    now: model.Now,
    request: model.EvacuationRequest | None = None,
) -> model.RecoveryCase:
    """A new case for a host that may be dying.

    :param request: of the operator who says so.
    """
    view = world.fleet.view(host)
    service = None if view is None else view.service
    verdict = world.verdicts[host]
    return model.RecoveryCase(
        id=_id_of_case(host, now),
        host=host,
        boot_id=model.BootId("") if view is None else view.boot_id,
        service_id="" if service is None else service.service_id,
        epoch=epoch,
        verdict=verdict,
        opened_at=now.utc,
        times={S.SUSPECTED.value: now.utc},
        request=request,
        story=(
            story.line(
                now.utc, "case.opened", verdict_mod.EXPLAIN[verdict.reason]
            ),
        ),
    )


def _id_of_case(host: model.HostName, now: model.Now) -> model.CaseId:
    """In the order of time, for people and in the history. To the
    millisecond: a case may be cancelled and the next one opened at once."""
    milliseconds = now.utc.microsecond // 1000
    return model.CaseId(f"{now.utc:%Y%m%dT%H%M%S}.{milliseconds:03}Z-{host}")


def step(
    case: model.RecoveryCase,
    progress: Progress,
    event: events.Event,
    world: world_mod.World,
    now: model.Now,
) -> Step:
    """Let a case take in an event, and go on as far as it can.

    Level-triggered: calling it again with a mere tick repeats nothing that
    is pending and forgets nothing that is due.
    """
    work = Work(case, progress, world, now, TRANSITIONS)
    _absorb(work, event)
    by_hand.take(work)
    by_hand.narrow(work)
    leftovers.take(work)
    _remember_verdict(work)
    previous = None
    while previous is not work.case.state:
        previous = work.case.state
        _HANDLERS[previous](work)
    barring.go_on(work)
    if work.case.state not in ENDED:
        repairs.go_on(work)
        work.remind(_loudness(work.case))
    return work.finish()


_LOUDNESS = {
    S.EVACUATING: Severity.WARNING,
    S.EVACUATED: Severity.WARNING,
    S.RETURNING: Severity.WARNING,
    S.SOAKING: Severity.INFO,
}


def _loudness(case: model.RecoveryCase) -> Severity:
    """How loudly a case that takes long says what it waits for."""
    if case.state is S.SOAKING and leftovers.undecided(case):
        return Severity.ALARM
    return _LOUDNESS.get(case.state, Severity.ALARM)


def take_over(
    case: model.RecoveryCase, epoch: model.Epoch, now: model.Now
) -> tuple[model.RecoveryCase, Progress]:
    """Make a case of an earlier leader ours. What that leader had begun may
    have happened: a power-off may have been sent, and requests may still be
    on their way."""
    case = dataclasses.replace(
        case,
        epoch=epoch,
        off_sent=case.off_sent or case.state is S.FENCING,
        story=story.longer(
            case.story,
            story.line(now.utc, "case.taken_over", f"in epoch {epoch}"),
        ),
    )
    return case, Progress(taken_over_at=now.mono)


# -- taking in what has happened ---------------------------------------------


def _absorb(work: Work, event: events.Event) -> None:
    match event:
        case events.Fenced(outcome=outcome):
            work.arrived(actions.Fence.__name__)
            fencing_states.absorb(work, outcome)
        case events.PowerRead():
            work.arrived(actions.ReadPower.__name__)
        case events.Surveyed():
            work.arrived(actions.TakeSurvey.__name__)
            intake.absorb_survey(work, event)
        case events.InstanceStirred(instance=instance):
            surveys.look_sooner(work, instance)
        case events.EvacuateAnswered(refused=refused):
            intake.absorb_answer(work, event)
            if refused:
                service_flags.look_after_force_down(work)
        case events.ActionDone(key=key):
            work.arrived(key)
            _absorb_done(work, key)
            repairs.settled(work, key)
        case events.ActionFailed():
            _absorb_failed(work, event)


def _absorb_done(work: Work, key: str) -> None:
    match key:
        case "ForceDown":
            work.update(force_down=Ownership.OURS)
            work.milestone("forced_down")
            work.tell("case.forced_down", "nova-compute is forced down")
        case "Disable":
            work.update(disable=Ownership.OURS)
            work.milestone("disabled")
            work.tell("case.disabled", "nova-compute is disabled")
        case "LiftForceDown":
            work.update(force_down=Ownership.NONE)
        case "Enable":
            work.update(disable=Ownership.NONE)
        case "BarDevices":
            barring.done(work)
        case switching.KEY:
            switching.done(work)


def _absorb_failed(work: Work, event: events.ActionFailed) -> None:
    key, error = event.key, event.error
    work.arrived(key, error or "no reason was given")
    work.later(key, work.world.policy.evacuation_backoff)
    if key == switching.KEY:
        switching.failed(work, error)
    if event.refused:
        repairs.settled(work, key)


def _remember_verdict(work: Work) -> None:
    verdict = work.verdict
    if work.case.state is S.SUSPECTED and verdict != work.case.verdict:
        work.update(verdict=verdict)


# -- what each state waits for -----------------------------------------------


def _fenced(work: Work) -> None:
    if holding.stopped(work):
        return
    if not proof.holds(work):
        surveys.look_again(work)
        return
    case = work.case
    if case.force_down is Ownership.NONE:
        service_flags.intend_force_down(work)
    if work.case.force_down is Ownership.INTENDED:
        service_flags.force_down(work)
        surveys.survey_if_due(work)
        return
    work.enter(S.EVACUATING, "its nova-compute is forced down")


def _evacuating(work: Work) -> None:
    if holding.stopped(work):
        surveys.watch_only(work)
        return
    if not proof.holds(work):
        surveys.look_again(work)
        return
    if work.case.force_down is Ownership.INTENDED:
        service_flags.force_down(work)
    service_flags.disable(work)
    evacuation.go_on(work)


def _partial(work: Work) -> None:
    if (
        holding.stopped(work)
        or proof.in_doubt(work)
        or returning.returned(work)
    ):
        return
    # Its power is nobody's business now: nothing is sent, and an operator
    # may have switched it on to look after what is left. EVACUATING reads
    # it again.
    if settling.revived(work):
        work.enter(S.EVACUATING, "an instance can go on")
        return
    work.wait_for(evacuation.left_behind(work))
    surveys.survey_if_due(work, slowly=True)


def _evacuated(work: Work) -> None:
    if holding.stopped(work) or proof.in_doubt(work):
        return
    if not returning.returned(work):
        switching.go_on(work)


def _ended(work: Work) -> None:
    if work.case.accused:
        return  # closed, it would be forgotten
    work.act_when_due(actions.Close(host=work.case.host, case=work.case.id))


_HANDLERS: Mapping[CaseState, Callable[[Work], None]] = {
    S.SUSPECTED: fencing_states.suspected,
    S.FENCING: fencing_states.fencing,
    S.FENCE_FAILED: fencing_states.fence_failed,
    S.FENCED: _fenced,
    S.EVACUATING: _evacuating,
    S.PARTIAL: _partial,
    S.EVACUATED: _evacuated,
    S.RETURNING: returning.returning_state,
    S.SOAKING: returning.soaking_state,
    S.CLOSED: _ended,
    S.CANCELLED: _ended,
}
