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

"""The nouns of nova_ha: frozen values that every layer shares.

Two kinds of time appear. ``datetime`` fields are UTC and only for records
that people read. Durations are judged on the engine's monotonic clock and
live in :mod:`nova_ha.core.liveness`, never in something that is stored.

Names of things (:mod:`.nouns`), what Nova says (:mod:`.nova_model`) and what
is about power (:mod:`.power_model`) have modules of their own; all are used
from here.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping

from nova_ha.core.nouns import BootId as BootId
from nova_ha.core.nouns import CaseId as CaseId
from nova_ha.core.nouns import Epoch as Epoch
from nova_ha.core.nouns import HostName as HostName
from nova_ha.core.nouns import InstanceId as InstanceId
from nova_ha.core.nouns import Now as Now
from nova_ha.core.nouns import record as record
from nova_ha.core.nova_model import Instance as Instance
from nova_ha.core.nova_model import Migration as Migration
from nova_ha.core.nova_model import ServiceReport as ServiceReport
from nova_ha.core.nova_model import Target as Target
from nova_ha.core.operator_model import Acceptance as Acceptance
from nova_ha.core.operator_model import EvacuationRequest as EvacuationRequest
from nova_ha.core.power_model import Bar as Bar
from nova_ha.core.power_model import DeviceReport as DeviceReport
from nova_ha.core.power_model import EvidenceKind as EvidenceKind
from nova_ha.core.power_model import FenceAttempt as FenceAttempt
from nova_ha.core.power_model import FenceEvidence as FenceEvidence
from nova_ha.core.power_model import FenceOutcome as FenceOutcome
from nova_ha.core.power_model import FencingHealth as FencingHealth
from nova_ha.core.power_model import PowerReading as PowerReading
from nova_ha.core.power_model import PowerState as PowerState
from nova_ha.core.power_model import TopologyState as TopologyState
from nova_ha.core.story import Line as StoryLine

# -- what agents say ---------------------------------------------------------


@record
class CheckResult:
    """Outcome of one local check of an agent."""

    name: str
    ok: bool
    detail: str = ""


@record
class Beacon:
    """An agent's ephemeral node: its session is alive."""

    host: HostName
    boot_id: BootId
    machine_id: str
    system_uuid: str = ""
    agent_version: str = ""
    checks: tuple[CheckResult, ...] = ()
    colocated: tuple[str, ...] = ()
    """What else runs on this machine that must not be powered off:
    ``engine``, ``zookeeper`` or ``controller``."""
    storage: str | None = None
    """The storage domain that the marker in the instances path names; empty:
    there is no marker; None: not known."""
    session: int = 0
    """ZooKeeper session that owns the node; not part of the payload."""

    @property
    def failed_checks(self) -> tuple[CheckResult, ...]:
        return tuple(check for check in self.checks if not check.ok)


LONGEST_GOODBYE = 3600.0
"""Seconds; enough for the reboot of a large machine."""


class GoodbyeReason(enum.StrEnum):
    """Why an agent left on purpose."""

    STOP = "stop"  # stopped or restarted, e.g. for an upgrade
    SHUTDOWN = "shutdown"  # the machine is going down in an orderly way


@record
class Goodbye:
    """A planned absence of an agent, good for :attr:`lasts` seconds."""

    host: HostName
    boot_id: BootId
    reason: GoodbyeReason
    ttl: float
    """Seconds that the agent asks for."""
    said_at: datetime.datetime

    @property
    def lasts(self) -> float:
        """Seconds for which it keeps its host from being judged. Without a
        bound an agent, or whoever has its password, could have a dead host
        waited for for ever: that is an operator's to say (maintenance)."""
        return min(self.ttl, LONGEST_GOODBYE)


@record
class GuestInventory:
    """The guests that really run on a host, by its own hypervisor.

    An agent that cannot find out writes no inventory at all: no answer is
    never the same as "no guests".
    """

    host: HostName
    boot_id: BootId
    guests: frozenset[InstanceId]
    sequence: int
    """Grows by one with every collection in one boot. A collection began
    after the one before it was written; so two steps later than what was
    known at some moment, the whole collection took place after it."""


@record
class HostFacts:
    """Everything ZooKeeper holds about one host, read at one moment."""

    host: HostName
    record: "HostRecord | None" = None
    beacon: Beacon | None = None
    goodbye: Goodbye | None = None
    inventory: GuestInventory | None = None


# -- what operators and engines record ---------------------------------------


@record
class Quarantine:
    """A host fails too often: neither fenced by itself, nor given guests."""

    reason: str
    since: datetime.datetime


