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

"""What is going on, and what to do: from a picture to words. No I/O."""

import collections
import datetime
from collections.abc import Iterator, Mapping

from nova_ha.assembly.operator import Picture
from nova_ha.cmd.commands import advice
from nova_ha.cmd.commands import problems
from nova_ha.cmd.commands import recoveries
from nova_ha.core import brake
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import roster
from nova_ha.core import verdict as verdict_mod
from nova_ha.core import view
from nova_ha.core import world
from nova_ha.core.model import HostName
from nova_ha.core.model import Reason
from nova_ha.core.model import Verdict
from nova_ha.core.model import VerdictKind as Kind
from nova_ha.core.model import record

CALM = frozenset([Kind.ALIVE, Kind.AWAY, Kind.HANDS_OFF])

_BY_OPERATOR = frozenset(
    [Reason.OPERATOR_DISABLED, Reason.OPERATOR_FORCED_DOWN]
)
"""Verdicts that need nobody."""


@record
class Row:
    """A host that is worth a line."""

    host: HostName
    verdict: Verdict
    case: model.RecoveryCase | None = None
    since: datetime.datetime | None = None
    message: str = ""
    todo: str = ""
    urgent: bool = True
    """Whether it needs attention, or is only worth knowing."""


@record
class Overview:
    """The answer to "what is going on, and what do I do?"."""

    picture: Picture
    leader: model.Contender | None
    standby: tuple[model.Contender, ...]
    problems: tuple[problems.Problem, ...]
    by_state: Mapping[str, int]
    load: brake.Load
    limit: int
    rows: tuple[Row, ...]

    @property
    def well(self) -> bool:
        return not self.problems and not any(row.urgent for row in self.rows)

    @property
    def counted(self) -> int:
        """Hosts that count for the brake."""
        return len(self.load.counted)

    @property
    def storm(self) -> bool:
        """Whether the brake keeps a host from being fenced."""
        return bool(self.held)

    @property
    def held(self) -> Mapping[str, list[HostName]]:
        """Whom which rule of the brake holds."""
        found: dict[str, list[HostName]] = {}
        for host, case in sorted(self.picture.cases.items()):
            if case.hold is model.Hold.STORM:
                rule = case.held_by or model.BrakeRule.TOO_MANY
                found.setdefault(rule.value, []).append(host)
        return found

    @property
    def quarantined(self) -> Mapping[HostName, model.Quarantine]:
        """The hosts in quarantine."""
        return {
            host: known.record.quarantine
            for host, known in sorted(self.picture.hosts.items())
            if known.record is not None and known.record.quarantine is not None
        }


def overview(picture: Picture, policy: policy_mod.Policy) -> Overview:
    """Sum up a picture."""
    verdicts = {host: judged(picture, host) for host in names(picture)}
    load = _load(picture, verdicts, policy)
    leader = next((one for one in picture.contenders if one.leading), None)
    return Overview(
        picture=picture,
        leader=leader,
        standby=tuple(one for one in picture.contenders if one is not leader),
        problems=tuple(problems.of(picture, leader)),
        by_state=collections.Counter(
            state(verdicts[host]) for host in sorted(verdicts)
        ),
        load=load,
        limit=brake.limit(load.monitored, policy),
        rows=tuple(sorted(_rows(picture, verdicts, policy), key=_weight)),
    )


def names(picture: Picture) -> list[HostName]:
    """All hosts that anything is known of, sorted."""
    return sorted({*picture.hosts, *picture.verdicts, *picture.cases})


def facts(picture: Picture, host: HostName) -> model.HostFacts:
    return picture.hosts.get(host) or model.HostFacts(host=host)


# -- one host ----------------------------------------------------------------


def judged(picture: Picture, host: HostName) -> Verdict:
    """What is believed of a host: the leader's word where there is one.

    The leader publishes only what is not plainly alive. Of the others, and
    while nobody leads, the tree itself says what can be seen.
    """
    published = picture.verdicts.get(host)
    known = facts(picture, host)
    if published is None or _refuted(published, known):
        return _seen(known)
    return published.verdict


def _refuted(
    published: model.PublishedVerdict, known: model.HostFacts
) -> bool:
    """Whether a beacon contradicts a verdict that nobody has taken back."""
    return (
        published.case is None
        and published.verdict.kind in view.OF_ABSENCE
        and known.beacon is not None
    )


def _seen(facts: model.HostFacts) -> Verdict:
    kept, beacon = facts.record, facts.beacon
    if kept is not None and kept.maintenance:
        return _hands_off(Reason.MAINTENANCE, kept.maintenance)
    if kept is None:
        return _hands_off(Reason.NOT_ENROLLED)
    if beacon is not None:
        return _of_beacon(beacon, kept.quarantine)
    if kept.protected:
        return _hands_off(Reason.PROTECTED, kept.protected)
    if facts.goodbye is not None:
        return Verdict(
            kind=Kind.AWAY,
            reason=Reason.GOODBYE,
            detail=facts.goodbye.reason.value,
        )
    return Verdict(kind=Kind.UNKNOWN, reason=Reason.NEVER_SEEN)


