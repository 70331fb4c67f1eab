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

"""Hosts that keep failing: counted, put into quarantine, and let out again.

A recovery helps once. A host that dies again and again is sick, and each
further recovery moves guests back and forth, with an outage each time. So
after ``flap_count`` deaths within ``flap_window`` it gets no instances any
more, and is not fenced by itself again, until an operator releases it or it
has been healthy for ``quarantine_time``.

A death is counted when it is proven (the case says so), or when the host shows
a new boot that nobody had planned. The times are stored in the host's record,
where they survive closed cases, a trimmed history and every leader. They are
UTC, and compared with one another only: over an hour the clocks of engines
agree well enough, and an error does no more than to tell a quarantine early or
late. Health, which ends it, is measured on one leader's monotonic clock.
"""

import dataclasses
import datetime
from collections.abc import Iterable

from nova_ha.core import deeds
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import verdict as verdict_mod
from nova_ha.core.model import CaseState

KEPT = 20
"""How many incidents a record keeps: the newest."""


def with_incident(
    record: model.HostRecord, at: datetime.datetime
) -> tuple[datetime.datetime, ...]:
    """The incidents of a record and one more; the same one counts once."""
    return tuple(sorted({*record.incidents, at}))[-KEPT:]


def released(record: model.HostRecord) -> model.HostRecord:
    """The record without its quarantine, and without what led to it."""
    return dataclasses.replace(record, incidents=(), quarantine=None)


def due(record: model.HostRecord, policy: policy_mod.Policy) -> str:
    """Why a host belongs into quarantine by now; empty if it does not."""
    count, times = policy.flap_count, record.incidents
    if record.quarantine is not None or not 0 < count <= len(times):
        return ""
    span = (times[-1] - times[-count]).total_seconds()
    if span > policy.flap_window:
        return ""
    return f"{count} deaths within {span:.0f} s"


def reason(quarantine: model.Quarantine) -> str:
    """With which nova-compute is disabled."""
    return f"{verdict_mod.QUARANTINE_REASON}: {quarantine.reason}"


def crashed(case: model.RecoveryCase | None) -> bool:
    """Whether an unplanned boot that was just seen is a death of its own, and
    not the return of a host whose death has been counted."""
    return case is None or case.state in (
        CaseState.SUSPECTED,
        CaseState.CANCELLED,
        CaseState.RETURNING,
        CaseState.SOAKING,
        CaseState.CLOSED,
    )


def wanted(
    view: liveness.HostView,
    case: model.RecoveryCase | None,
    crashes: Iterable[datetime.datetime],
    policy: policy_mod.Policy,
    now: model.Now,
) -> deeds.Deed | None:
    """What is to be done about a host next. Level-triggered: it is asked
    again until the record and Nova show it done.

    :param crashes: when this leader saw the host crash and come back.
    """
    record = view.facts.record
    if record is None:
        return None
    for at in _deaths(case, crashes):
        if with_incident(record, at) != record.incidents:
            return deeds.Count(at=at)
    why = due(record, policy)
    if why:
        return deeds.Begin(
            quarantine=model.Quarantine(reason=why, since=now.utc)
        )
    if record.quarantine is None:
        return None if case is not None else _enable(view, record)
    if _healed(view, policy, now):
        return deeds.End()
    return None if case is not None else _disable(view, record.quarantine)


def _deaths(
    case: model.RecoveryCase | None, crashes: Iterable[datetime.datetime]
) -> list[datetime.datetime]:
    proven = None if case is None else case.died_at
    return [*crashes] if proven is None else [proven, *crashes]


def _healed(
    view: liveness.HostView, policy: policy_mod.Policy, now: model.Now
) -> bool:
    return (
        policy.quarantine_time > 0
        and view.healthy_since is not None
        and now.mono - view.healthy_since >= policy.quarantine_time
    )


def _disable(
    view: liveness.HostView, quarantine: model.Quarantine
) -> deeds.Deed | None:
    """A host that crashed by itself had no case to disable its service."""
    service = view.service
    if service is None or service.disabled or not view.present:
        return None
    return deeds.Disable(
        service_id=service.service_id, reason=reason(quarantine)
    )


def _enable(
    view: liveness.HostView, record: model.HostRecord
) -> deeds.Deed | None:
    """Take back what the quarantine has left; an operator's own disable has
    another reason."""
    service = view.service
    ours = (
        service is not None
        and service.disabled
        and service.disabled_reason.startswith(verdict_mod.QUARANTINE_REASON)
    )
    if service is None or not ours or record.maintenance or not view.present:
        return None
    return deeds.Enable(service_id=service.service_id)