@record
class HostRecord:
    """An enrolled host."""

    host: HostName
    machine_id: str
    system_uuid: str = ""
    service_id: str = ""
    """UUID of the nova-compute service: host names can repeat."""
    failure_domain: str = ""
    storage_domain: str = ""
    """As an operator has said; see :mod:`nova_ha.core.storage`."""
    proven_storage: str | None = None
    """As its agent has proven last: a dead host has no beacon."""
    protected: str = ""
    """Why this host must never be fenced; empty where it may be."""
    maintenance: str = ""
    """Why an operator has taken the host out; empty where it is in use."""
    reserved: bool = False
    """Kept free of new instances, for evacuated ones."""
    incidents: tuple[datetime.datetime, ...] = ()
    """Its latest deaths, oldest first; bounded by ``quarantine.KEPT``."""
    quarantine: Quarantine | None = None
    acceptance: Acceptance | None = None
    """The latest that an operator has given for this host."""
    barred: Mapping[str, Bar] = dataclasses.field(default_factory=dict)
    """Its fence devices that have proven wrong, by name: not used until an
    operator has checked them."""
    fencing: FencingHealth | None = None
    """How its fence devices were when they were last checked."""
    enrolled_at: datetime.datetime | None = None


@record
class Control:
    """The operator's switches. A new installation is disarmed."""

    armed: bool = False
    paused: bool = False
    reason: str = ""
    by: str = ""
    at: datetime.datetime | None = None


@record
class Confirmation:
    """An operator's one-shot word that a host is off."""

    case: CaseId
    host: HostName
    boot_id: BootId
    by: str
    at: datetime.datetime
    comment: str = ""


@record
class Contender:
    """An engine that takes part in the election."""

    engine: str
    """Host name and process id, for people."""
    machine_id: str = ""
    epoch: Epoch
    leading: bool = False
    refused: str = ""
    """Why fencing.yaml as it is now is not in force, as the leader says;
    empty: it is."""


@record
class Lease:
    """What a leader writes at each renewal of its right to act."""

    epoch: Epoch


# -- verdicts ----------------------------------------------------------------


class VerdictKind(enum.StrEnum):
    """What is believed of a host."""

    ALIVE = "alive"
    DEGRADED = "degraded"  # alive, but a local check fails
    REBOOTED = "rebooted"  # alive again in a new boot, guests gone
    AWAY = "away"  # said goodbye: unmonitored for its time to live
    QUARANTINED = "quarantined"  # alive, but has failed too often
    HANDS_OFF = "hands-off"  # not ours to judge: protected, maintenance, ...
    UNKNOWN = "unknown"  # no proof of life, none of death
    AGENT_LOST = "agent-lost"  # beacon gone, nova-compute still reports
    ISOLATED = "isolated"  # both silent, yet another source still moves
    DOWN = "down"


class Reason(enum.StrEnum):
    """Why a verdict was given; each has a sentence in ``verdict.EXPLAIN``."""

    BEACON = "beacon"
    CHECKS_FAILED = "checks-failed"
    NEW_BOOT = "new-boot"
    QUARANTINE = "quarantine"
    GOODBYE = "goodbye"
    PROTECTED = "protected"
    MAINTENANCE = "maintenance"
    OPERATOR_DISABLED = "operator-disabled"
    OPERATOR_FORCED_DOWN = "operator-forced-down"
    NOT_ENROLLED = "not-enrolled"
    OWN_SESSION = "own-session"
    NEVER_SEEN = "never-seen"
    WINDOW = "window"
    SOURCE_UNREAD = "source-unread"
    SOURCE_NOT_SILENT = "source-not-silent"
    SOURCE_MOVES = "source-moves"
    ISOLATED = "isolated"
    NO_SERVICE = "no-service"
    LIFE_SEEN = "life-seen"
    ALL_SILENT = "all-silent"
    POWER_OFF = "power-off"


@record
class Verdict:
    """A verdict, with the reason that is shown to the operator."""

    kind: VerdictKind
    reason: Reason
    detail: str = ""

    @property
    def alive(self) -> bool:
        """Whether the host's own agent speaks for it right now."""
        return self.kind in (
            VerdictKind.ALIVE,
            VerdictKind.DEGRADED,
            VerdictKind.REBOOTED,
            VerdictKind.QUARANTINED,
        )


