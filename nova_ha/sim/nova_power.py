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

"""Users start, stop, suspend and pause their servers."""

import dataclasses
from collections.abc import Mapping

from nova_ha import exception
from nova_ha.core import model
from nova_ha.core.model import record
from nova_ha.sim import nova_compute
from nova_ha.sim import nova_records


@record
class Action:
    """What a user can ask for.

    :ivar runs: whether the hypervisor runs the guest afterwards; a paused one
        counts: it can go on at any time.
    """

    name: str
    task: str
    runs: bool
    allowed: frozenset[str]
    vm_state: str
    power_state: int


_ACTIVE = frozenset(["active"])

START = Action(
    name="start",
    task="powering-on",
    runs=True,
    allowed=frozenset(["stopped", "suspended", "paused"]),
    vm_state="active",
    power_state=nova_compute.RUNNING,
)
STOP = Action(
    name="stop",
    task="powering-off",
    runs=False,
    allowed=frozenset(["active", "error"]),
    vm_state="stopped",
    power_state=nova_compute.SHUTDOWN,
)
SUSPEND = Action(
    name="suspend",
    task="suspending",
    runs=False,
    allowed=_ACTIVE,
    vm_state="suspended",
    power_state=nova_compute.SHUTDOWN,
)
PAUSE = Action(
    name="pause",
    task="pausing",
    runs=True,
    allowed=_ACTIVE,
    vm_state="paused",
    power_state=nova_compute.PAUSED,
)


def begin(
    records: nova_records.Records,
    action: Action,
    instance: model.InstanceId,
) -> model.HostName:
    """What the API does. Returns the host that is to act.

    :raises ComputeRefused:
    """
    server = records.servers.get(instance)
    if server is None or server.host is None:
        raise exception.ComputeRefused(f"no instance {instance}", 404)
    if server.vm_state not in action.allowed or server.task_state is not None:
        raise exception.ComputeRefused(
            f"{instance} is {server.task_state or server.vm_state}", 409
        )
    records.set_task(instance, action.task)
    return server.host


def ask(
    records: nova_records.Records,
    computes: Mapping[str, nova_compute.NovaCompute],
    action: Action,
    instance: model.InstanceId,
) -> None:
    """A request has arrived; it is handed on to the server's host.

    :raises ComputeRefused:
    """
    compute = computes[begin(records, action, instance)]
    task = Do(action, instance)
    records.kernel.after(
        records.knobs.hop(), lambda: compute.cast(action.name, task)
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Do:
    """What nova-compute does. It ends without a word if something else has
    been begun since."""

    action: Action
    instance: model.InstanceId

    def __call__(self, compute: nova_compute.NovaCompute) -> None:
        compute.conductor()
        server = compute.records.servers.get(self.instance)
        if server is None or server.task_state != self.action.task:
            return
        if self.action.runs:
            compute.machine.start_guest(self.instance)
        else:
            compute.machine.stop_guest(self.instance)
        compute.records.change(
            self.instance,
            vm_state=self.action.vm_state,
            power_state=self.action.power_state,
        )
        compute.records.set_task(self.instance, None)
