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

"""An evacuation in Nova: accepted, scheduled, rebuilt on its target.

There is no idempotency: what keeps two rebuilds of an instance apart is only
``task_state``, which each new request sets back to ``rebuilding``. So a second
request that comes while the target of the first is starting the guest gets
past all checks, and the guest runs twice.
"""

import dataclasses
from collections.abc import Callable, Mapping

from nova_ha import exception
from nova_ha.core import model
from nova_ha.core import moves
from nova_ha.sim import nova_compute
from nova_ha.sim import nova_knobs
from nova_ha.sim import nova_records
from nova_ha.sim.nova_knobs import Outcome

Filter = Callable[[model.InstanceId, str], bool]
"""A filter of nova-scheduler: may this instance go to this host?"""


class Evacuations:
    """What the API, the conductor and the scheduler do for one."""

    def __init__(
        self,
        records: nova_records.Records,
        computes: Mapping[str, nova_compute.NovaCompute],
    ) -> None:
        self.filters: list[Filter] = []
        """Of nova-scheduler, beside those for live and enabled hosts with
        room."""
        self._records = records
        self._computes = computes

    # -- the API -------------------------------------------------------------

    def request(
        self, who: str, instance: model.InstanceId, target: str | None
    ) -> None:
        """A request has arrived.

        :param target: None: the scheduler is to choose.
        :raises ComputeRefused:
        :raises CellDown: the server cannot be read.
        """
        server = self._check(instance, target)
        records = self._records
        records.set_task(instance, "rebuilding")
        identity = records.add_migration(
            "evacuation", "accepted", server, target
        )
        records.journal.note(
            who,
            "nova.evacuate-accepted",
            f"{instance} to {target or 'any host'}",
            instance=instance,
            target=target,
            source=server.host,
            record=identity,
        )
        records.kernel.after(
            records.knobs.hop(),
            lambda: self._conduct(server, target, identity),
        )

    def _check(
        self, instance: model.InstanceId, target: str | None
    ) -> model.Instance:
        """As nova.api.openstack.compute.evacuate does at 2.94. The task state
        is not looked at."""
        server = self._records.servers.get(instance)
        if server is None or server.host is None:
            raise exception.ComputeRefused(f"no instance {instance}", 404)
        if not self._records.knobs.cell_answers(server.host):
            raise exception.CellDown(f"the cell of {instance} is down")
        if target is not None and target not in self._records.services:
            raise exception.ComputeRefused(f"no compute host {target}", 404)
        if target == server.host:
            raise exception.ComputeRefused("it is on that host already", 400)
        if server.vm_state not in moves.EVACUABLE or not server.launched:
            raise exception.ComputeRefused(f"it is {server.vm_state}", 409)
        if self._records.is_up(server.host):
            raise exception.ComputeRefused(
                f"compute service of {server.host} is still in use", 400
            )
        return server

    # -- the conductor -------------------------------------------------------

    def _conduct(
        self, server: model.Instance, target: str | None, own: int
    ) -> None:
        """Choose a host and send the request there.

        :param server: as it was when the API took the request.
        :param own: the record that the API has made of it.
        """
        records = self._records
        outcome = records.knobs.outcome()
        if server.id not in records.servers:
            return
        if not records.knobs.cell_answers(server.host):
            return  # an error that nobody handles: accepted for ever
        record = records.first_migration(server.id, "accepted")
        records.journal.note(
            "nova", "nova.evacuation-conducted", own=own, record=record
        )
        host = self._schedule(server, target)
        if host is None or outcome is Outcome.ERROR:
            records.set_status(record, "error")
            records.change(server.id, vm_state="error")
            records.set_task(server.id, None)
            return
        records.claim(server.id, host)
        if outcome is not Outcome.LOST:
            rebuild = Rebuild(server, record, outcome)
            self._computes[host].cast("rebuild", rebuild)

    def _schedule(
        self, server: model.Instance, target: str | None
    ) -> str | None:
        """The host with the most free memory among those that pass."""
        passing = [
            host
            for host in sorted(self._records.services)
            if host != server.host
            and target in (None, host)
            and self._records.takes_instances(host)
            and nova_records.fits(server.resources, self._records.free(host))
            and all(passes(server.id, host) for passes in self.filters)
        ]
        return max(
            passing,
            key=lambda host: self._records.free(host).get("MEMORY_MB", 0),
            default=None,
        )


