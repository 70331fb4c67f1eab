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

"""A whole failure domain that falls silent: is it the power, or the switch?

Hosts of one rack share both, and to the engine they look the same. If it was
the switch, the guests run on and would be shot for nothing. So when *all*
hosts of a domain have gone at once, silence is one sign and not many. Whoever
reads off at his device is recovered; of the others each waits for a second
sign, from a source that does not go through that switch, or for the operator.
"""

from collections.abc import Collection, Mapping

from nova_ha.core import brake
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import sources
from nova_ha.core.model import Reason
from nova_ha.core.model import VerdictKind as Kind

LEAST = 2
"""A domain of one host has nothing in common with anybody."""

_NOT_COUNTED = frozenset([Kind.AWAY, Kind.HANDS_OFF])
"""Of a host that may be silent on purpose, silence says nothing."""

_HEARD = frozenset([Kind.AGENT_LOST, Kind.ISOLATED])


def blocks(
    view: liveness.HostView,
    fleet: fleet_mod.Fleet,
    verdicts: Mapping[model.HostName, model.Verdict],
    cases: Mapping[model.HostName, model.RecoveryCase],
    policy: policy_mod.Policy,
) -> brake.Block | None:
    """Whether a host that does not read off is held for its domain's sake."""
    domain = domain_of(view)
    members = [
        fleet.views[host]
        for host in fleet.roster.domains.get(domain, ())
        if host in verdicts and verdicts[host].kind not in _NOT_COUNTED
    ]
    if len(members) < LEAST or not all(
        _silent(one, verdicts[one.host]) for one in members
    ):
        return None
    case = cases.get(view.host)
    known = case is not None and case.silent_domain == domain
    if not known and not _at_once(view, members, cases, policy):
        return None
    if second_sign(view, policy):
        return None
    return brake.Block(
        rule=model.BrakeRule.FAILURE_DOMAIN,
        domain=domain,
        message=f"all {len(members)} hosts of failure domain {domain} fell "
        "silent at once, so it may be their switch: "
        f"{brake.names([one.host for one in members])}. Whoever does not "
        "read off waits for a second sign",
    )


def domain_of(view: liveness.HostView) -> str:
    """The failure domain of a host; empty where none is set."""
    return (
        "" if view.facts.record is None else view.facts.record.failure_domain
    )


def _silent(view: liveness.HostView, verdict: model.Verdict) -> bool:
    return (
        not view.present
        and verdict.kind not in _HEARD
        and verdict.reason is not Reason.LIFE_SEEN
    )


def _at_once(
    view: liveness.HostView,
    members: Collection[liveness.HostView],
    cases: Mapping[model.HostName, model.RecoveryCase],
    policy: policy_mod.Policy,
) -> bool:
    """Whether another one of the domain went together with the host. A host
    that has been out for repair since last week did not."""
    return any(
        one.host != view.host
        and _near(view.lost_at, one.lost_at, policy.brake_window)
        and not (one.settling and _recovered(cases.get(one.host)))
        for one in members
    )


def _near(one: float | None, other: float | None, seconds: float) -> bool:
    return (
        one is not None and other is not None and abs(one - other) <= seconds
    )


def _recovered(case: model.RecoveryCase | None) -> bool:
    """It was dealt with before this engine looked for the first time, so
    that when it went is not known here."""
    return case is not None and case.evidence is not None


def second_sign(view: liveness.HostView, policy: policy_mod.Policy) -> bool:
    """Whether a source beside Nova's report, which goes the way of the
    beacon, was seen to move before and is silent by now."""
    lost_at = view.lost_at
    return lost_at is not None and any(
        source.moves > 0
        and source.looked_at >= lost_at
        and source.silent(policy.silence_factor, policy.assumed_gap)
        for name, source in view.sources.items()
        if name != sources.NOVA
    )
