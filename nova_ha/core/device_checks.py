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

"""Would fencing work? When a host's devices are asked, and what their answers
mean.

A host is asked as soon as it is enrolled, again soon after another engine
began to lead, and from then on at a moment of its own in each interval: a
fleet is never asked all at once.
"""

import datetime
import zlib
from collections.abc import Mapping, Sequence

from nova_ha.core import barring
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core.model import Severity
from nova_ha.core.model import record

FIRST_ROUND = 600.0
"""Seconds in which a new leader asks the whole fleet for the first time."""

FAILING_PAUSE = 600.0
"""Seconds until a host with a device that could not fence is asked again, so
that its repair shows."""

PARALLEL = 4
"""Hosts asked at the same time: fences and the reading of suspects' power use
the same threads."""

WORDS = 300
"""Characters of a device's problem that are kept."""


@record
class Conclusion:
    """What follows from a host's answers."""

    health: model.FencingHealth
    changed: bool
    """It is not what the host's record says."""
    barred: Mapping[str, model.Bar]
    """Devices that control another machine, and are not barred yet."""
    told: tuple[model.AuditEvent, ...]
    """What is to be told once this is kept."""


def wanted(view: liveness.HostView) -> bool:
    """Whether the host's devices matter, and may be spoken to."""
    kept = view.facts.record
    return kept is not None and not kept.protected and not kept.maintenance


def first(
    host: model.HostName,
    kept: model.HostRecord | None,
    began: float,
    interval: float,
) -> float:
    """When a host is first asked by who leads since ``began``: at once where
    nobody has asked before."""
    if kept is not None and kept.fencing is None:
        return began
    return began + _share(host) * min(interval, FIRST_ROUND)


def following(
    host: model.HostName,
    began: float,
    interval: float,
    now: float,
    *,
    failing: bool,
) -> float:
    """When a host that was asked at ``now`` is asked again."""
    phase = began + _share(host) * interval
    # Not right after the first round, which has moments of its own.
    rounds = (now + interval / 2 - phase) // interval + 1
    regular = phase + max(0.0, rounds) * interval
    return min(regular, now + FAILING_PAUSE) if failing else regular


def _share(host: model.HostName) -> float:
    """Where a host is in a round, from 0 to 1; alike for every engine."""
    return zlib.crc32(host.encode()) / 2**32


def conclude(
    kept: model.HostRecord,
    reports: Sequence[model.DeviceReport],
    now: datetime.datetime,
) -> Conclusion:
    """Judge the answers of a host's devices against what is kept."""
    found = _health(kept, reports, now)
    before = kept.fencing
    changed = before is None or not _same(before, found)
    barred = {
        one.device: model.Bar(reason=_words(one.problem), since=now)
        for one in reports
        if one.other_chassis and one.device not in kept.barred
    }
    return Conclusion(
        health=found,
        changed=changed,
        barred=barred,
        told=(
            *_tell_barred(kept.host, barred, reports),
            *(_tell_changes(kept.host, before, found) if changed else ()),
        ),
    )


def _health(
    kept: model.HostRecord,
    reports: Sequence[model.DeviceReport],
    now: datetime.datetime,
) -> model.FencingHealth:
    failing = {
        one.device: _words(
            f"barred: {kept.barred[one.device].reason}"
            if one.device in kept.barred
            else one.problem
        )
        for one in reports
        if one.device and (one.device in kept.barred or not one.ok)
    }
    levels: dict[int, bool] = {}
    for one in reports:
        good = bool(one.device) and one.device not in failing
        levels[one.level] = levels.get(one.level, True) and good
    return model.FencingHealth(
        fenceable=any(levels.values()),
        failing=failing,
        problem=_words(
            "; ".join(one.problem for one in reports if not one.device)
        ),
        since=now,
    )


def _same(one: model.FencingHealth, other: model.FencingHealth) -> bool:
    return (one.fenceable, one.failing, one.problem) == (
        other.fenceable,
        other.failing,
        other.problem,
    )


def _words(text: str) -> str:
    return text[:WORDS]


def _tell_barred(
    host: model.HostName,
    barred: Mapping[str, model.Bar],
    reports: Sequence[model.DeviceReport],
) -> list[model.AuditEvent]:
    return [
        _event(
            "device.barred",
            host,
            f"{one.problem}. {barring.told(host, (one.device,))}",
            Severity.ALARM,
            one.device,
        )
        for one in reports
        if one.device in barred
    ]


def _tell_changes(
    host: model.HostName,
    before: model.FencingHealth | None,
    found: model.FencingHealth,
) -> list[model.AuditEvent]:
    """Each device that fails or works again, and the host as a whole."""
    known = {} if before is None else before.failing
    told = [
        _event(
            "device.failed", host, f"{device}: {why}", Severity.ALARM, device
        )
        for device, why in sorted(found.failing.items())
        if device not in known
    ]
    told += [
        _event("device.ok", host, f"{device} could fence again", device=device)
        for device in sorted(known.keys() - found.failing.keys())
    ]
    could = before is None or before.fenceable
    if could and not found.fenceable:
        why = found.problem or "no level of its devices could"
        told.append(
            _event(
                "host.unfenceable",
                host,
                f"could not be fenced, and so not be recovered: {why}",
                Severity.ALARM,
            )
        )
    elif found.fenceable and not could:
        told.append(_event("host.fenceable", host, "could be fenced again"))
    return told


def _event(
    code: str,
    host: model.HostName,
    message: str,
    severity: Severity = Severity.INFO,
    device: str = "",
) -> model.AuditEvent:
    return model.AuditEvent(
        code=code,
        severity=severity,
        host=host,
        message=message,
        details={"device": device} if device else {},
    )
