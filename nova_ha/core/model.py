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

Names of things (:mod:`.nouns`), what agents (:mod:`.agent_model`) and Nova
(:mod:`.nova_model`) say, what is about power (:mod:`.power_model`), verdicts
(:mod:`.verdict_model`) and the recovery case (:mod:`.case_model`) have modules
of their own; all are used from here.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping

from nova_ha.core.agent_model import LONGEST_GOODBYE as LONGEST_GOODBYE
from nova_ha.core.agent_model import Beacon as Beacon
from nova_ha.core.agent_model import CheckResult as CheckResult
from nova_ha.core.agent_model import Goodbye as Goodbye
from nova_ha.core.agent_model import GoodbyeReason as GoodbyeReason
from nova_ha.core.agent_model import GuestInventory as GuestInventory
from nova_ha.core.case_model import BrakeRule as BrakeRule
from nova_ha.core.case_model import CaseState as CaseState
from nova_ha.core.case_model import Hold as Hold
from nova_ha.core.case_model import Move as Move
from nova_ha.core.case_model import MoveState as MoveState
from nova_ha.core.case_model import Ownership as Ownership
from nova_ha.core.case_model import PowerOn as PowerOn
from nova_ha.core.case_model import RecoveryCase as RecoveryCase
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
from nova_ha.core.verdict_model import Reason as Reason
from nova_ha.core.verdict_model import Verdict as Verdict
from nova_ha.core.verdict_model import VerdictKind as VerdictKind

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
class HostFacts:
    """Everything ZooKeeper holds about one host, read at one moment."""

    host: HostName
    record: HostRecord | None = None
    beacon: Beacon | None = None
    goodbye: Goodbye | None = None
    inventory: GuestInventory | None = None


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


# -- what follows, and is told ------------------------------------------------


@record
class PublishedVerdict:
    """What the leader tells filters and the CLI about a host that is not
    plainly alive, or that has an open case."""

    host: HostName
    verdict: Verdict
    case: CaseId | None = None
    case_state: CaseState | None = None
    schedulable: bool = False
    message: str = ""
    """What is going on and what to do, one line."""
    targets: Mapping[InstanceId, HostName] = dataclasses.field(
        default_factory=dict
    )
    """Where the open case has sent instances: nova-scheduler lets nobody
    else send them to another host."""
    at: datetime.datetime


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
