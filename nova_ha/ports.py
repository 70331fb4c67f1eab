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

"""The seams between decisions and the world.

The engine, the agent and the command line see ZooKeeper, Nova, fence devices
and the message bus only through these. Production and the simulator
implement them alike; no method is optional.

Every method may be called from any thread. Those that talk to a server
block, with a deadline of their own, and raise the exceptions of
:mod:`nova_ha.exception` that they name.
"""

import abc
import dataclasses
import datetime
from collections.abc import Callable, Collection, Mapping, Sequence

from nova_ha.core import census
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import phases
from nova_ha.core import sources

Sink = Callable[[events.Event], None]
"""Takes an event and only enqueues it; safe to call from a callback."""

Guard = Callable[[], None]
"""Called immediately before a power-off command.

:raises FenceAborted: to forbid it.
:raises NotLeading: the engine's right to act has passed.
"""


class Membership(abc.ABC):
    """The hosts, as their agents and operators describe them."""

    @abc.abstractmethod
    def start(self, sink: Sink) -> None:
        """Begin to deliver :class:`events.HostsRead`,
        :class:`events.ControlRead`, :class:`events.ConfirmationsRead`,
        :class:`events.ContendersRead`
        and :class:`events.ConnectionChanged`: at every change, and complete
        again every few seconds (a missed edge is never lost)."""

    @abc.abstractmethod
    def stop(self) -> None: ...

    @abc.abstractmethod
    def read_host(self, host: model.HostName) -> model.HostFacts:
        """Read one host now, after a sync with the ZooKeeper leader.

        :raises CoordinationUnavailable: no answer.
        """

    @abc.abstractmethod
    def read_control(self) -> model.Control:
        """Read the operator's switches now.

        :raises CoordinationUnavailable: no answer.
        """


class Leadership(abc.ABC):
    """The election among engines."""

    @abc.abstractmethod
    def start(self, sink: Sink) -> None:
        """Stand for election; deliver :class:`events.LeadershipChanged`."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Leave the election, so that a successor need not wait."""

    @abc.abstractmethod
    def check(self, epoch: model.Epoch) -> None:
        """Make sure, by the local monotonic deadline, that this engine
        still leads in ``epoch``; without I/O.

        :raises NotLeading: it does not, or cannot know in time.
        """


@dataclasses.dataclass(frozen=True, slots=True)
class StoredCase:
    """A case together with the znode version it was read at."""

    case: model.RecoveryCase
    version: int


@dataclasses.dataclass(frozen=True, slots=True)
class StoredCases:
    """All open cases; ``unreadable``: why that of a host cannot be read."""

    cases: Sequence[StoredCase]
    unreadable: Mapping[model.HostName, str]


class CaseStore(abc.ABC):
    """The durable record of recoveries. Every change is atomic with a check
    that the leader's node of ``epoch`` still exists.

    All methods raise CoordinationUnavailable, and the changing ones
    NotLeading (the leader's node is gone) and StaleVersion.
    """

    @abc.abstractmethod
    def load(self) -> StoredCases:
        """All open cases. A payload that cannot be read is left alone."""

    @abc.abstractmethod
    def save(self, case: model.RecoveryCase, version: int | None) -> int:
        """Compare-and-set; ``version`` None creates. Returns the new
        version. The case's own ``epoch`` is checked.

        :raises PayloadTooLarge: even without its details.
        """

    @abc.abstractmethod
    def close(self, case: model.RecoveryCase, version: int) -> None:
        """Move an ended case to the history (bounded), in one step."""

    @abc.abstractmethod
    def publish(
        self,
        epoch: model.Epoch,
        host: model.HostName,
        verdict: model.PublishedVerdict | None,
    ) -> None:
        """Tell filters and operators of a host; None: plainly alive."""

    @abc.abstractmethod
    def published(self) -> Collection[model.PublishedVerdict]:
        """All published verdicts, as an earlier leader left them."""

    @abc.abstractmethod
    def enrol(self, epoch: model.Epoch, record: model.HostRecord) -> None:
        """Write a host's record, keeping what an operator has set."""

    @abc.abstractmethod
    def count_death(
        self, epoch: model.Epoch, host: model.HostName, at: datetime.datetime
    ) -> None:
        """Add a death to a host's record; the same one counts once."""

    @abc.abstractmethod
    def quarantine(
        self,
        epoch: model.Epoch,
        host: model.HostName,
        quarantine: model.Quarantine | None,
    ) -> None:
        """Put a host into quarantine; None: take it out, and forget its
        deaths. One that is in already stays as it is."""

    @abc.abstractmethod
    def bar(
        self,
        epoch: model.Epoch,
        host: model.HostName,
        barred: Mapping[str, model.Bar],
    ) -> None:
        """Bar fence devices of a host, by name. One that is barred already
        stays as it is."""

    @abc.abstractmethod
    def keep_fencing(
        self,
        epoch: model.Epoch,
        host: model.HostName,
        health: model.FencingHealth,
    ) -> None:
        """Keep what the latest check of a host's devices has found."""

    @abc.abstractmethod
    def show_refused(self, epoch: model.Epoch, problem: str) -> None:
        """Show operators why the changed fencing.yaml is not in force, as
        long as this leader leads; empty: it is."""

    @abc.abstractmethod
    def consume(self, epoch: model.Epoch, case: model.CaseId) -> None:
        """Use up the operator's confirmation of a case; absent is fine."""

    @abc.abstractmethod
    def drop_request(
        self, epoch: model.Epoch, request: model.EvacuationRequest
    ) -> None:
        """Take an operator's request away; absent is fine, and a newer one
        for the same host stays."""

    @abc.abstractmethod
    def drop_beacon(
        self, epoch: model.Epoch, host: model.HostName, session: int
    ) -> None:
        """Take the beacon of a session away; absent is fine, and another
        session's stays."""


