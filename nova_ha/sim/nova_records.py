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

"""Nova's databases: services, servers, migration records, allocations.

The truth about what Nova believes, which is not the truth about guests: that
is with the machines.
"""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping

from nova_ha.core import model
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import nova_knobs

CAPACITY = {"VCPU": 64, "MEMORY_MB": 262144}
FLAVOR = {"VCPU": 1, "MEMORY_MB": 2048}

Amounts = Mapping[str, int]


@dataclasses.dataclass(slots=True)
class Service:
    """The record of a nova-compute."""

    host: model.HostName
    updated_at: datetime.datetime
    """When the record was written last, by anybody: all that the API shows
    of its reports."""
    last_seen_up: datetime.datetime
    """When it reported last."""
    forced_down: bool = False
    disabled: bool = False
    reason: str = ""

    @property
    def id(self) -> str:
        return f"service-{self.host}"


class Records:
    """What Nova's and Placement's databases hold."""

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        journal: journal_mod.Journal,
        knobs: nova_knobs.Knobs,
        hosts: Iterable[str],
    ) -> None:
        self.kernel = kernel
        self.journal = journal
        self.knobs = knobs
        self.services = {
            host: Service(model.HostName(host), kernel.utc, kernel.utc)
            for host in hosts
        }
        self.capacity: dict[str, Amounts] = dict.fromkeys(
            self.services, CAPACITY
        )
        self.hypervisor_types = dict.fromkeys(
            map(model.HostName, self.services), "QEMU"
        )
        self.servers: dict[model.InstanceId, model.Instance] = {}
        """Without those that were deleted."""
        self._migrations: dict[int, model.Migration] = {}
        self._allocations: dict[model.InstanceId, dict[str, Amounts]] = {}

    # -- services ------------------------------------------------------------

    def report(self, host: str) -> None:
        """A nova-compute has reported."""
        service = self.services[host]
        service.updated_at = service.last_seen_up = self.kernel.utc

    def is_up(self, host: str) -> bool:
        """Whether Nova takes a service to be alive."""
        service = self.services[host]
        silent = self.kernel.utc - service.last_seen_up
        return (
            not service.forced_down
            and silent.total_seconds() <= self.knobs.service_down_time
        )

    def takes_instances(self, host: str) -> bool:
        """Whether the scheduler's ComputeFilter lets a host pass."""
        return self.is_up(host) and not self.services[host].disabled

    def service_report(self, service: Service) -> model.ServiceReport:
        """A service as the API shows it."""
        return model.ServiceReport(
            host=service.host,
            service_id=service.id,
            reported_at=service.updated_at,
            up=self.is_up(service.host),
            forced_down=service.forced_down,
            disabled=service.disabled,
            disabled_reason=service.reason,
            zone="nova",
        )

    # -- servers -------------------------------------------------------------

    def change(
        self,
        instance: model.InstanceId,
        *,
        vm_state: str = "",
        power_state: int | None = None,
        host: str | None = None,
    ) -> None:
        """Change what is given, in a server that exists."""
        server = self.servers[instance]
        if power_state is None:
            power_state = server.power_state
        self.servers[instance] = dataclasses.replace(
            server,
            vm_state=vm_state or server.vm_state,
            power_state=power_state,
            host=server.host if host is None else model.HostName(host),
        )

    def set_task(self, instance: model.InstanceId, task: str | None) -> None:
        self.servers[instance] = dataclasses.replace(
            self.servers[instance], task_state=task
        )

    def delete(self, instance: model.InstanceId) -> None:
        """Its migration records go with it, and its allocations."""
        del self.servers[instance]
        self._allocations.pop(instance, None)

    # -- migration records ---------------------------------------------------

    def add_migration(
        self, kind: str, status: str, server: model.Instance, dest: str | None
    ) -> int:
        """Write a new record. Returns its id."""
        identity = len(self._migrations) + 1
        self._migrations[identity] = model.Migration(
            id=identity,
            instance=server.id,
            kind=kind,
            status=status,
            source=server.host,
            dest=None if dest is None else model.HostName(dest),
            created_at=self.kernel.utc,
        )
        self._note(identity)
        return identity

    def set_status(
        self, identity: int | None, status: str, dest: str | None = None
    ) -> None:
        """Change a record. None: Nova has found none to change."""
        if identity is None:
            return
        one = self._migrations[identity]
        self._migrations[identity] = dataclasses.replace(
            one,
            status=status,
            dest=one.dest if dest is None else model.HostName(dest),
            updated_at=self.kernel.utc,
        )
        self._note(identity)

    def migration(self, identity: int) -> model.Migration:
        return self._migrations[identity]

    def migrations(
        self, instance: model.InstanceId | None = None
    ) -> list[model.Migration]:
        """Oldest first, without those of deleted servers.

        :param instance: only those of this server.
        """
        return [
            one
            for one in self._migrations.values()
            if one.instance in self.servers
            and instance in (None, one.instance)
        ]

    def first_migration(
        self, instance: model.InstanceId, status: str
    ) -> int | None:
        """The record that Nova finds when it looks for one in ``status``: not
        always the one that belongs to the request at hand
        (nova.db.main.api ``migration_get_by_instance_and_status``)."""
        for one in self.migrations(instance):
            if one.status == status:
                return one.id
        return None

    def _note(self, identity: int) -> None:
        one = self._migrations[identity]
        self.journal.note(
            "nova",
            "nova.migration",
            f"{one.instance}: {one.kind} from {one.source} to "
            f"{one.dest or 'any host'} is {one.status}",
            record=identity,
            status=one.status,
            instance=one.instance,
            kind=one.kind,
            source=one.source,
            dest=one.dest,
        )

    # -- allocations ---------------------------------------------------------

    def claim(self, instance: model.InstanceId, host: str) -> None:
        """Have an instance hold its resources on a host, beside others."""
        held = self._allocations.setdefault(instance, {})
        held[host] = self.servers[instance].resources

    def release(self, instance: model.InstanceId, host: str | None) -> None:
        self._allocations.get(instance, {}).pop(host or "", None)

    def free(self, host: str) -> dict[str, int]:
        """What nobody holds on a host, by resource class."""
        left = dict(self.capacity[host])
        for held in self._allocations.values():
            for name, amount in held.get(host, {}).items():
                left[name] = left.get(name, 0) - amount
        return left


def fits(request: Amounts, free: Amounts) -> bool:
    return all(free.get(name, 0) >= amount for name, amount in request.items())
