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

from collections.abc import Collection, Mapping

from nova_ha.core import model
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


FREE = HostView(schedulable=True)

_MOVING = (CaseState.FENCED, CaseState.EVACUATING)


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
) -> HostView:
    """Judge one host.

    :param verdict: as an engine has published it last.
    :param goodbye_age: seconds since the goodbye, if there is one, was
        first seen; no two machines' clocks are compared.
    """
    if verdict is not None and verdict.case is not None:
        return _not(verdict.message or f"in recovery, case {verdict.case}")
    if facts.record is None:
        # Not ours: a hypervisor without an agent stays as it was.
        return FREE
    if facts.record.maintenance:
        return _not(f"in maintenance: {facts.record.maintenance}")
    if facts.record.quarantine is not None:
        return _not(f"in quarantine: {facts.record.quarantine.reason}")
    if facts.beacon is None:
        return _without_beacon(facts, goodbye_age)
    failed = facts.beacon.failed_checks
    if failed:
        names = ", ".join(check.name for check in failed)
        return _not(f"local checks fail: {names}")
    if verdict is None or verdict.schedulable:
        return FREE
    if verdict.verdict.kind in OF_ABSENCE:
        return FREE
    return _not(verdict.message or verdict.verdict.reason.value)


def _without_beacon(facts: model.HostFacts, goodbye_age: float) -> HostView:
    goodbye = facts.goodbye
    if goodbye is None:
        return _not("its agent is silent")
    if goodbye.reason is not model.GoodbyeReason.STOP:
        return _not(f"its agent said goodbye: {goodbye.reason.value}")
    if goodbye_age > goodbye.ttl:
        return _not("its agent was stopped and has not come back in time")
    # A restart of the agent, for an upgrade perhaps, is no reason to shun
    # a host: its nova-compute goes on.
    return HostView(schedulable=True, reason="its agent is being restarted")


def _not(reason: str) -> HostView:
    return HostView(schedulable=False, reason=reason)
