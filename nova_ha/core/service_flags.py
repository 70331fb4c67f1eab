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

"""The two flags on a dead host's nova-compute, part of
:mod:`nova_ha.core.recovery`: forced down, so that Nova evacuates at once, and
disabled, so that it gets nothing when it comes back. Whose they are is saved
before they are set."""

from nova_ha.core import actions
from nova_ha.core import verdict as verdict_mod
from nova_ha.core.model import Ownership
from nova_ha.core.work import Work


def intend_force_down(work: Work) -> None:
    """Decide whose the force-down is; one that is there is not ours."""
    view = work.view
    service = None if view is None else view.service
    foreign = service is not None and service.forced_down
    work.update(
        service_id=work.service_id(),
        force_down=Ownership.FOREIGN if foreign else Ownership.INTENDED,
    )


def force_down(work: Work) -> None:
    """Ask Nova for it."""
    work.act_when_due(
        actions.ForceDown(
            host=work.case.host,
            case=work.case.id,
            service_id=work.service_id(),
        )
    )


def look_after_force_down(work: Work) -> None:
    """Somebody has lifted it: then Nova takes the dead host to be alive for
    a minute, and refuses to evacuate it."""
    service = work.world.fleet.services.get(work.case.host)
    if service is None or service.forced_down:
        return
    if work.case.force_down is Ownership.OURS:
        work.update(force_down=Ownership.INTENDED)


def disable(work: Work) -> None:
    """Decide whose the disable is, and ask Nova for ours."""
    case, view = work.case, work.view
    if case.disable is Ownership.NONE:
        service = None if view is None else view.service
        reason = "" if service is None else service.disabled_reason
        foreign = (
            service is not None
            and service.disabled
            and not reason.startswith(verdict_mod.CASE_REASON)
        )
        work.update(
            disable=Ownership.FOREIGN if foreign else Ownership.INTENDED
        )
    if work.case.disable is Ownership.INTENDED and work.due("Disable"):
        work.act(
            actions.Disable(
                host=case.host,
                case=case.id,
                service_id=work.service_id(),
                reason=f"{verdict_mod.CASE_REASON}{case.id}",
            )
        )