class Compute(abc.ABC):
    """Nova and Placement.

    All raise ComputeUnavailable (no answer; a change may have taken effect),
    ComputeRefused (4xx: it has not) and ComputeError (any other error).
    """

    @abc.abstractmethod
    def services(self) -> Sequence[model.ServiceReport]:
        """All nova-compute services."""

    @abc.abstractmethod
    def hypervisor_types(self) -> Mapping[model.HostName, str]:
        """Hypervisor type by service host, e.g. ``QEMU`` or ``ironic``."""

    @abc.abstractmethod
    def force_down(self, service_id: str, forced: bool) -> None: ...

    @abc.abstractmethod
    def disable(self, service_id: str, reason: str) -> None: ...

    @abc.abstractmethod
    def enable(self, service_id: str) -> None: ...

    @abc.abstractmethod
    def instances(self, host: model.HostName) -> Sequence[model.Instance]:
        """All instances that Nova books on a host, of all projects, paged.

        :raises CellDown: the list could be incomplete.
        """

    @abc.abstractmethod
    def instance(self, instance: model.InstanceId) -> model.Instance | None:
        """One instance, None where Nova does not know it."""

    @abc.abstractmethod
    def migrations(self, host: model.HostName) -> Sequence[model.Migration]:
        """All migration records that name the host as source or as
        destination, of every type and state, paged."""

    @abc.abstractmethod
    def instance_migrations(
        self, instance: model.InstanceId
    ) -> Sequence[model.Migration]:
        """All migration records of an instance."""

    @abc.abstractmethod
    def targets(
        self, resources: Collection[Mapping[str, int]]
    ) -> Sequence[model.Target]:
        """Hosts where Placement has room for at least one of the requests,
        with what is free there by class."""

    @abc.abstractmethod
    def evacuate(
        self, instance: model.InstanceId, target: model.HostName
    ) -> None:
        """Ask Nova to rebuild an instance on ``target`` (2.94)."""

    @abc.abstractmethod
    def repair_state(self, instance: model.InstanceId) -> None:
        """Set the state that Nova shows of an instance to active."""

    @abc.abstractmethod
    def stop_instance(self, instance: model.InstanceId) -> None:
        """Ask Nova to stop an instance, as its owner would."""


class Migrator(abc.ABC):
    """Moves instances off a live host, to where Nova's scheduler wants them.

    All raise what :class:`Compute` raises. That a request was taken means
    nothing yet: the migration record tells.
    """

    @abc.abstractmethod
    def live_migrate(self, instance: model.InstanceId) -> None:
        """Move it while it runs."""

    @abc.abstractmethod
    def cold_migrate(self, instance: model.InstanceId) -> None:
        """Move it with its guest off. Its former disk stays until
        :meth:`confirm_migration`."""

    @abc.abstractmethod
    def confirm_migration(self, instance: model.InstanceId) -> None:
        """Have what a cold migration has left behind removed."""


class EvidenceSource(abc.ABC):
    """Watches hosts by other means than the beacon."""

    @abc.abstractmethod
    def start(self, sink: Sink) -> None:
        """Begin to deliver events, such as :class:`events.ServicesRead`."""

    @abc.abstractmethod
    def stop(self) -> None: ...


