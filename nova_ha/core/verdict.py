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

"""Who is dead, and why we think so: evidence to verdict.

A vanished session means *unknown*, not *dead*. The order of the rules below
is the order of trust: our own doubt first, then what an operator has said,
then the host's own agent, then planned absence, then devices, then silence.
"""

from collections.abc import Sequence

from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import sources as sources_mod
from nova_ha.core import texts
from nova_ha.core import transitions
from nova_ha.core.model import Reason
from nova_ha.core.model import Verdict
from nova_ha.core.model import VerdictKind as Kind

EXPLAIN = {
    Reason.BEACON: "its agent's session is alive",
    Reason.CHECKS_FAILED: "its agent is alive, but local checks fail",
    Reason.QUARANTINE: "it has failed too often and is in quarantine",
    Reason.NEW_BOOT: "it has crashed and come back by itself",
    Reason.GOODBYE: "its agent has said goodbye for a while",
    Reason.PROTECTED: "it is protected and must never be fenced",
    Reason.MAINTENANCE: "an operator has it in maintenance",
    Reason.OPERATOR_DISABLED: "an operator has disabled its nova-compute",
    Reason.OPERATOR_FORCED_DOWN: "an operator has forced its nova-compute "
    "down",
    Reason.NOT_ENROLLED: "it is not enrolled",
    Reason.OWN_SESSION: "this engine has no reliable view of ZooKeeper",
    Reason.NEVER_SEEN: "nothing is known of it yet",
    Reason.WINDOW: "its beacon is gone; waiting for the confirmation window",
    Reason.SOURCE_UNREAD: "its beacon is gone; Nova has not been read since",
    Reason.SOURCE_NOT_SILENT: "its beacon is gone; another source of "
    "evidence is not silent yet",
    Reason.SOURCE_MOVES: "its beacon is gone, but its nova-compute reports: "
    "the agent is lost, not the host",
    Reason.ISOLATED: "its beacon is gone and its nova-compute is silent, but "
    "another source shows that it runs: cut off, not dead",
    Reason.LIFE_SEEN: "its beacon is gone, but the last look before a "
    "power-off showed life",
    Reason.NO_SERVICE: "its beacon is gone, and Nova shows no nova-compute "
    "of this name: deleted, or its cell does not answer",
    Reason.ALL_SILENT: "its beacon is gone and all sources are silent",
    Reason.POWER_OFF: "its beacon is gone and its fence device reads off",
}
"""One sentence a reason, as operators read it."""

CASE_REASON = "nova-ha: case "
"""Prefix of the reason with which nova_ha disables a service."""

QUARANTINE_REASON = "nova-ha: quarantine"
"""The same, of a host that has failed too often."""

AUTO_REASON = "AUTO:"
"""Prefix of the reason with which nova-compute disables itself (its libvirt
driver does when it loses libvirt): no operator has spoken."""


def judge(
    view: liveness.HostView,
    case: model.RecoveryCase | None,
    policy: policy_mod.Policy,
    now: float,
    *,
    connected: bool,
) -> Verdict:
    """Combine all evidence about one host.

    :param case: the host's open case; flags on its service that the case
        owns are not an operator's.
    :param now: seconds, monotonic.
    :param connected: the engine's own view of ZooKeeper is reliable.
    """
    if not connected:
        return Verdict(kind=Kind.UNKNOWN, reason=Reason.OWN_SESSION)
    record = view.facts.record
    if record is not None and record.maintenance:
        return _hands_off(Reason.MAINTENANCE, record.maintenance)
    if view.facts.beacon is not None:
        return _judge_present(view, view.facts.beacon, policy, now)
    if record is None:
        return _hands_off(Reason.NOT_ENROLLED)
    if record.protected:
        return _hands_off(Reason.PROTECTED, record.protected)
    return _judge_missing(view, case, policy, now)


_LASTING = frozenset(
    [Kind.ALIVE, Kind.DEGRADED, Kind.QUARANTINED, Kind.HANDS_OFF]
)


