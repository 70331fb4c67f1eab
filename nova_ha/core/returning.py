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

"""The return of a host that has been recovered: back, clean, healthy for the
soak time - and only then in service again."""

from nova_ha.core import actions
from nova_ha.core import holding
from nova_ha.core import leftovers
from nova_ha.core import model
from nova_ha.core import permission
from nova_ha.core import proof
from nova_ha.core import quarantine
from nova_ha.core import settling
from nova_ha.core import surveys
from nova_ha.core import verdict as verdict_mod
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from nova_ha.core.model import MoveState
from nova_ha.core.model import Ownership
from nova_ha.core.model import VerdictKind
from nova_ha.core.work import Work

S = CaseState

CONFIRM = 5.0
"""Seconds until Nova is expected to show a change."""


def returned(work: Work) -> bool:
    """The host is back in a new boot."""
    view = work.view
    if view is None or not view.present:
        return False
    if view.boot_id == work.case.boot_id:
        proof.holds(work)
        return True
    work.remember(reports_at_return=None)
    work.enter(S.RETURNING, "its agent is back in a new boot")
    return True


def returning_state(work: Work) -> None:
    if holding.stopped(work) or _died_again(work):
        return
    waits = settling.not_clean(work)
    if waits:
        work.wait_for(waits)
        surveys.survey_if_due(work)
        return
    view = work.view
    if view is None or view.healthy_since is None:
        work.wait_for("its agent's checks are not all green")
        return
    work.remember(soak_since=work.now.mono)
    work.enter(S.SOAKING, f"healthy; {work.world.policy.soak_time:g} s to go")


def _died_again(work: Work) -> bool:
    """A returned host that is down is fenced like any other."""
    if work.verdict.kind is not VerdictKind.DOWN:
        if work.case.hold in (Hold.STORM, Hold.QUARANTINE):
            work.release()
        return False
    _begin_anew(work)
    if not proof.confirmed(work) and not permission.held(work):
        work.enter(S.FENCING, "it died again")
    return True


def _begin_anew(work: Work) -> None:
    view = work.view
    work.update(
        boot_id=work.case.boot_id if view is None else view.boot_id,
        evidence=None,
        doubt="",
        off_sent=False,
        refencing=False,
        fence_rounds=0,
        surveyed=False,
        accepted=(),
        # A request to take them back may be on its way: set them again.
        force_down=_again(work.case.force_down),
        disable=_again(work.case.disable),
    )


def _again(flag: Ownership) -> Ownership:
    return Ownership.INTENDED if flag is Ownership.OURS else flag


def soaking_state(work: Work) -> None:
    if holding.stopped(work) or _died_again(work):
        return
    view = work.view
    healthy = None if view is None else view.healthy_since
    if healthy is None:
        why = "a check fails" if work.present else "its beacon is gone"
        work.enter(S.RETURNING, f"{why}: the soak starts again")
        return
    start = max(healthy, work.progress.soak_since or work.now.mono)
    work.remember(soak_since=start)
    if work.now.mono - start >= work.world.policy.soak_time:
        _take_back(work)


def _take_back(work: Work) -> None:
    """Undo on Nova's service what this case has set, and nothing else."""
    case = work.case
    mine = (Ownership.OURS, Ownership.INTENDED)
    if case.force_down in mine:
        work.act_when_due(
            actions.LiftForceDown(
                host=case.host, case=case.id, service_id=work.service_id()
            )
        )
    elif leftovers.keep_out(work):
        # Its nova-compute is up by now, so that they can be looked after.
        return
    elif case.disable in mine and not _reason_changed(work):
        _take_back_disable(work)
    elif work.world.quarantine(case.host) is not None:
        work.enter(S.CLOSED, f"back, and in quarantine{_with(case)}")
    else:
        work.enter(S.CLOSED, f"back in service{_with(case)}")


def _with(case: model.RecoveryCase) -> str:
    """Names the instances that it has not moved."""
    stay = (MoveState.FAILED, MoveState.SKIPPED)
    left = tuple(move for move in case.moves if move.state in stay)
    return f", with {leftovers.names(left)} on it" if left else ""


def _take_back_disable(work: Work) -> None:
    case = work.case
    spared = work.world.quarantine(case.host)
    if spared is None:
        work.act_when_due(
            actions.Enable(
                host=case.host, case=case.id, service_id=work.service_id()
            )
        )
    elif work.due("Disable"):
        # Not this case's any more, but the quarantine's. Done when Nova
        # shows it.
        work.act(
            actions.Disable(
                host=case.host,
                case=case.id,
                service_id=work.service_id(),
                reason=quarantine.reason(spared),
            )
        )
        work.later("Disable", CONFIRM)


def _reason_changed(work: Work) -> bool:
    """Somebody else has disabled the service for a reason of his own."""
    service = work.world.fleet.services.get(work.case.host)
    return (
        service is not None
        and service.disabled
        and not service.disabled_reason.startswith(verdict_mod.CASE_REASON)
    )
