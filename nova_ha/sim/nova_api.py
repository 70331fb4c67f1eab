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

"""Nova's and Placement's APIs, as one engine gets through to them.

A request that has left arrives, whatever becomes of its sender; an answer
finds its sender or does not. What adapters make of that is done by the real
ones' rules: see :class:`nova_ha.ports.Compute`.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from nova_ha import exception
from nova_ha import ports
from nova_ha.compute import services as services_mod
from nova_ha.core import model
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network
from nova_ha.sim import nova_compute
from nova_ha.sim import nova_evacuation
from nova_ha.sim import nova_power
from nova_ha.sim import nova_records
from nova_ha.sim.nova_knobs import Change
from nova_ha.sim.nova_knobs import Fate

T = TypeVar("T")


class NoAnswer(Exception):
    """Nova itself waits for something, for longer than anybody for it."""


class Services:
    """What changes the record of a nova-compute."""

    def __init__(
        self,
        records: nova_records.Records,
        computes: Mapping[str, nova_compute.NovaCompute],
    ) -> None:
        self._records = records
        self._computes = computes

    def force_down(self, host: str, forced: bool) -> None:
        """:raises ComputeRefused: as nova.api.openstack.compute.services
        ``_check_for_evacuations`` does.
        """
        service = self._writable(host)
        if not forced and self._has_evacuated(host):
            raise exception.ComputeRefused(
                f"unable to force up {host}: its `done` evacuations have not "
                "been cleaned up",
                400,
            )
        if service.forced_down != forced:
            # The database writes, and dates, what has changed.
            service.forced_down = forced
            service.updated_at = self._records.kernel.utc

    def _has_evacuated(self, host: str) -> bool:
        return any(
            one.kind == "evacuation"
            and one.source == host
            and one.status == "done"
            for one in self._records.migrations()
        )

    def set_disabled(self, host: str, disabled: bool, reason: str) -> None:
        """Takes effect first. Then Nova calls a nova-compute that counts as
        up, to have Placement told.

        :raises NoAnswer: that one is dead.
        """
        service = self._writable(host)
        changes = service.disabled != disabled
        if changes or service.reason != reason:
            service.disabled, service.reason = disabled, reason
            service.updated_at = self._records.kernel.utc
        called = changes and self._records.is_up(host)
        if called and not self._computes[host].answers:
            raise NoAnswer

    def _writable(self, host: str) -> nova_records.Service:
        """:raises ComputeRefused: there is no such service.
        :raises CellDown: its record cannot be written.
        """
        service = self._records.services.get(host)
        if service is None:
            raise exception.ComputeRefused(f"no service on {host}", 404)
        if not self._records.knobs.cell_answers(host):
            raise exception.CellDown(f"the cell of host {host} is down")
        return service


class _Call:
    """A request and its answer."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.answered = threading.Event()
        self.result: Any = None
        self.error: exception.NovaHaError | None = None