class _Failed(Exception):
    """The rebuild has failed.

    :ivar preempted: the task state was not what it should be; so Nova leaves
        it to whoever has changed it.
    """

    def __init__(self, *, preempted: bool = False) -> None:
        self.preempted = preempted
        super().__init__()


@dataclasses.dataclass(frozen=True, slots=True)
class Rebuild:
    """What a target does (nova.compute.manager ``rebuild_instance``)."""

    server: model.Instance
    """As the API has seen it."""
    record: int | None
    outcome: nova_knobs.Outcome

    def __call__(self, compute: nova_compute.NovaCompute) -> None:
        try:
            self._rebuild(compute)
        except _Failed as failure:
            self._fail(compute, failure)

    def _rebuild(self, compute: nova_compute.NovaCompute) -> None:
        seconds = compute.knobs.rebuild_time(self.server.id)
        self._claim(compute)
        if self.outcome is Outcome.STUCK:
            return
        compute.pause(0.3 * seconds)
        if self.outcome is Outcome.FAILED:
            raise _Failed
        self._advance(compute, "rebuilding", "rebuild_spawning")
        compute.pause(0.4 * seconds)
        compute.machine.start_guest(self.server.id)
        if self.outcome is Outcome.STUCK_RUNNING:
            return
        compute.pause(0.2 * seconds)
        if self.outcome is Outcome.FAILED_RUNNING:
            raise _Failed
        self._advance(compute, "rebuild_spawning", None)
        self._set_state(compute)
        compute.pause(0.1 * seconds)
        self._finish(compute)

    def _claim(self, compute: nova_compute.NovaCompute) -> None:
        """The record found may be that of another request: from now on it
        names this target, and the other one stays ``accepted``."""
        compute.conductor()
        compute.records.set_status(self.record, "pre-migrating", compute.host)
        if self.server.id in compute.machine.guests:
            raise _Failed
        self._advance(compute, "rebuilding", "rebuilding")

    def _advance(
        self,
        compute: nova_compute.NovaCompute,
        expected: str,
        task: str | None,
    ) -> None:
        """Set the task state, if it is as expected."""
        compute.conductor()
        server = compute.records.servers.get(self.server.id)
        if server is None or server.task_state != expected:
            raise _Failed(preempted=True)
        compute.records.set_task(server.id, task)

    def _set_state(self, compute: nova_compute.NovaCompute) -> None:
        """The guest runs; one that was stopped before is stopped again. Its
        host still is the old one."""
        stopped = self.server.vm_state == "stopped"
        if stopped:
            compute.machine.stop_guest(self.server.id)
        compute.records.change(
            self.server.id,
            vm_state="stopped" if stopped else "active",
            power_state=(
                nova_compute.SHUTDOWN if stopped else nova_compute.RUNNING
            ),
        )

    def _finish(self, compute: nova_compute.NovaCompute) -> None:
        compute.conductor()
        if self.server.id in compute.records.servers:
            compute.records.change(self.server.id, host=compute.host)
        compute.records.set_status(self.record, "done")

    def _fail(
        self, compute: nova_compute.NovaCompute, failure: _Failed
    ) -> None:
        """The guest is left as it is, running or not."""
        records = compute.records
        compute.conductor()
        records.set_status(self.record, "failed")
        if self.server.id not in records.servers:
            return
        records.release(self.server.id, compute.host)
        records.change(self.server.id, vm_state="error")
        if not failure.preempted:
            records.set_task(self.server.id, None)
