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

"""Switching a host on after its recovery, where that is wanted at all.

Only a host that this very case has switched off is switched on again: one
that was off before, or that somebody else has switched off, stays off.
"""

from nova_ha.core import actions
from nova_ha.core import model
from nova_ha.core.model import PowerOn
from nova_ha.core.model import Severity
from nova_ha.core.work import Work

KEY = actions.PowerOn.__name__


def go_on(work: Work) -> None:
    """Switch the recovered host on, once."""
    if work.case.power_on is PowerOn.NO and _permitted(work):
        work.update(power_on=PowerOn.INTENDED)
    if work.case.power_on is PowerOn.INTENDED and _permitted(work):
        work.act_when_due(
            actions.PowerOn(
                host=work.case.host, case=work.case.id, barred=work.barred
            )
        )


def _permitted(work: Work) -> bool:
    case, evidence = work.case, work.case.evidence
    return (
        work.world.policy.power_on_after_recovery
        and not work.present
        and not case.doubt
        and evidence is not None
        and evidence.commanded
        and work.barred.isdisjoint(evidence.devices)
        and _ours(work)
    )


def _ours(work: Work) -> bool:
    """Nothing that an operator or its own history says keeps it off."""
    view, case = work.view, work.case
    record = None if view is None else view.facts.record
    foreign = model.Ownership.FOREIGN in (case.disable, case.force_down)
    return (
        record is not None
        and not (record.protected or record.maintenance)
        and record.quarantine is None
        and not foreign
    )


def done(work: Work) -> None:
    """A device has accepted it."""
    work.update(power_on=PowerOn.DONE)
    work.wait_for("switched on after its recovery; its agent is waited for")
    work.tell("case.powered_on", work.case.message)


def failed(work: Work, error: str) -> None:
    """It is not tried again: from here on it is the operator's."""
    work.update(power_on=PowerOn.FAILED)
    work.wait_for(
        f"could not be switched on after its recovery: {error}. Switch it on "
        f"yourself (`nova-ha fence on {work.case.host}`)"
    )
    work.tell("case.power_on_failed", work.case.message, Severity.ALARM)