class Api(ports.Compute):
    """One engine's way to Nova."""

    def __init__(
        self,
        program: kernel_mod.Program,
        node: str,
        networks: network.Networks,
        records: nova_records.Records,
        evacuations: nova_evacuation.Evacuations,
        services: Services,
        computes: Mapping[str, nova_compute.NovaCompute],
    ) -> None:
        self._program = program
        self._node = node
        self._networks = networks
        self._records = records
        self._knobs = records.knobs
        self._kernel = records.kernel
        self._evacuations = evacuations
        self._services = services
        self._computes = computes
        self._times = services_mod.ReportTimes()

    # -- services ------------------------------------------------------------

    def services(self) -> Sequence[model.ServiceReport]:
        begun = self._times.begin()
        reports = self._ask("services", self._read_services)
        return self._times.correct(reports, begun)

    def _read_services(self) -> list[model.ServiceReport]:
        return [
            self._records.service_report(service)
            for service in self._records.services.values()
            if self._knobs.cell_answers(service.host)
        ]

    def hypervisor_types(self) -> Mapping[model.HostName, str]:
        def read() -> Mapping[model.HostName, str]:
            if self._knobs.down_cells:
                raise exception.ComputeUnavailable("a cell is down")
            return dict(self._records.hypervisor_types)

        return self._ask("hypervisors", read)

    def force_down(self, service_id: str, forced: bool) -> None:
        host = self._host(service_id)
        self._note(
            "nova.force-down",
            f"{host} {'down' if forced else 'up again'}",
            host=host,
            forced=forced,
        )
        self._change(
            Change.FORCE_DOWN, lambda: self._services.force_down(host, forced)
        )

    def disable(self, service_id: str, reason: str) -> None:
        host = self._host(service_id)
        self._note(
            "nova.disabled", f"{host}: {reason}", host=host, reason=reason
        )
        self._change(
            Change.DISABLE,
            lambda: self._services.set_disabled(host, True, reason),
        )

    def enable(self, service_id: str) -> None:
        host = self._host(service_id)
        self._note("nova.enabled", host, host=host, reason="")
        self._change(
            Change.ENABLE,
            lambda: self._services.set_disabled(host, False, ""),
        )

    def _host(self, service_id: str) -> str:
        """The host of a service; the id itself where there is none."""
        for host, service in self._records.services.items():
            if service.id == service_id:
                return host
        return service_id

    # -- instances and their migrations -------------------------------------

    def instances(self, host: model.HostName) -> Sequence[model.Instance]:
        def read() -> list[model.Instance]:
            self._require_cell(host)
            booked = [
                server
                for server in self._records.servers.values()
                if server.host == host
            ]
            return sorted(booked, key=lambda server: (server.name, server.id))

        return self._ask("instances", read)

    def instance(self, instance: model.InstanceId) -> model.Instance | None:
        def read() -> model.Instance | None:
            server = self._records.servers.get(instance)
            if server is not None:
                self._require_cell(server.host)
            return server

        return self._ask("instance", read)

    def migrations(self, host: model.HostName) -> Sequence[model.Migration]:
        def read() -> list[model.Migration]:
            self._require_cell(host)
            found = self._records.migrations()
            return [o for o in reversed(found) if host in (o.source, o.dest)]

        return self._ask("migrations", read)

    def instance_migrations(
        self, instance: model.InstanceId
    ) -> Sequence[model.Migration]:
        def read() -> list[model.Migration]:
            server = self._records.servers.get(instance)
            if server is not None:
                self._require_cell(server.host)
            return self._records.migrations(instance)[::-1]

        return self._ask("migrations of an instance", read)

    def _require_cell(self, host: str | None) -> None:
        if not self._knobs.cell_answers(host):
            raise exception.CellDown(f"the cell of host {host} is down")

    # -- recovery ------------------------------------------------------------

    def targets(
        self, resources: Collection[Mapping[str, int]]
    ) -> Sequence[model.Target]:
        def read() -> list[model.Target]:
            free = {
                host: self._records.free(host)
                for host, service in sorted(self._records.services.items())
                if not service.disabled
            }
            return [
                model.Target(host=model.HostName(host), free=left)
                for host, left in free.items()
                if any(
                    one and nova_records.fits(one, left) for one in resources
                )
            ]

        return self._ask("targets", read)

    def evacuate(
        self, instance: model.InstanceId, target: model.HostName
    ) -> None:
        server = self._records.servers.get(instance)
        self._note(
            "nova.evacuate-sent",
            f"{instance} to {target}",
            instance=instance,
            target=target,
            source=None if server is None else server.host,
        )

        def request() -> None:
            try:
                self._evacuations.request(self._node, instance, target)
            except exception.ComputeRefused as error:
                self._records.journal.note(
                    self._node,
                    "nova.evacuate-refused",
                    f"{instance} to {target}: {error}",
                    instance=instance,
                    target=target,
                )
                raise

        self._change(Change.EVACUATE, request)

    def repair_state(self, instance: model.InstanceId) -> None:
        def repair() -> None:
            if instance not in self._records.servers:
                raise exception.ComputeRefused(f"no instance {instance}", 404)
            self._require_cell(self._records.servers[instance].host)
            self._records.change(instance, vm_state="active")
            self._records.set_task(instance, None)

        self._note("nova.state-repaired", instance, instance=instance)
        self._change(Change.REPAIR, repair)

    def stop_instance(self, instance: model.InstanceId) -> None:
        def stop() -> None:
            nova_power.ask(
                self._records, self._computes, nova_power.STOP, instance
            )

        self._note("nova.stopped", instance, instance=instance)
        self._change(Change.STOP, stop)

    # -- on the way ----------------------------------------------------------

    def _note(self, what: str, message: str, **details: object) -> None:
        self._program.check_alive()
        self._records.journal.note(self._node, what, message, **details)

    def _change(self, change: Change, work: Callable[[], None]) -> None:
        self._ask(change.value, work, self._knobs.fate(change))

    def _ask(
        self, what: str, work: Callable[[], T], fate: Fate | None = None
    ) -> T:
        """Send a request and wait for its answer.

        :raises ComputeUnavailable: there is none in time.
        """
        self._program.check_alive()
        fate = fate or Fate()
        call = _Call(what)
        if not fate.request_lost:
            self._kernel.after(
                self._knobs.latency(what) + fate.delay,
                lambda: self._arrive(call, work, fate),
            )
        timeout = self._knobs.request_timeout
        if not self._program.clock.wait(call.answered, timeout):
            raise exception.ComputeUnavailable(f"nova: {what}: no answer")
        if call.error is not None:
            raise call.error
        result: T = call.result
        return result

    def _arrive(
        self, call: _Call, work: Callable[[], object], fate: Fate
    ) -> None:
        """At the API."""
        if not self._reaches():
            return
        try:
            if self._knobs.api_down:
                raise exception.ComputeUnavailable("nova: HTTP 503")
            call.result = work()
        except NoAnswer:
            return
        except exception.NovaHaError as error:
            call.error = error
        if not fate.answer_lost:
            self._kernel.after(
                self._knobs.latency(call.what), lambda: self._answer(call)
            )

    def _answer(self, call: _Call) -> None:
        if self._reaches():
            self._program.run(call.answered.set)

    def _reaches(self) -> bool:
        return self._networks.reaches(self._node, network.Server.NOVA)