def lasts(verdict: Verdict) -> bool:
    """Whether it stands until something is heard; others may change by time
    alone. Our own doubt ends with a complete read, and so with news of all."""
    return verdict.kind in _LASTING or verdict.reason is Reason.OWN_SESSION


def _hands_off(reason: Reason, detail: str = "") -> Verdict:
    return Verdict(kind=Kind.HANDS_OFF, reason=reason, detail=detail)


def _judge_present(
    view: liveness.HostView,
    beacon: model.Beacon,
    policy: policy_mod.Policy,
    now: float,
) -> Verdict:
    kept = view.facts.record
    if kept is not None and kept.quarantine is not None:
        return Verdict(
            kind=Kind.QUARANTINED,
            reason=Reason.QUARANTINE,
            detail=kept.quarantine.reason,
        )
    rebooted = view.rebooted_at
    if rebooted is not None and now - rebooted < policy.soak_time:
        return Verdict(kind=Kind.REBOOTED, reason=Reason.NEW_BOOT)
    failed = beacon.failed_checks
    if failed:
        detail = texts.clip(
            "; ".join(f"{check.name}: {check.detail}" for check in failed)
        )
        return Verdict(
            kind=Kind.DEGRADED, reason=Reason.CHECKS_FAILED, detail=detail
        )
    return Verdict(kind=Kind.ALIVE, reason=Reason.BEACON)


def _judge_missing(
    view: liveness.HostView,
    case: model.RecoveryCase | None,
    policy: policy_mod.Policy,
    now: float,
) -> Verdict:
    if away(view, now) and not _by_hand(case):
        goodbye = view.facts.goodbye
        reason = "" if goodbye is None else goodbye.reason.value
        return Verdict(kind=Kind.AWAY, reason=Reason.GOODBYE, detail=reason)
    foreign = operator_flag(view.service, case)
    if foreign is not None:
        return foreign
    if view.lost_at is None:
        return Verdict(kind=Kind.UNKNOWN, reason=Reason.NEVER_SEEN)
    doubted = view.doubted_at
    if doubted is not None and now - doubted < policy.window:
        return Verdict(kind=Kind.UNKNOWN, reason=Reason.LIFE_SEEN)
    if reads_off(view):
        return Verdict(
            kind=Kind.DOWN,
            reason=Reason.POWER_OFF,
            detail="" if view.power is None else view.power.device,
        )
    return _judge_silence(view, view.lost_at, policy, now)


def away(view: liveness.HostView, now: float) -> bool:
    """Whether the host's agent left on purpose and is not overdue."""
    goodbye, since = view.facts.goodbye, view.goodbye_since
    return (
        goodbye is not None
        and since is not None
        and now - since < goodbye.lasts
    )


def operator_flag(
    service: model.ServiceReport | None, case: model.RecoveryCase | None
) -> Verdict | None:
    """An operator's own disable or force-down means: hands off."""
    if service is None or _begun(case):
        # What the case set itself is recorded in it, and what others set
        # later stays theirs.
        return None
    if service.forced_down and not service.disabled_reason.startswith(
        CASE_REASON
    ):
        return _hands_off(Reason.OPERATOR_FORCED_DOWN)
    if service.disabled and not service.disabled_reason.startswith(
        (AUTO_REASON, CASE_REASON, QUARANTINE_REASON)
    ):
        return _hands_off(Reason.OPERATOR_DISABLED, service.disabled_reason)
    return None


def _begun(case: model.RecoveryCase | None) -> bool:
    """Whether a case may have touched its host. One that is only suspicious
    has set nothing, and may have been opened before Nova could be read."""
    return case is not None and (
        _by_hand(case)
        or case.off_sent
        or case.state is not model.CaseState.SUSPECTED
    )


def _by_hand(case: model.RecoveryCase | None) -> bool:
    """An operator knows the host to be dead: neither its agent's goodbye nor
    a flag on its nova-compute says otherwise. Signs of life do, and a return
    ends it."""
    return (
        case is not None
        and case.request is not None
        and case.state not in transitions.BACK
    )


