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

"""What an operator can do about a host or a case; often: nothing."""

import datetime
from collections.abc import Callable, Mapping

from nova_ha.core import leftovers
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from nova_ha.core.model import HostName
from nova_ha.core.model import Reason
from nova_ha.core.model import VerdictKind as Kind

_HOLDS: Mapping[Hold, str] = {
    Hold.DISARMED: "nova-ha arm lets it act",
    Hold.PAUSED: "nova-ha resume lets it go on",
    Hold.STORM: "look for a common cause (switch, network, ZooKeeper); a "
    "host that is dead: switch it off at its device, or nova-ha "
    "confirm-fenced {host}",
    Hold.QUARANTINE: "find out why {host} keeps failing; if it is off: "
    "nova-ha confirm-fenced {host}; to have it fenced like any other: nova-ha "
    "host release {host}",
    Hold.MAINTENANCE: "nova-ha host maintenance off {host} lets it go on",
    Hold.PROTECTED: "it is never fenced: look after it yourself",
    Hold.COORDINATION: "see that ZooKeeper and the engines run",
    Hold.LIFE_AFTER_OFF: "find out which machine the device controls "
    "(nova-ha fence check {host}); see that no instance runs twice; make "
    "sure that {host} is off, then nova-ha confirm-fenced {host}",
    Hold.POWER_UNKNOWN: "mend the device (nova-ha fence check {host}); the "
    "rest waits for it to say off",
    Hold.POWER_ON: "switch {host} off, or correct fencing.yaml if the "
    "device is not its own",
    Hold.UNSAVED: "recover {host} by hand (it has more instances than one "
    "case can hold), then switch it on: its case ends by itself",
}

_STATES: Mapping[CaseState, str] = {
    CaseState.SUSPECTED: "nothing yet: it is being judged",
    CaseState.FENCING: "nothing: its device is being asked to switch it off",
    CaseState.FENCE_FAILED: "nova-ha fence check {host}, and mend what it "
    "names; or make sure yourself that {host} is off, then nova-ha "
    "confirm-fenced {host}",
    CaseState.FENCED: "nothing: leave it switched off",
    CaseState.EVACUATING: "nothing: leave it switched off",
    CaseState.PARTIAL: "nova-ha case show {host} names what was not moved, "
    "and why",
    CaseState.EVACUATED: "repair {host} and switch it on: it returns to "
    "service by itself",
    CaseState.RETURNING: "nothing, if it goes on: it says what it waits for",
    CaseState.CLOSED: "nothing",
    CaseState.CANCELLED: "nothing",
}

_UNDECIDED = (
    "look after what could not be evacuated (nova-ha case show {host}): move "
    "or delete it, or nova-ha host release {host} leaves it there"
)

_VERDICTS: Mapping[Kind, str] = {
    Kind.DEGRADED: "mend what the check names",
    Kind.REBOOTED: "see that its instances run",
    Kind.QUARANTINED: "find out why it keeps failing, then nova-ha host "
    "release {host}",
    Kind.AGENT_LOST: "start nova-ha-agent on {host}: nothing watches it",
    Kind.ISOLATED: "mend the network of {host}: its guests run. Or switch it "
    "off at its device: then it is recovered",
    Kind.DOWN: "see nova-ha case show {host}",
}

_REASONS: Mapping[Reason, str] = {
    Reason.NOT_ENROLLED: "see that its nova-compute is registered in Nova "
    "under this very name, and that an engine leads",
    Reason.NO_SERVICE: "see that its nova-compute is registered in Nova "
    "under this very name",
    Reason.NEVER_SEEN: "start nova-ha-agent on {host}, or see whether it "
    "runs at all",
    Reason.OPERATOR_DISABLED: "nothing, if that is wanted; else `openstack "
    "compute service set --enable {host} nova-compute`",
    Reason.OPERATOR_FORCED_DOWN: "nothing, if that is wanted; else `openstack "
    "compute service set --up {host} nova-compute`",
    Reason.SOURCE_UNREAD: "see that the engine can reach Nova (its log)",
    Reason.OWN_SESSION: "see that ZooKeeper answers the engine (its log)",
}


def for_case(
    case: model.RecoveryCase, now: datetime.datetime, soak_time: float
) -> str:
    """What to do about a case."""
    if case.hold is not None:
        return _HOLDS[case.hold].format(host=case.host)
    if case.state is CaseState.SOAKING:
        if leftovers.undecided(case):
            return _UNDECIDED.format(host=case.host)
        left = max(0.0, soak_time - (now - case.since).total_seconds())
        return f"nothing: back in service in {left:.0f} s if it stays healthy"
    return _STATES[case.state].format(host=case.host)


def for_host(
    host: HostName,
    verdict: model.Verdict,
    facts: model.HostFacts,
    now: datetime.datetime,
) -> str:
    """What to do about a host without a case."""
    if verdict.kind is Kind.AWAY:
        return _away(host, facts, now)
    text = _REASONS.get(verdict.reason) or _VERDICTS.get(
        verdict.kind, "nothing yet: it is being judged"
    )
    return text.format(host=host)


def _away(
    host: HostName, facts: model.HostFacts, now: datetime.datetime
) -> str:
    goodbye = facts.goodbye
    if goodbye is None:
        return "nothing"
    left = goodbye.lasts - (now - goodbye.said_at).total_seconds()
    if left > 0:
        return f"nothing: it is expected back within {left:.0f} s"
    return f"start nova-ha-agent on {host}: it is overdue"


# -- whose word may be taken -------------------------------------------------

_WAITS_FOR_PROOF = frozenset(
    [CaseState.SUSPECTED, CaseState.FENCING, CaseState.FENCE_FAILED]
)

_HELD_FOR_PROOF = frozenset([Hold.LIFE_AFTER_OFF, Hold.STORM, Hold.QUARANTINE])


def why_not_confirm(
    host: HostName,
    case: model.RecoveryCase | None,
    beacon: model.Beacon | None,
    age: Callable[[datetime.datetime | None], str],
) -> str:
    """Why an operator's word that a host is off is not wanted; empty if it
    is."""
    if case is None:
        return (
            f"{host} has no open case: there is nothing to confirm (see "
            "nova-ha status)"
        )
    waits = case.state in _WAITS_FOR_PROOF or case.hold in _HELD_FOR_PROOF
    if not waits:
        return (
            f"case {case.id} is {case.state.value} since "
            f"{age(case.since)} and "
            "does not wait for a proof"
        )
    if beacon is not None:
        return (
            f"the agent of {host} has a beacon: the host is alive, and no "
            "word is taken against that. Switch it off first"
        )
    return ""
