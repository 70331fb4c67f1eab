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

"""Migrations that users and operators ask for, and what cuts them short.

After a live migration has switched over, the guest runs on the destination
while Nova names the source until the post step. A cold migration stops its
guest on the source, and books it on the destination before it is started
there.
"""

import dataclasses
import enum

from nova_ha import exception
from nova_ha.core import model
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines
from nova_ha.sim import nova_compute
from nova_ha.sim import nova_records

LIVE = "live-migration"
COLD = "migration"


def check(
    records: nova_records.Records, instance: model.InstanceId, dest: str
) -> model.Instance:
    """Whether Nova would begin to migrate an instance.

    :raises ComputeRefused:
    """
    server = records.servers.get(instance)
    if server is None or server.host is None:
        raise exception.ComputeRefused(f"no instance {instance}", 404)
    if server.vm_state != "active" or server.task_state is not None:
        raise exception.ComputeRefused(f"{instance} is busy or down", 409)
    if dest == server.host or dest not in records.services:
        raise exception.ComputeRefused(f"not to {dest}", 400)
    if not records.is_up(server.host) or not records.takes_instances(dest):
        raise exception.ComputeRefused("no valid host", 400)
    return server


# -- live migration ----------------------------------------------------------


class Phase(enum.Enum):
    """How far the hypervisors have got."""

    COPYING = enum.auto()
    SWITCHED = enum.auto()
    FAILED = enum.auto()


class Transfer:
    """The copying of a running guest, which needs both hypervisors, but no
    nova-compute."""

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        instance: model.InstanceId,
        ends: tuple[machines.Machine, machines.Machine],
        seconds: float,
    ) -> None:
        self.phase = Phase.COPYING
        self._kernel = kernel
        self._instance = instance
        self._source, self._dest = ends
        self._incarnations = self._now()
        kernel.after(seconds, self._switch)

    def _now(self) -> tuple[int, int]:
        return self._source.incarnation, self._dest.incarnation

    def abort(self) -> None:
        """Give it up, unless it is too late."""
        if self.phase is Phase.COPYING:
            self.phase = Phase.FAILED

    def _switch(self) -> None:
        """Stop the guest here, and let it go on there, at one moment."""
        if self.phase is not Phase.COPYING:
            return
        if self._now() != self._incarnations:
            self.phase = Phase.FAILED
        elif self._source.frozen or self._dest.frozen:
            self._kernel.after(1.0, self._switch)
        elif self._instance not in self._source.guests:
            self.phase = Phase.FAILED
        else:
            self._source.stop_guest(self._instance)
            self._dest.start_guest(self._instance)
            self.phase = Phase.SWITCHED


@dataclasses.dataclass(frozen=True, slots=True)
class LiveMigration:
    """What the source does (nova.compute.manager ``live_migration``)."""

    instance: model.InstanceId
    record: int
    dest: str

    def __call__(self, compute: nova_compute.NovaCompute) -> None:
        self._set_status(compute, "queued")
        compute.pause(compute.knobs.hop())
        self._set_status(compute, "preparing")
        if not compute.peers[self.dest].answers:
            self._roll_back(compute)
            return
        self._set_status(compute, "running")
        if self._copy(compute):
            self._book_on_dest(compute)
        else:
            self._roll_back(compute)

    def _set_status(
        self, compute: nova_compute.NovaCompute, status: str
    ) -> None:
        compute.conductor()
        compute.records.set_status(self.record, status)

    def _copy(self, compute: nova_compute.NovaCompute) -> bool:
        """:returns: whether the guest runs on the destination now."""
        transfer = Transfer(
            compute.kernel,
            self.instance,
            (compute.machine, compute.peers[self.dest].machine),
            compute.knobs.live_seconds,
        )
        compute.aborts[self.instance] = transfer.abort
        while transfer.phase is Phase.COPYING:
            compute.pause(0.5)
        compute.aborts.pop(self.instance, None)
        return transfer.phase is Phase.SWITCHED

    def _roll_back(self, compute: nova_compute.NovaCompute) -> None:
        self._set_status(compute, "failed")
        if self.instance in compute.records.servers:
            compute.records.release(self.instance, self.dest)
            compute.records.set_task(self.instance, None)

    def _book_on_dest(self, compute: nova_compute.NovaCompute) -> None:
        """The post step, which the destination itself has to take part in.
        If it does not, the instance is booked there all the same, in ERROR
        (nova.compute.manager ``_post_live_migration_update_host``)."""
        compute.pause(compute.knobs.post_seconds)
        compute.conductor()
        answered = compute.peers[self.dest].answers
        if self.instance in compute.records.servers:
            compute.records.change(
                self.instance,
                host=self.dest,
                vm_state="active" if answered else "error",
            )
            compute.records.set_task(self.instance, None)
        compute.pause(compute.knobs.hop())
        self._set_status(compute, "completed" if answered else "error")
        if answered:
            compute.records.release(self.instance, compute.host)


# -- cold migration ----------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class ColdMigration:
    """Its steps, each in the queue of the host that it is for. A step ends
    without a word where the task state shows that it is out of date."""

    instance: model.InstanceId
    record: int
    source: str
    dest: str

    def prepare(self, compute: nova_compute.NovaCompute) -> None:
        """On the destination: claim."""
        if self._advance(compute, "resize_prep", "resize_prep"):
            compute.peers[self.source].cast("resize", self.send)

    def send(self, compute: nova_compute.NovaCompute) -> None:
        """On the source: stop the guest, copy its disk, hand it over."""
        if not self._advance(compute, "resize_prep", "resize_migrating"):
            return
        compute.records.set_status(self.record, "migrating")
        compute.machine.stop_guest(self.instance)
        compute.pause(compute.knobs.copy_seconds)
        if not self._advance(compute, "resize_migrating", "resize_migrated"):
            return
        compute.records.change(self.instance, host=self.dest)
        compute.records.set_status(self.record, "post-migrating")
        compute.peers[self.dest].cast("finish-resize", self.finish)

    def finish(self, compute: nova_compute.NovaCompute) -> None:
        """On the destination: start the guest; then the user is to confirm."""
        if not self._advance(compute, "resize_migrated", "resize_finish"):
            return
        compute.machine.start_guest(self.instance)
        compute.pause(compute.knobs.hop())
        if self._advance(compute, "resize_finish", None):
            compute.records.change(self.instance, vm_state="resized")
            compute.records.set_status(self.record, "finished")

    def confirm(self, compute: nova_compute.NovaCompute) -> None:
        """On the source: remove what was kept to go back."""
        compute.conductor()
        compute.records.set_status(self.record, "confirmed")
        compute.records.release(self.instance, self.source)
        server = compute.records.servers.get(self.instance)
        if server is not None and server.vm_state == "resized":
            compute.records.change(self.instance, vm_state="active")

    def _advance(
        self,
        compute: nova_compute.NovaCompute,
        expected: str,
        task: str | None,
    ) -> bool:
        compute.conductor()
        server = compute.records.servers.get(self.instance)
        if server is None or server.task_state != expected:
            return False
        compute.records.set_task(self.instance, task)
        return True
