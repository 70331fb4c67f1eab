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

"""Whether a host may get new instances: what filters and the CLI show.

It has to be right without any engine. So it is judged from the same facts,
and the engine's published verdict only adds what they do not show.
"""

from collections.abc import Collection, Iterable, Mapping

from nova_ha.core import model
from nova_ha.core import storage
from nova_ha.core.model import CaseState
from nova_ha.core.model import VerdictKind
from nova_ha.core.model import record

OF_ABSENCE = (
    VerdictKind.UNKNOWN,
    VerdictKind.AGENT_LOST,
    VerdictKind.ISOLATED,
    VerdictKind.DOWN,
    VerdictKind.AWAY,
)
"""Verdicts on a host whose beacon is missing. A beacon refutes them, even if
no engine runs that could take them back."""


@record
class HostView:
    """What is to be done with a host by a scheduler, and why."""

    schedulable: bool
    reason: str = ""
    absent: bool = False
    """Its agent is gone, and nothing else speaks for the host: what leaves
    it now is evacuated."""
    reserved: bool = False
    """For evacuated instances only."""
    failure_domain: str = ""
    storage_domain: str = ""
    storage_doubt: str = ""
    """Why it shares its instances' disks with nobody, though it has a
    storage domain: see :func:`storage.of`."""
    stability: float = 1.0
    """See :func:`stability.of`."""


FREE = HostView(schedulable=True)

_RESTARTING = "its agent is being restarted"

_ELSEWHERE = (VerdictKind.AGENT_LOST, VerdictKind.ISOLATED)

_MOVING = (CaseState.FENCED, CaseState.EVACUATING)

_EMPTIED = (*_MOVING, CaseState.PARTIAL, CaseState.EVACUATED)
"""Its host is proven to be off, and has not been seen back."""

_UNDERWAY = (*_MOVING, CaseState.PARTIAL)


def evacuated_from(
    hosts: Mapping[model.HostName, HostView],
    recoveries: Mapping[model.HostName, model.PublishedVerdict],
    instance: model.InstanceId,
    leaving: Collection[model.HostName],
) -> model.HostName | None:
    """The host that a request evacuates ``instance`` from; None: from none.

    Nova marks an evacuation by nothing but the host that it must not end on,
    and so it does every migration. But a migration needs its source alive.
    So what leaves a host that is not there is an evacuation, whoever has
    asked for it; and so is what an engine has announced to send elsewhere.

    :param leaving: the hosts that the request may not end on.
    """
    for source in leaving:
        published = recoveries.get(source)
        if published is not None and (
            instance in published.targets or published.case_state in _EMPTIED
        ):
            return source
        known = hosts.get(source)
        if known is not None and known.absent:
            return source
    return None


def arrivals(
    recoveries: Iterable[model.PublishedVerdict],
) -> dict[model.HostName, frozenset[model.InstanceId]]:
    """Which instances of hosts in recovery each host is to get, or has got
    since the recovery began."""
    found: dict[model.HostName, set[model.InstanceId]] = {}
    for published in recoveries:
        if published.case_state in _UNDERWAY:
            for instance, target in published.targets.items():
                found.setdefault(target, set()).add(instance)
    return {host: frozenset(expected) for host, expected in found.items()}


def destinations(
    recoveries: Mapping[model.HostName, model.PublishedVerdict],
    instance: model.InstanceId,
    leaving: Collection[model.HostName],
    *,
    named: bool,
) -> frozenset[model.HostName] | None:
    """Where a request to move ``instance`` may go; None: anywhere.

    Nova accepts the evacuation of an instance twice, and with a scheduler
    that chooses, twice means two hosts and two live guests. So while a host
    is in recovery, every request to evacuate one of its instances, whoever
    sent it, goes where the engine has announced to send it. One that comes
    before the engine has chosen is refused, unless it names a host: that may
    be the engine's own, of which this view has not heard yet.

    :param recoveries: what is published of hosts with an open case.
    :param leaving: the hosts that the request may not end on: of an
        evacuation, its source.
    :param named: the request names a host itself.
    """
    for source in leaving:
        published = recoveries.get(source)
        if published is None:
            continue
        target = published.targets.get(instance)
        if target is not None:
            return frozenset([target])
        if published.case_state in _MOVING and not named:
            return frozenset()
    return None


def judge(
    facts: model.HostFacts,
    verdict: model.PublishedVerdict | None = None,
    goodbye_age: float = 0.0,
    stability: float = 1.0,
) -> HostView:
    """Judge one host.

    :param verdict: as an engine has published it last.
    :param goodbye_age: seconds since the goodbye, if there is one, was
        first seen; no two machines' clocks are compared.
    :param stability: of :func:`stability.of`.
    """
    reason = _objection(facts, verdict, goodbye_age)
    kept = facts.record
    if kept is None:
        # Not ours: a hypervisor without an agent stays as it was.
        return _not(reason) if reason else FREE
    disks = storage.of(facts)
    restarting = facts.beacon is None and _restarts(facts, goodbye_age)
    return HostView(
        schedulable=not reason,
        reason=reason or (_RESTARTING if restarting else ""),
        absent=facts.beacon is None and not restarting and not _heard(verdict),
        reserved=kept.reserved,
        failure_domain=kept.failure_domain,
        storage_domain=disks.domain,
        storage_doubt=disks.doubt,
        stability=stability,
    )


def _objection(
    facts: model.HostFacts,
    verdict: model.PublishedVerdict | None,
    goodbye_age: float,
) -> str:
    """Why a host is not to get instances; empty if it may."""
    if verdict is not None and verdict.case is not None:
        return verdict.message or f"in recovery, case {verdict.case}"
    if facts.record is None:
        return ""
    if facts.record.maintenance:
        return f"in maintenance: {facts.record.maintenance}"
    if facts.record.quarantine is not None:
        return f"in quarantine: {facts.record.quarantine.reason}"
    if facts.beacon is None:
        return _of_absence(facts, goodbye_age)
    failed = facts.beacon.failed_checks
    if failed:
        names = ", ".join(check.name for check in failed)
        return f"local checks fail: {names}"
    return _of_verdict(verdict)


def _of_verdict(verdict: model.PublishedVerdict | None) -> str:
    """What an engine objects to in a host whose agent is there."""
    if verdict is None or verdict.schedulable:
        return ""
    if verdict.verdict.kind in OF_ABSENCE:
        return ""
    return verdict.message or verdict.verdict.reason.value


def _of_absence(facts: model.HostFacts, goodbye_age: float) -> str:
    goodbye = facts.goodbye
    if goodbye is None:
        return "its agent is silent"
    if _restarts(facts, goodbye_age):
        return ""
    if goodbye.reason is not model.GoodbyeReason.STOP:
        return f"its agent said goodbye: {goodbye.reason.value}"
    return "its agent was stopped and has not come back in time"


def _restarts(facts: model.HostFacts, goodbye_age: float) -> bool:
    """A restart of the agent, for an upgrade perhaps, is no reason to shun a
    host: its nova-compute goes on."""
    goodbye = facts.goodbye
    return (
        goodbye is not None
        and goodbye.reason is model.GoodbyeReason.STOP
        and goodbye_age <= goodbye.lasts
    )


def _heard(verdict: model.PublishedVerdict | None) -> bool:
    """An engine hears of the host from another source than its agent."""
    return verdict is not None and verdict.verdict.kind in _ELSEWHERE


def _not(reason: str) -> HostView:
    return HostView(schedulable=False, reason=reason)