def reads_off(view: liveness.HostView) -> bool:
    """Whether the device read off in a look begun after the beacon went, and
    no source has moved for the host since: that reading perishes too, while
    a case is held by a storm or a pause."""
    moved = any(
        source.moved_since(view.power_began)
        for source in view.sources.values()
    )
    return (
        view.lost_at is not None
        and view.power is not None
        and view.power.state is model.PowerState.OFF
        and view.power_began >= view.lost_at
        and not moved
        and not _by_barred(view, view.power)
    )


def _by_barred(view: liveness.HostView, power: model.PowerReading) -> bool:
    """Whether a device that has lied is among those that said so."""
    record = view.facts.record
    return record is not None and not record.barred.keys().isdisjoint(
        power.devices
    )


def _judge_silence(
    view: liveness.HostView,
    lost_at: float,
    policy: policy_mod.Policy,
    now: float,
) -> Verdict:
    nova = view.nova
    if view.unlisted:
        return Verdict(kind=Kind.UNKNOWN, reason=Reason.NO_SERVICE)
    if nova is None or nova.looked_at < lost_at:
        return Verdict(kind=Kind.UNKNOWN, reason=Reason.SOURCE_UNREAD)
    if not nova.silent(policy.silence_factor, policy.assumed_gap):
        if nova.moved_since(lost_at):
            return Verdict(kind=Kind.AGENT_LOST, reason=Reason.SOURCE_MOVES)
        return _not_silent(sources_mod.NOVA)
    contrary = _judge_others(view, lost_at, policy, now)
    if contrary is not None and contrary.kind is not Kind.DOWN:
        return contrary
    window = policy.settle if view.settling else policy.window
    if now - lost_at < window:
        return Verdict(kind=Kind.UNKNOWN, reason=Reason.WINDOW)
    return contrary or Verdict(kind=Kind.DOWN, reason=Reason.ALL_SILENT)


def _not_silent(*names: str) -> Verdict:
    return Verdict(
        kind=Kind.UNKNOWN,
        reason=Reason.SOURCE_NOT_SILENT,
        detail=", ".join(names),
    )


def _judge_others(
    view: liveness.HostView,
    lost_at: float,
    policy: policy_mod.Policy,
    now: float,
) -> Verdict | None:
    """What the sources beside Nova's say against a death; None: nothing.

    None of them is required. One that shows nothing of the host, or cannot
    be read, is waited for a little while and then does not count - unless
    it was last seen to *move*: whoever lived then is not dead because nobody
    can look any more.
    """
    others = [
        (name, source)
        for name, source in sorted(view.sources.items())
        if name != sources_mod.NOVA
    ]
    audible = [
        (name, source)
        for name, source in others
        if not source.silent(policy.silence_factor, policy.assumed_gap)
    ]
    moving = [name for name, one in audible if one.moved_since(lost_at)]
    if moving:
        return _isolated(moving, policy)
    waited_for = [name for name, one in audible if not one.stale(now)]
    if waited_for:
        return _not_silent(*waited_for)
    unread = all(source.looked_at < lost_at for _, source in others)
    if unread and now - lost_at < policy.patience:
        return Verdict(kind=Kind.UNKNOWN, reason=Reason.WINDOW)
    return None


def _isolated(moving: Sequence[str], policy: policy_mod.Policy) -> Verdict:
    return Verdict(
        # Its guests run: there is no hurry, and to kill them is a choice
        # that the operator has made, or has not.
        kind=Kind.DOWN if policy.fence_isolated else Kind.ISOLATED,
        reason=Reason.ISOLATED,
        detail="; ".join(sources_mod.moves(name) for name in moving),
    )


SUSPECT = frozenset(
    [
        Reason.WINDOW,
        Reason.SOURCE_UNREAD,
        Reason.SOURCE_NOT_SILENT,
        Reason.ALL_SILENT,
        Reason.POWER_OFF,
    ]
)


def suspect(verdict: Verdict) -> bool:
    """Whether a host may be dying: it counts for the brake, and has a case."""
    return verdict.kind is Kind.DOWN or verdict.reason in SUSPECT
