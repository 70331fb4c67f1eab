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

"""Nova on virtual time: its services and databases, and everybody who uses it.

Modelled after Nova 34 (2026.2), from its source; where it does something that
an engine has to cope with, a comment names the place. The pieces:

* :mod:`nova_ha.sim.nova_records`: what its databases hold;
* :mod:`nova_ha.sim.nova_compute`: nova-compute on each machine;
* :mod:`nova_ha.sim.nova_evacuation`: API, conductor, scheduler and target of
  an evacuation;
* :mod:`nova_ha.sim.nova_moves`: live and cold migrations;
* :mod:`nova_ha.sim.nova_api`: the port, with all that can happen to a request;
* :mod:`nova_ha.sim.nova_knobs`: what a script can turn.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nova_ha import exception
from nova_ha.core import model
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines as machines_mod
from nova_ha.sim import network
from nova_ha.sim import nova_api
from nova_ha.sim import nova_compute
from nova_ha.sim import nova_evacuation
from nova_ha.sim import nova_knobs
from nova_ha.sim import nova_moves
from nova_ha.sim import nova_power
from nova_ha.sim import nova_records

OPERATOR = "operator"


class Nova(nova_knobs.Knobs):
    """The truth about Nova; its knobs, and what its other users do.

    Whatever Nova refuses to an operator is noted in the journal as
    ``nova.refused``.
    """

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        networks: network.Networks,
        journal: journal_mod.Journal,
        machines: Mapping[str, machines_mod.Machine],
        *,
        report_interval: float = 10.0,
        rebuild_seconds: tuple[float, float] = (1.0, 4.0),
    ) -> None:
        super().__init__(kernel, report_interval, rebuild_seconds)
        self._networks = networks
        self._journal = journal
        self._machines = machines
        self.records = nova_records.Records(kernel, journal, self, machines)
        self.computes: dict[str, nova_compute.NovaCompute] = {}
        for host, machine in machines.items():
            self.computes[host] = nova_compute.NovaCompute(
                machine, self.records, networks, self.computes
            )
        self.evacuations = nova_evacuation.Evacuations(
            self.records, self.computes
        )
        self._services = nova_api.Services(self.records, self.computes)

    def api(self, program: kernel_mod.Program, node: str) -> nova_api.Api:
        """The port, for one engine."""
        return nova_api.Api(
            program,
            node,
            self._networks,
            self.records,
            self.evacuations,
            self._services,
            self.computes,
        )

    # -- the truth -----------------------------------------------------------

    @property
    def servers(self) -> Mapping[model.InstanceId, model.Instance]:
        return self.records.servers

    @property
    def migrations(self) -> list[model.Migration]:
        """Oldest first."""
        return self.records.migrations()

    @property
    def capacity(self) -> dict[str, Mapping[str, int]]:
        """What each host has to give, by resource class; may be changed."""
        return self.records.capacity

    @property
    def hypervisor_types(self) -> dict[model.HostName, str]:
        """By host; may be changed."""
        return self.records.hypervisor_types

    def service(self, host: str) -> model.ServiceReport:
        """A nova-compute as it is recorded, with the time of its own last
        report."""
        service = self.records.services[host]
        return dataclasses.replace(
            self.records.service_report(service),
            reported_at=service.last_seen_up,
        )

    def boot(
        self,
        instance: model.InstanceId,
        host: str,
        resources: Mapping[str, int] = nova_records.FLAVOR,
        *,
        vm_state: str = "active",
        off: bool = False,
        **others: Any,
    ) -> None:
        """There has long been this server on ``host``, booted from a volume.

        :param off: its guest does not run.
        :param others: further fields of :class:`model.Instance`.
        """
        running, shutdown = nova_compute.RUNNING, nova_compute.SHUTDOWN
        self.records.servers[instance] = model.Instance(
            id=instance,
            name=str(instance),
            host=model.HostName(host),
            vm_state=vm_state,
            power_state=shutdown if off else running,
            resources=resources,
            **others,
        )
        self.records.claim(instance, host)
        if not off:
            self._machines[host].start_guest(instance)

    # -- what operators and users do ----------------------------------------

    def operator_evacuate(
        self, instance: model.InstanceId, target: str | None = None
    ) -> None:
        """An operator evacuates by hand; without a target, to a host of the
        scheduler's choice."""
        server = self.servers.get(instance)
        self._journal.note(
            OPERATOR,
            "nova.evacuate-sent",
            f"{instance} to {target or 'any host'}",
            instance=instance,
            target=target,
            source=None if server is None else server.host,
        )
        with self._refusals("evacuate"):
            self.evacuations.request(OPERATOR, instance, target)

    def operator_force_down(self, host: str, forced: bool) -> None:
        self._journal.note(
            OPERATOR,
            "nova.force-down",
            f"{host} {'down' if forced else 'up again'}",
            host=host,
            forced=forced,
        )
        with self._refusals("force-down"):
            self._services.force_down(host, forced)

    def operator_disable(self, host: str, reason: str) -> None:
        self._journal.note(
            OPERATOR,
            "nova.disabled",
            f"{host}: {reason}",
            host=host,
            reason=reason,
        )
        with self._refusals("disable"):
            self._services.set_disabled(host, True, reason)

    def operator_enable(self, host: str) -> None:
        self._journal.note(
            OPERATOR, "nova.enabled", host, host=host, reason=""
        )
        with self._refusals("enable"):
            self._services.set_disabled(host, False, "")

    def live_migrate(self, instance: model.InstanceId, dest: str) -> None:
        """Move a running guest. What dies on the way cuts it short."""
        with self._refusals("live-migrate"):
            server = nova_moves.check(self.records, instance, dest)
            record = self._begin(server, nova_moves.LIVE, "accepted", dest)
            self.records.set_task(instance, "migrating")
            task = nova_moves.LiveMigration(instance, record, dest)
            self._cast(server.host, "live-migration", task)

    def cold_migrate(self, instance: model.InstanceId, dest: str) -> None:
        """Move a guest by stopping it. It ends ``resized``, until
        :meth:`confirm_resize`."""
        with self._refusals("migrate"):
            server = nova_moves.check(self.records, instance, dest)
            record = self._begin(
                server, nova_moves.COLD, "pre-migrating", dest
            )
            self.records.set_task(instance, "resize_prep")
            task = self._cold(self.records.migration(record))
            self._cast(dest, "prep-resize", task.prepare)

    def confirm_resize(self, instance: model.InstanceId) -> None:
        """The user confirms a cold migration."""
        with self._refusals("confirm"):
            record = self.records.first_migration(instance, "finished")
            if record is None:
                raise exception.ComputeRefused(f"{instance}: not resized", 409)
            self.records.set_status(record, "confirming")
            task = self._cold(self.records.migration(record))
            self._cast(task.source, "confirm-resize", task.confirm)

    def stop(self, instance: model.InstanceId) -> None:
        self._power(nova_power.STOP, instance)

    def start(self, instance: model.InstanceId) -> None:
        self._power(nova_power.START, instance)

    def suspend(self, instance: model.InstanceId) -> None:
        self._power(nova_power.SUSPEND, instance)

    def pause(self, instance: model.InstanceId) -> None:
        self._power(nova_power.PAUSE, instance)

    def delete(self, instance: model.InstanceId) -> None:
        """Gone at once. Its guest is destroyed by its nova-compute, at its
        next start if it does not answer now."""
        server = self.servers.get(instance)
        if server is None or server.host is None:
            return
        self.records.delete(instance)
        compute = self.computes[server.host]
        if compute.answers:
            compute.cast(
                "delete", lambda compute: compute.machine.stop_guest(instance)
            )

    # -- inside --------------------------------------------------------------

    @contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        """Note what Nova does not do for an operator."""
        try:
            yield
        except (exception.ComputeError, nova_api.NoAnswer) as error:
            self._journal.note(OPERATOR, "nova.refused", f"{what}: {error}")

    def _begin(
        self, server: model.Instance, kind: str, status: str, dest: str
    ) -> int:
        self.records.claim(server.id, dest)
        return self.records.add_migration(kind, status, server, dest)

    def _cold(self, one: model.Migration) -> nova_moves.ColdMigration:
        return nova_moves.ColdMigration(
            one.instance, one.id, str(one.source), str(one.dest)
        )

    def _power(
        self, action: nova_power.Action, instance: model.InstanceId
    ) -> None:
        with self._refusals(action.name):
            nova_power.ask(self.records, self.computes, action, instance)

    def _cast(
        self,
        host: str | None,
        name: str,
        task: Callable[[nova_compute.NovaCompute], None],
    ) -> None:
        """By way of the conductor."""
        compute = self.computes[str(host)]
        self._kernel.after(self.hop(), lambda: compute.cast(name, task))