def _of_beacon(
    beacon: model.Beacon, quarantine: model.Quarantine | None
) -> Verdict:
    if quarantine is not None:
        return Verdict(
            kind=Kind.QUARANTINED,
            reason=Reason.QUARANTINE,
            detail=quarantine.reason,
        )
    failed = beacon.failed_checks
    if not failed:
        return Verdict(kind=Kind.ALIVE, reason=Reason.BEACON)
    detail = "; ".join(f"{check.name}: {check.detail}" for check in failed)
    return Verdict(
        kind=Kind.DEGRADED, reason=Reason.CHECKS_FAILED, detail=detail
    )


def _hands_off(reason: Reason, detail: str = "") -> Verdict:
    return Verdict(kind=Kind.HANDS_OFF, reason=reason, detail=detail)


def state(verdict: Verdict) -> str:
    """One word for a host: the verdict, or why it is not ours to judge."""
    if verdict.kind is Kind.HANDS_OFF:
        return verdict.reason.value
    return verdict.kind.value


def schedulable(picture: Picture, host: HostName) -> view.HostView:
    """Whether new instances may be put there, and why not: as the filter in
    nova-scheduler judges it."""
    known = facts(picture, host)
    left = known.goodbye
    age = (picture.at - left.said_at).total_seconds() if left else 0.0
    return view.judge(known, picture.verdicts.get(host), age)


def guests(facts: model.HostFacts) -> int | None:
    """Guests that run there now, by the agent that is there; None where
    that is not known."""
    beacon, inventory = facts.beacon, facts.inventory
    if beacon is None or inventory is None:
        return None
    if beacon.boot_id != inventory.boot_id:
        return None
    return len(inventory.guests)


def checks(beacon: model.Beacon | None) -> str:
    """The agent's checks in a word or two."""
    if beacon is None:
        return "-"
    failed = [check.name for check in beacon.failed_checks]
    if failed:
        return "failed: " + ", ".join(sorted(failed))
    return "ok" if beacon.checks else "none"


# -- the whole ---------------------------------------------------------------


def _load(
    picture: Picture,
    verdicts: Mapping[HostName, Verdict],
    policy: policy_mod.Policy,
) -> brake.Load:
    """What the leader's brake counts, as far as it shows."""
    cases = picture.cases
    monitored = roster.of(one.record for one in picture.hosts.values()).hosts
    return brake.Load(
        monitored=len(monitored),
        suspects=frozenset(
            host
            for host in monitored
            if verdict_mod.suspect(verdicts[host])
            and not (host in cases and cases[host].state in world.OFF_STATES)
        ),
        busy=frozenset(
            host for host, case in cases.items() if case.state in brake.BUSY
        ),
        fenced=frozenset(
            host
            for host, case in cases.items()
            if _lately_switched_off(case, picture.at, policy.brake_window)
        ),
    )


def _lately_switched_off(
    case: model.RecoveryCase, now: datetime.datetime, window: float
) -> bool:
    """By the records' own times: the leader counts by a clock that nobody
    else can read."""
    return (
        case.off_sent
        and case.evidence is not None
        and (now - case.evidence.seen_at).total_seconds() < window
    )


def _rows(
    picture: Picture,
    verdicts: Mapping[HostName, Verdict],
    policy: policy_mod.Policy,
) -> Iterator[Row]:
    for host, verdict in verdicts.items():
        case = picture.cases.get(host)
        if case is not None:
            yield _case_row(picture, case, verdict, policy)
        elif _tell(picture, host, verdict):
            yield _host_row(picture, host, verdict)


def _weight(row: Row) -> tuple[bool, bool, HostName]:
    """Cases first, then what needs attention, each sorted by host."""
    return row.case is None, not row.urgent, row.host


def _tell(picture: Picture, host: HostName, verdict: Verdict) -> bool:
    if verdict.reason is Reason.NOT_ENROLLED:
        # Only an agent that runs and is not watched is worth a word.
        return facts(picture, host).beacon is not None
    return verdict.kind not in CALM or (
        verdict.kind is Kind.AWAY or verdict.reason in _BY_OPERATOR
    )


def _case_row(
    picture: Picture,
    case: model.RecoveryCase,
    verdict: Verdict,
    policy: policy_mod.Policy,
) -> Row:
    return Row(
        host=case.host,
        verdict=verdict,
        case=case,
        since=case.since,
        message=recoveries.case_message(case),
        todo=advice.for_case(case, picture.at, policy.soak_time),
    )


def _host_row(picture: Picture, host: HostName, verdict: Verdict) -> Row:
    published = picture.verdicts.get(host)
    known = facts(picture, host)
    said = None if known.goodbye is None else known.goodbye.said_at
    return Row(
        host=host,
        verdict=verdict,
        since=said if published is None else published.at,
        message=recoveries.explain(verdict),
        todo=advice.for_host(host, verdict, known, picture.at),
        urgent=verdict.reason not in _BY_OPERATOR
        and (verdict.kind is not Kind.AWAY or overdue(known, picture.at)),
    )


def overdue(facts: model.HostFacts, now: datetime.datetime) -> bool:
    """Whether a planned absence has lasted longer than was announced."""
    goodbye = facts.goodbye
    return goodbye is not None and (
        (now - goodbye.said_at).total_seconds() > goodbye.lasts
    )
