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

"""From the suspicion to the proof: what a case does before anything of its
host may be moved, part of :mod:`nova_ha.core.recovery`."""

from nova_ha.core import actions
from nova_ha.core import barring
from nova_ha.core import holding
from nova_ha.core import model
from nova_ha.core import permission
from nova_ha.core import proof
from nova_ha.core import sources
from nova_ha.core import verdict as verdict_mod
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from nova_ha.core.model import Ownership
from nova_ha.core.model import Severity
from nova_ha.core.model import VerdictKind
from nova_ha.core.work import Work

S = CaseState

KEPT_ATTEMPTS = 50
"""How many calls of devices a case keeps: the latest."""


# -- what each state waits for -----------------------------------------------


def suspected(work: Work) -> None:
    """SUSPECTED: evidence is collected."""
    verdict = work.verdict
    if not work.world.fleet.connected:
        work.hold(Hold.COORDINATION, verdict_mod.EXPLAIN[verdict.reason])
        return
    if not verdict_mod.suspect(verdict):
        work.enter(S.CANCELLED, verdict_mod.EXPLAIN[verdict.reason])
        return
    if proof.confirmed(work):
        return
    stopped = work.world.stopped
    if stopped is not None:
        work.hold(stopped, _switch(stopped, work.case.host))
    elif verdict.kind is not VerdictKind.DOWN:
        work.release()
        work.wait_for(verdict_mod.EXPLAIN[verdict.reason])
        proof.ask_device(work)
    else:
        _fence_if_permitted(work)


def _switch(hold: Hold, host: model.HostName) -> str:
    remedy = "nova-ha resume" if hold is Hold.PAUSED else "nova-ha arm"
    return f"{hold.value}: would fence {host}; `{remedy}` lets it"


def _fence_if_permitted(work: Work) -> None:
    if not permission.held(work) and work.due(actions.Fence.__name__):
        work.release()
        work.enter(S.FENCING, verdict_mod.EXPLAIN[work.verdict.reason])


def fencing(work: Work) -> None:
    """FENCING: a round through the levels is under way."""
    case = work.case
    if actions.Fence.__name__ in work.progress.pending or holding.stopped(
        work
    ):
        return
    view = work.view
    if not case.refencing:
        if view is not None and view.nova is None and not view.unlisted:
            work.wait_for("Nova has not been read yet")
            return
        if not verdict_mod.suspect(work.verdict):
            _evidence_gone(work)
            return
    work.act_when_due(
        actions.Fence(
            host=case.host,
            case=case.id,
            boot_id=case.boot_id,
            refencing=case.refencing,
            service=None if view is None else view.service,
            signs=_signs(work),
            goodbye=None if view is None else view.facts.goodbye,
            barred=work.barred,
            system_uuid=work.system_uuid,
        )
    )


def _signs(work: Work) -> dict[str, sources.Value]:
    """What may not change until the power-off. Of a host that is fenced for
    being cut off, it is known that it lives."""
    view = work.view
    if view is None or work.verdict.reason is model.Reason.ISOLATED:
        return {}
    return {
        name: source.value
        for name, source in view.sources.items()
        if name != sources.NOVA
    }


def _evidence_gone(work: Work) -> None:
    """What the decision to fence rested on no longer holds."""
    why = verdict_mod.EXPLAIN[work.verdict.reason]
    if not work.case.off_sent:
        _life_before_off(work, why)
    elif work.case.state is S.FENCING:
        work.enter(S.FENCE_FAILED, why, Severity.WARNING)
    elif work.present:
        _alive_after_failed_fence(work)
    else:
        work.wait_for(why)


def fence_failed(work: Work) -> None:
    """FENCE_FAILED: the next round, or the operator, is waited for."""
    if holding.stopped(work):
        return
    if not work.case.refencing and not verdict_mod.suspect(work.verdict):
        _evidence_gone(work)
        return
    if proof.confirmed(work) or proof.device_off(work):
        return
    if work.case.fence_rounds >= work.world.policy.fence_rounds:
        # No more power-offs; the device's word or the operator's still
        # counts.
        proof.ask_device(work)
    elif work.due(actions.Fence.__name__):
        work.enter(S.FENCING, "all levels again")


def _alive_after_failed_fence(work: Work) -> None:
    view = work.view
    since = None if view is None else view.beacon_since
    if since is None:
        return
    if work.now.mono - since >= work.world.policy.soak_time:
        # A power-off that was accepted may take effect late; after the
        # soak time it has not.
        _life_before_off(work, "its beacon is back and stays")


# -- what has become of a fence ----------------------------------------------


def absorb(work: Work, outcome: model.FenceOutcome) -> None:
    """Take in the end of a round."""
    case = work.case
    work.update(
        attempts=(*case.attempts, *outcome.attempts)[-KEPT_ATTEMPTS:],
        off_sent=case.off_sent or outcome.off_sent,
    )
    if outcome.other_chassis:
        barring.accuse(
            work, outcome.other_chassis, "it controls another machine"
        )
    if case.state is not S.FENCING:
        return
    if outcome.evidence is not None:
        proof.prove(work, outcome.evidence)
    elif outcome.aborted:
        _absorb_abort(work, outcome)
    else:
        _another_round(work, outcome.error)


def _absorb_abort(work: Work, outcome: model.FenceOutcome) -> None:
    if outcome.alive and not work.case.off_sent:
        _life_before_off(work, outcome.aborted)
    elif work.case.off_sent:
        # No round of ours: what forbade it may pass by itself.
        work.later(actions.Fence.__name__, work.world.policy.fence_backoff)
        work.enter(S.FENCE_FAILED, outcome.aborted, Severity.WARNING)
    else:
        work.later(actions.Fence.__name__, 1.0)
        work.enter(S.SUSPECTED, outcome.aborted)


def _life_before_off(work: Work, why: str) -> None:
    """Cancel - or, where the host had already been recovered once in this
    case, go back to watching its return."""
    ours = (Ownership.INTENDED, Ownership.OURS)
    if work.case.force_down in ours or work.case.disable in ours:
        work.update(refencing=False)
        work.remember(reports_at_return=None, survey=None)
        work.enter(S.RETURNING, why)
        return
    work.enter(S.CANCELLED, why)


def _another_round(work: Work, error: str) -> None:
    policy = work.world.policy
    rounds = work.case.fence_rounds + 1
    pause = min(
        policy.fence_backoff * 2 ** (rounds - 1), policy.fence_backoff_max
    )
    work.update(fence_rounds=rounds)
    work.later(actions.Fence.__name__, pause)
    remedy = (
        f"check the device with `nova-ha fence check {work.case.host}`, or, "
        "if you know that the host is off: "
        f"`nova-ha confirm-fenced {work.case.host}`"
    )
    work.enter(
        S.FENCE_FAILED,
        f"round {rounds}: {error}. Nothing is evacuated. {remedy}",
        severity=Severity.ALARM,
    )