@record
class PublishedVerdict:
    """What the leader tells filters and the CLI about a host that is not
    plainly alive, or that has an open case."""

    host: HostName
    verdict: Verdict
    case: CaseId | None = None
    case_state: "CaseState | None" = None
    schedulable: bool = False
    message: str = ""
    """What is going on and what to do, one line."""
    targets: Mapping[InstanceId, HostName] = dataclasses.field(
        default_factory=dict
    )
    """Where the open case has sent instances: nova-scheduler lets nobody
    else send them to another host."""
    at: datetime.datetime


# -- Nova and Placement ------------------------------------------------------


@record
class Survey:
    """What Nova and the device said about a case's host, in one pass.

    ``instances`` is None where they were not asked for, and ``targets`` too.
    """

    host: HostName
    migrations: tuple[Migration, ...] = ()
    instances: tuple[Instance, ...] | None = None
    targets: tuple[Target, ...] | None = None
    looks: tuple[Instance, ...] = ()
    """Single instances, looked at after the records were read."""
    power: PowerReading | None = None


# -- the recovery case -------------------------------------------------------


class CaseState(enum.StrEnum):
    """States of a recovery case; see ``transitions.TRANSITIONS``."""

    SUSPECTED = "suspected"
    FENCING = "fencing"
    FENCE_FAILED = "fence-failed"
    FENCED = "fenced"
    EVACUATING = "evacuating"
    PARTIAL = "partial"
    EVACUATED = "evacuated"
    RETURNING = "returning"
    SOAKING = "soaking"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Hold(enum.StrEnum):
    """Why a case does not go on."""

    DISARMED = "disarmed"
    PAUSED = "paused"
    STORM = "storm"
    QUARANTINE = "quarantine"  # failed too often to be fenced once more
    MAINTENANCE = "maintenance"
    PROTECTED = "protected"
    COORDINATION = "coordination"  # ZooKeeper away or leadership in doubt
    LIFE_AFTER_OFF = "life-after-off"  # the device lies: evidence is void
    POWER_UNKNOWN = "power-unknown"  # proof cannot be renewed
    POWER_ON = "power-on"  # a device contradicts the operator
    UNSAVED = "unsaved"  # the case fits into no znode


class BrakeRule(enum.StrEnum):
    """Which rule of the storm brake keeps a host from being fenced."""

    TOO_MANY = "too-many"  # more hosts in trouble than allowed
    FAILURE_DOMAIN = "failure-domain"  # all of one fell silent at once
    COOL_DOWN = "cool-down"  # a storm is not over for long enough
    PACE = "pace"  # proven to be off; recovered a few at a time


class MoveState(enum.StrEnum):
    """What became of one instance of a failed host."""

    PENDING = "pending"  # nothing sent yet
    REQUESTED = "requested"  # target saved; the request may have been sent
    RUNNING = "running"  # Nova has a migration record for it
    DONE = "done"
    RETRY = "retry"  # failed; to be tried again
    HELD = "held"  # another host may be running it, or none has room
    FAILED = "failed"  # given up, reported
    SKIPPED = "skipped"  # cannot be evacuated without harm, reported
    EXCLUDED = "excluded"  # left out by the operator's rules, reported
    GONE = "gone"  # deleted, or moved by somebody else

    @property
    def final(self) -> bool:
        return self in (
            MoveState.DONE,
            MoveState.FAILED,
            MoveState.SKIPPED,
            MoveState.EXCLUDED,
            MoveState.GONE,
        )

    @property
    def in_flight(self) -> bool:
        return self in (MoveState.REQUESTED, MoveState.RUNNING)


@record
class Move:
    """The recovery of one instance: its target is saved before the first
    request names it, and stays until it is proven not to run the guest."""

    instance: InstanceId
    name: str = ""
    state: MoveState = MoveState.PENDING
    target: HostName | None = None
    attempts: int = 0
    """Requests that may have been sent; never forgotten, since each may yet
    come to life."""
    forgiven: int = 0
    """Those that do not count: made before an operator asked for more, or
    refused by the scheduler while there were hosts not asked yet."""
    migration: int | None = None
    """Id of the latest migration record seen for this move."""
    ignored: int = 0
    """Records with this id or a lower one belong to the past."""
    over: tuple[int, ...] = ()
    """Ids of records that look open and are not: their target had taken the
    request when it lost its power, and nobody closes them."""
    unanswered: bool = False
    """A request of ours has left no record. It may have been lost; the
    target stays pinned in case it was not."""
    queued: bool = False
    """Its target died before it took the request, and has not been seen back:
    the request waits in its message queue."""
    repair: bool = False
    """It has arrived, but Nova may show it in ERROR: to be put right."""
    reason: str = ""
    note: str = ""
    """What its recovery costs, or what is odd about it."""
    was: str = ""
    """vm_state before the recovery."""
    was_off: bool = False
    """Its guest was off then, as far as Nova knows."""
    reset: bool = False
    """Nova refuses to evacuate its state: it is set to active first."""
    storage_domain: str = ""
    """Only hosts of this one reach its disk; empty: all do."""
    priority: int = 500
    """From 0 to 1000; the highest goes first."""
    resources: Mapping[str, int] = dataclasses.field(default_factory=dict)
    requested_at: datetime.datetime | None = None
    done_at: datetime.datetime | None = None

    @property
    def final(self) -> bool:
        return self.state.final

    @property
    def counted(self) -> int:
        """Attempts that count for the limit and the pauses."""
        return self.attempts - self.forgiven


