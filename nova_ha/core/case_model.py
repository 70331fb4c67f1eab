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

"""The recovery case, part of :mod:`nova_ha.core.model`."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping

from nova_ha.core.nouns import BootId
from nova_ha.core.nouns import CaseId
from nova_ha.core.nouns import Epoch
from nova_ha.core.nouns import HostName
from nova_ha.core.nouns import InstanceId
from nova_ha.core.nouns import record
from nova_ha.core.operator_model import Acceptance
from nova_ha.core.operator_model import EvacuationRequest
from nova_ha.core.power_model import FenceAttempt
from nova_ha.core.power_model import FenceEvidence
from nova_ha.core.story import Line as StoryLine
from nova_ha.core.verdict_model import Verdict


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
    power_on: PowerOn = PowerOn.NO
    """What has been done about switching the host on after its recovery."""
    refencing: bool = False
    """The host was switched on in the middle of its recovery and is fenced
    again: its new beacon is expected and does not cancel that."""
    force_down: Ownership = Ownership.NONE
    disable: Ownership = Ownership.NONE
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