class SignReader(abc.ABC):
    """A source of evidence that can be asked for one host at once."""

    name: str
    """Of the source, as in :attr:`events.SignsRead.source`."""

    @abc.abstractmethod
    def read(self, host: model.HostName) -> sources.Sign | None:
        """What it shows now; None where that could not be read within its
        own deadline of a few seconds. Never raises."""


class Fencing(abc.ABC):
    """The fence devices, by host. Never raises for a device's failure: that
    is part of the answer.

    ``barred`` names devices of the host that have proven wrong: they are not
    spoken to, and a level that one of them belongs to proves nothing.
    """

    @abc.abstractmethod
    def power_state(
        self, host: model.HostName, barred: Collection[str] = ()
    ) -> model.PowerReading:
        """Ask, without touching anything. OFF only if every device of a
        whole level says so."""

    @abc.abstractmethod
    def fence(
        self,
        host: model.HostName,
        guard: Guard,
        barred: Collection[str] = (),
        system_uuid: str = "",
    ) -> model.FenceOutcome:
        """One round through the levels of a host: observe, and if it is not
        off already, power off and observe until off or a deadline.

        :param system_uuid: of the host's machine, as its agent says. A
            device that tells another one is neither believed nor commanded.
            Empty: not known, and not compared.
        """

    @abc.abstractmethod
    def power_on(
        self, host: model.HostName, barred: Collection[str] = ()
    ) -> None:
        """:raises DeviceError: the device did not accept it."""

    @abc.abstractmethod
    def examine(
        self, host: model.HostName, system_uuid: str
    ) -> Sequence[model.DeviceReport]:
        """Ask every device of a host whether it could fence, and touch
        nothing.

        :param system_uuid: of the host's machine, as its agent says; empty
            where that is not known.
        """

    @abc.abstractmethod
    def topology(self) -> model.TopologyState:
        """Which version of the configuration is in force, after a look
        whether it has changed."""

    @abc.abstractmethod
    def has_device(self, host: model.HostName) -> bool:
        """Whether any level is configured for the host."""


class Notifier(abc.ABC):
    """Where steps are told: log, message bus, metrics."""

    @abc.abstractmethod
    def emit(self, event: model.AuditEvent) -> None:
        """Tell; never raises and never blocks on the bus."""


class Meter(abc.ABC):
    """What is measured of an engine. Called from its loop: no method raises
    or waits for anybody."""

    @abc.abstractmethod
    def count(self, census: census.Census) -> None:
        """How things stand now."""

    @abc.abstractmethod
    def reached(self, phase: phases.Phase, seconds: float) -> None:
        """A recovery has come so far, ``seconds`` after it began."""

    @abc.abstractmethod
    def fenced(self, outcome: model.FenceOutcome) -> None:
        """A round of fencing is over."""


class Beacons(abc.ABC):
    """What an agent writes, below its own parent in ZooKeeper.

    All raise CoordinationUnavailable and CoordinationDenied.
    """

    @abc.abstractmethod
    def facts(self) -> model.HostFacts:
        """What ZooKeeper holds about this host now."""

    @abc.abstractmethod
    def case(self) -> model.RecoveryCase | None:
        """The open case of this host, if any."""

    @abc.abstractmethod
    def contenders(self) -> Sequence[model.Contender]:
        """The engines that run."""

    @abc.abstractmethod
    def show(self, beacon: model.Beacon) -> None:
        """Create or replace the beacon of this session. A beacon of an
        older session of the same machine is taken over; a goodbye is
        withdrawn."""

    @abc.abstractmethod
    def touch(self) -> None:
        """Make sure that the session and the beacon exist.

        :raises CoordinationUnavailable: not acknowledged in time, or the
            beacon is gone: show it again.
        """

    @abc.abstractmethod
    def inventory(self, inventory: model.GuestInventory) -> None: ...

    @abc.abstractmethod
    def goodbye(self, goodbye: model.Goodbye) -> None:
        """Announce a planned absence and remove the beacon, in one step."""

    @abc.abstractmethod
    def close(self) -> None: ...


class Check(abc.ABC):
    """A local check of an agent (stevedore namespace ``nova_ha.checks``)."""

    name: str
    """Short name, as shown in the beacon."""

    @abc.abstractmethod
    def run(self) -> model.CheckResult:
        """Run it once. Has a deadline of its own; never raises for a failed
        check."""


class GuestSource(abc.ABC):
    """Knows which guests really run here (``nova_ha.guests``)."""

    @abc.abstractmethod
    def running(self) -> frozenset[model.InstanceId]:
        """:raises GuestsUnknown: the hypervisor did not say."""
