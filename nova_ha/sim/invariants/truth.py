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

"""What the invariants are checked against, and how long news may travel.

The tolerances are not what the product happens to achieve: they are sums of
the policy's own numbers, so that a wrong sum in the product shows.
"""

import dataclasses
import datetime
from collections.abc import Callable, Collection, Mapping, Set
from typing import Protocol

from nova_ha.core import evacuation
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core.model import EvidenceKind
from nova_ha.sim import journal
from nova_ha.sim import kernel
from nova_ha.sim.invariants import tree_log

READ_TO_SEND = 2.0
"""Seconds between reading the operator's switches and sending a power-off
that they would forbid: one more read of the tree, and a device's call."""

NEWS = 5.0
"""Seconds until an engine has seen a change in Nova that it is not told of:
it polls each second, and two answers may be slow."""

DEVICE = 1.0
"""Seconds that the answer of a device, or of Nova, is old when it comes."""


class Machine(Protocol):
    """What the invariants read of a machine."""

    @property
    def power(self) -> bool: ...
    @property
    def running(self) -> bool: ...
    @property
    def incarnation(self) -> int: ...
    @property
    def guests(self) -> Set[model.InstanceId]: ...


class Lies:
    """False words about hosts: a device that read off, or an operator who
    vouched for it, while it had power."""

    def __init__(self, machines: Mapping[str, Machine]) -> None:
        self._machines = machines
        self._of: dict[str, int] = {}

    def read(self, entry: journal.Entry) -> None:
        """A device has answered."""
        if entry.details["state"] == model.PowerState.OFF:
            self._said_off(str(entry.details["host"]))

    def confirmed(self, entry: journal.Entry) -> None:
        """An operator has vouched for a host."""
        self._said_off(str(entry.details["host"]))

    def _said_off(self, host: str) -> None:
        machine = self._machines.get(host)
        if machine is not None and machine.power:
            self._of[host] = machine.incarnation

    def about(self, host: str) -> bool:
        """One was told of what a host runs at this very moment."""
        machine = self._machines.get(host)
        told = self._of.get(host)
        return machine is not None and told == machine.incarnation


@dataclasses.dataclass(slots=True, kw_only=True)
class Truth:
    """Everything, as it is at this very moment."""

    clock: Callable[[], float]
    machines: Mapping[str, Machine]
    engines: Collection[str]
    tree: tree_log.TreeLog
    policy: policy_mod.Policy
    leader: Callable[[], str | None]
    """The engine whose node is the lowest, if its session lives."""
    service: Callable[[str], model.ServiceReport | None]
    """A host's nova-compute as Nova has it recorded."""
    servers: Callable[[], Mapping[model.InstanceId, model.Instance]] = dict
    """All instances, as Nova has them recorded."""
    nova_delay: Callable[[], float] = float
    """Mean time that an answer of Nova's is on its way now, in seconds."""
    report_interval: float = 10.0
    """Seconds between two reports of a nova-compute."""
    lies: Lies = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.lies = Lies(self.machines)

    @property
    def now(self) -> float:
        return self.clock()

    @property
    def acting(self) -> float:
        """How old news may be that an engine acts upon, in seconds.

        A wave may start :data:`evacuation.STALE` after its survey has
        arrived; its requests leave once the case is saved, and nothing
        leaves when the lease has run out meanwhile.
        """
        return evacuation.STALE + self.policy.leader_lease + DEVICE

    def writes(self, host: str, instance: model.InstanceId) -> bool:
        """Whether a guest on a host can write: a frozen one counts."""
        machine = self.machines[host]
        return machine.power and machine.running and instance in machine.guests

    def writers(self, instance: model.InstanceId) -> list[str]:
        return [
            host
            for host in sorted(self.machines)
            if self.writes(host, instance)
        ]

    def beacon_age(self, host: str) -> float | None:
        """For how long a host's beacon has been there; None: it is not."""
        since = self.tree.beacons.get(host)
        return None if since is None else self.now - since

    def report_age(self, host: str) -> float | None:
        """Seconds since a host's nova-compute has last reported."""
        service = self.service(host)
        if service is None or service.reported_at is None:
            return None
        return (utc(self.now) - service.reported_at).total_seconds()

    def shows_life(self, host: str) -> bool:
        """Whether an engine can have seen that a host, proven to be off,
        lives: its beacon, or the second report of its nova-compute."""
        age = self.beacon_age(host)
        return (age is not None and age > self.acting) or self._reports(host)

    def _reports(self, host: str) -> bool:
        log, service = self.tree.cases.get(host), self.service(host)
        if log is None or log.evidence_at is None or service is None:
            return False
        if service.reported_at is None:
            return False
        # One report may have waited in the queue; by then there are two.
        seen = log.evidence_at + self.report_interval + self.acting
        return service.reported_at > utc(seen)

    def deceived(self, host: str) -> bool:
        """Whether what an open case rests on is a lie that nobody can see
        through: the host has shown no sign of life since."""
        return self.lies.about(host) and not self.shows_life(host)

    def source(self, entry: journal.Entry) -> str:
        """Whence an evacuation is asked for: the host whose case wants it.
        Nova may book the instance elsewhere by now, which a repeat cannot
        know."""
        booked = str(entry.details["source"])
        if booked in self.tree.cases:
            return booked
        for host, log in sorted(self.tree.cases.items()):
            for move in log.case.moves:
                if (move.instance, move.target) == (
                    entry.details["instance"],
                    entry.details["target"],
                ):
                    return host
        return booked

    def confirmed(self, host: str) -> bool:
        """The case of a host rests on an operator's word."""
        log = self.tree.cases.get(host)
        evidence = None if log is None else log.case.evidence
        return (
            evidence is not None
            and evidence.kind is EvidenceKind.OPERATOR_CONFIRMED
        )


def utc(at: float) -> datetime.datetime:
    """The time of day of a moment of the run, on a clock that is right."""
    return kernel.START + datetime.timedelta(seconds=at)
