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

"""Every step that is told: its code, and what comes with it.

Codes are stable: whoever listens to the log, the bus or the metrics may rely
on them. What each one means is in the documentation (``admin/events``).
"""

import enum
from collections.abc import Iterable, Mapping

from nova_ha.core import model
from nova_ha.core.model import Severity
from nova_ha.core.model import record


class Scope(enum.StrEnum):
    """What a step is about."""

    CLOUD = "cloud"  # neither a host nor a case
    HOST = "host"  # perhaps in the course of a case
    CASE = "case"  # and so of its host


@record
class Kind:
    """One kind of step."""

    code: str
    scope: Scope
    severities: tuple[Severity, ...] = (Severity.INFO,)
    required: frozenset[str] = frozenset()
    """Details that always come with it."""
    optional: frozenset[str] = frozenset()


INFO = (Severity.INFO,)
WARNING = (Severity.WARNING,)
ALARM = (Severity.ALARM,)
ANY = tuple(Severity)

_Row = tuple[str, tuple[Severity, ...]]

_CLOUD: tuple[_Row, ...] = (
    ("control.changed", INFO),
    ("engine.leading", INFO),
    ("engine.stalled", WARNING),
    ("engine.started", INFO),
    ("fencing.accepted", INFO),
    ("fencing.refused", ALARM),
)

_HOST: tuple[_Row, ...] = (
    ("case.unreadable", ALARM),
    ("engine.mistake", ALARM),
    ("host.agent_lost", ALARM),
    ("host.alive", INFO),
    ("host.away", INFO),
    ("host.challenged", WARNING),
    ("host.degraded", WARNING),
    ("host.down", ALARM),
    ("host.enrolled", INFO),
    ("host.fenceable", INFO),
    ("host.hands_off", INFO),
    ("host.in_quarantine", WARNING),
    ("host.isolated", ALARM),
    ("host.protected", WARNING),
    ("host.quarantined", ALARM),
    ("host.rebooted", WARNING),
    ("host.released", INFO),
    ("host.request_refused", WARNING),
    ("host.storage_in_doubt", WARNING),
    ("host.suspected", WARNING),
    ("host.unfenceable", ALARM),
    ("host.would_fence", WARNING),
)

_CASE: tuple[_Row, ...] = (
    ("action.failed", WARNING),
    ("case.accepted", INFO),
    ("case.cancelled", INFO),
    ("case.closed", INFO),
    ("case.disabled", INFO),
    ("case.evacuated", INFO),
    ("case.evacuating", INFO),
    ("case.evidence_void", ALARM),
    ("case.fence_failed", (Severity.WARNING, Severity.ALARM)),
    ("case.fenced", INFO),
    ("case.fencing", (Severity.INFO, Severity.WARNING)),
    ("case.forced_down", INFO),
    ("case.held", WARNING),
    ("case.opened", INFO),
    ("case.partial", ALARM),
    ("case.power_on_failed", ALARM),
    ("case.powered_on", INFO),
    ("case.proven_again", INFO),
    ("case.requested", INFO),
    ("case.resumed", INFO),
    ("case.returning", INFO),
    ("case.soaking", INFO),
    ("case.suspected", INFO),
    ("case.taken_over", INFO),
    ("case.undecided", ALARM),
    ("case.unsaved", (Severity.WARNING, Severity.ALARM)),
    ("case.waiting", ANY),
    ("host.spared", ALARM),
)

_INSTANCE: tuple[_Row, ...] = (
    ("instance.adopted", INFO),
    ("instance.arriving", WARNING),
    ("instance.evacuated", INFO),
    ("instance.evacuating", INFO),
    ("instance.excluded", INFO),
    ("instance.failed", ALARM),
    ("instance.gone", INFO),
    ("instance.held", WARNING),
    ("instance.retry", WARNING),
    ("instance.skipped", WARNING),
)

_OPERATOR: tuple[_Row, ...] = (
    ("operator.device_cleared", INFO),
    ("operator.power_off", INFO),
    ("operator.power_on", INFO),
)


def _kinds(
    rows: Iterable[_Row], scope: Scope, *required: str
) -> Iterable[Kind]:
    for code, severities in rows:
        yield Kind(
            code=code,
            scope=scope,
            severities=severities,
            required=frozenset(required),
        )


_OTHERS = (
    Kind(
        code="case.reserve_used",
        scope=Scope.CASE,
        severities=WARNING,
        required=frozenset(["reserved"]),
    ),
    Kind(
        code="case.reserve_used_up",
        scope=Scope.CASE,
        severities=ALARM,
        required=frozenset(["reserved"]),
    ),
    Kind(
        code="device.barred",
        scope=Scope.HOST,
        severities=ALARM,
        # By the routine check one device; by a case all that spoke as one.
        optional=frozenset(["device", "devices"]),
    ),
    Kind(
        code="device.failed",
        scope=Scope.HOST,
        severities=ALARM,
        required=frozenset(["device"]),
    ),
    Kind(
        code="device.ok",
        scope=Scope.HOST,
        required=frozenset(["device"]),
    ),
    Kind(
        code="instance.unanswered",
        scope=Scope.CASE,
        severities=WARNING,
        optional=frozenset(["instance"]),
    ),
    Kind(
        code="storm.begun",
        scope=Scope.CLOUD,
        severities=ALARM,
        required=frozenset(
            ["allowed", "counted", "failure_domain", "monitored", "rule"]
        ),
    ),
    Kind(
        code="storm.over",
        scope=Scope.CLOUD,
        severities=ALARM,
        required=frozenset(["failure_domain"]),
    ),
)

KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in sorted(
        (
            *_kinds(_CLOUD, Scope.CLOUD),
            *_kinds(_HOST, Scope.HOST),
            *_kinds(_CASE, Scope.CASE),
            *_kinds(_INSTANCE, Scope.CASE, "instance", "state", "target"),
            *_kinds(_OPERATOR, Scope.HOST, "by", "device", "reason", "result"),
            *_OTHERS,
        ),
        key=lambda kind: kind.code,
    )
}
"""By code."""


def problem(event: model.AuditEvent) -> str:
    """Why an event is not what the catalogue promises; empty where it is."""
    kind = KINDS.get(event.code)
    if kind is None:
        return f"{event.code} is not in the catalogue"
    details = event.details.keys()
    found = [
        *(f"no {name}" for name in _missing(event, kind.scope)),
        *(f"no detail {name}" for name in sorted(kind.required - details)),
        *(
            f"unknown detail {name}"
            for name in sorted(details - kind.required - kind.optional)
        ),
    ]
    if event.severity not in kind.severities:
        found.append(f"severity {event.severity.value}")
    return f"{event.code}: {', '.join(found)}" if found else ""


def _missing(event: model.AuditEvent, scope: Scope) -> Iterable[str]:
    if scope is not Scope.CLOUD and event.host is None:
        yield "host"
    if scope is Scope.CASE and event.case is None:
        yield "case"