@record
class RecoveryCase:
    """All that a successor needs to go on; stored in ``cases/<host>``."""

    id: CaseId
    host: HostName
    boot_id: BootId
    """The boot that was lost; empty where none was ever seen."""
    service_id: str = ""
    state: CaseState = CaseState.SUSPECTED
    epoch: Epoch = Epoch(0)
    verdict: Verdict
    hold: Hold | None = None
    held_by: BrakeRule | None = None
    """While held by a storm: the rule."""
    silent_domain: str = ""
    """The failure domain that fell silent with it, while all of it is."""
    opened_at: datetime.datetime
    times: Mapping[str, datetime.datetime] = dataclasses.field(
        default_factory=dict
    )
    """When each state was first entered, and each milestone reached."""
    entered_at: datetime.datetime | None = None
    """When its present state was entered; see :attr:`since`."""
    evidence: FenceEvidence | None = None
    died_at: datetime.datetime | None = None
    """When the latest death was proven; to be fenced again is none."""
    doubt: str = ""
    """Why the evidence is void; nothing is done on it any more."""
    attempts: tuple[FenceAttempt, ...] = ()
    fence_rounds: int = 0
    off_sent: bool = False
    """A power-off may have been sent: the case can no longer be cancelled
    by a mere sign of life."""
    accused: tuple[str, ...] = ()
    """Devices that are not believed any more, and are yet to be barred."""
    accusation: str = ""
    """Why they are not."""
    power_on: "PowerOn" = dataclasses.field(default_factory=lambda: PowerOn.NO)
    """What has been done about switching the host on after its recovery."""
    refencing: bool = False
    """The host was switched on in the middle of its recovery and is fenced
    again: its new beacon is expected and does not cancel that."""
    force_down: "Ownership" = dataclasses.field(
        default_factory=lambda: Ownership.NONE
    )
    disable: "Ownership" = dataclasses.field(
        default_factory=lambda: Ownership.NONE
    )
    request: EvacuationRequest | None = None
    """The latest that an operator has made for this host."""
    acceptance: Acceptance | None = None
    """The latest that an operator has given for this case."""
    accepted: tuple[InstanceId, ...] = ()
    """The failed evacuations that it was about."""
    surveyed: bool = False
    """The instances of the host have been listed, completely."""
    moves: tuple[Move, ...] = ()
    message: str = ""
    """What the case waits for or why it ended, for the operator."""
    story: tuple[StoryLine, ...] = ()
    """What has happened so far; what the moves tell themselves is left
    out."""

    @property
    def since(self) -> datetime.datetime:
        """When its present state was entered, for the last time."""
        entered = self.times.get(self.state.value, self.opened_at)
        return self.entered_at or entered


class PowerOn(enum.StrEnum):
    """Whether a host was switched on after its recovery; once a case."""

    NO = "no"
    INTENDED = "intended"  # saved before the command
    DONE = "done"  # a device has accepted it
    FAILED = "failed"
    SPENT = "spent"  # any of these, and proven to be off since

    @property
    def perhaps_on(self) -> bool:
        """The host may be on by our own doing."""
        return self in (PowerOn.INTENDED, PowerOn.DONE, PowerOn.FAILED)


class Ownership(enum.StrEnum):
    """Whose a flag on Nova's service is; only ours is ever taken back."""

    NONE = "none"
    INTENDED = "intended"  # saved before the request
    OURS = "ours"
    FOREIGN = "foreign"  # found set by somebody else


# -- what is told ------------------------------------------------------------


class Severity(enum.StrEnum):
    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


@record
class AuditEvent:
    """One step, told once: as a log line, a notification and a metric.

    ``code`` is stable and dotted (``host.suspected``, ``case.fenced``, ...).
    """

    code: str
    severity: Severity = Severity.INFO
    host: HostName | None = None
    case: CaseId | None = None
    message: str = ""
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)
