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

"""nova-compute on each machine: it reports, and does what is in its queue.

A process of its machine: frozen and killed with it. What it was doing when it
was killed is left half-done, as nobody else knows of it; requests that nobody
has taken yet wait in the queue until it is back, hours later if need be.
"""

import collections
import functools
from collections.abc import Callable, Mapping

from nova_ha.core import model
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines
from nova_ha.sim import network
from nova_ha.sim import nova_records

RPC_TIMEOUT = 60.0
"""Seconds that it waits for the conductor's answer
(``[DEFAULT] rpc_response_timeout``)."""
FIRST_REPORT = 5.0
"""Seconds after its start, at the most (nova.servicegroup.api
``INITIAL_REPORT_DELAY``)."""
RETRY = 1.0
"""Seconds between two attempts to reach the message queue."""

RUNNING = 1
PAUSED = 3
SHUTDOWN = 4
"""Values of an instance's ``power_state`` (nova.compute.power_state)."""

_DESTROYED = ("accepted", "pre-migrating", "done")
"""Evacuations whose guests a returned source destroys
(nova.compute.manager ``_destroy_evacuated_instances``)."""

_REBUILDING = frozenset(
    ["rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"]
)


class Unanswered(Exception):
    """The conductor has not answered: whatever needed it is abandoned."""


Task = Callable[["NovaCompute"], None]
"""A request in the queue, carried out in a thread of the process."""


class NovaCompute:
    """One machine's nova-compute, through all its starts."""

    def __init__(
        self,
        machine: machines.Machine,
        records: nova_records.Records,
        networks: network.Networks,
        peers: Mapping[str, "NovaCompute"],
    ) -> None:
        """:param peers: all of them, by host."""
        self.machine = machine
        self.host = machine.host
        self.records = records
        self.knobs = records.knobs
        self.kernel = records.kernel
        self.peers = peers
        self.aborts: dict[model.InstanceId, Callable[[], None]] = {}
        """Ends a live migration that its hypervisor carries on by itself."""
        self._networks = networks
        self._queue: collections.deque[tuple[str, Task]] = collections.deque()
        self._retrying = False
        self._ready = False
        self._program: kernel_mod.Program | None = None
        machine.compute.starts.append(self._start)
        machine.compute.stops.append(lambda: self._end("stopped"))
        machine.compute.kills.append(lambda: self._end("killed"))

    # -- the process ---------------------------------------------------------

    def _start(self) -> None:
        self._program = self.machine.new_program("nova-compute")
        self.records.journal.note(self.host, "compute.started")
        self._program.spawn(self._run, "main")

    def _end(self, how: str) -> None:
        program, self._program = self._program, None
        self._ready = False
        self.records.journal.note(self.host, "compute.stopped", how)
        if program is not None:
            program.kill()

    def _run(self) -> None:
        while not self._connected():
            self.pause(RETRY)
        gone = self._destroy_evacuated()
        self._destroy_deleted()
        for server in self._booked():
            if server.id not in gone:
                self._init_instance(server)
        self._ready = True
        self._deliver()
        chance = self.kernel.chance(f"first report of {self.host}")
        self.pause(chance.uniform(0.5, 1.0) * FIRST_REPORT)
        while True:
            if self._connected():
                self.records.report(self.host)
            self.pause(self.knobs.report_interval)

    def _connected(self) -> bool:
        """Whether its conductor can be asked, and writes what it is told."""
        return self._reaches_queue() and self.knobs.cell_answers(self.host)

    def _reaches_queue(self) -> bool:
        return self._networks.reaches(self.host, network.Server.QUEUE)

    # -- requests ------------------------------------------------------------

    @property
    def answers(self) -> bool:
        """Whether a call to it would be answered now."""
        return (
            self._ready and not self.machine.frozen and self._reaches_queue()
        )

    def cast(self, name: str, task: Task) -> None:
        """Put a request into its queue."""
        self._queue.append((name, task))
        self.kernel.after(self.knobs.hop(), self._deliver)

    def _deliver(self) -> None:
        """Hand over what waits in the queue. A frozen process takes nothing:
        what it has not acknowledged is delivered to its successor."""
        if not self._ready or not self._queue:
            return
        if not self.answers:
            self._retry()
            return
        while self._queue and self._program is not None:
            name, task = self._queue.popleft()
            work = functools.partial(self._carry_out, task)
            self._program.spawn(work, name)

    def _retry(self) -> None:
        def again() -> None:
            self._retrying = False
            self._deliver()

        if not self._retrying:
            self._retrying = True
            self.kernel.after(RETRY, again)

    def _carry_out(self, task: Task) -> None:
        try:
            task(self)
        except Unanswered:
            # Nova logs it. What has been done by then stays as it is.
            return

    # -- for requests that are carried out ---------------------------------

    def pause(self, seconds: float) -> None:
        self.kernel.pause(seconds)

    def conductor(self) -> None:
        """To be called before any change of the records.

        :raises Unanswered: it cannot be reached.
        """
        deadline = self.kernel.now + RPC_TIMEOUT
        while not self._connected():
            if self.kernel.now >= deadline:
                raise Unanswered
            self.pause(RETRY)

    # -- its start -----------------------------------------------------------

    def _booked(self) -> list[model.Instance]:
        servers = self.records.servers.values()
        return [server for server in servers if server.host == self.host]

    def _destroy_evacuated(self) -> set[model.InstanceId]:
        """Destroy guests that were evacuated, or that somebody has begun to
        evacuate: records still under way are ``completed`` too. Of several
        records of an instance only the last one is."""
        last = {
            one.instance: one
            for one in self.records.migrations()
            if one.kind == "evacuation"
            and one.source == self.host
            and one.status in _DESTROYED
        }
        for instance, one in last.items():
            self.machine.stop_guest(instance)
            self.records.release(instance, self.host)
            self.records.set_status(one.id, "completed")
        return set(last)

    def _destroy_deleted(self) -> None:
        for instance in sorted(self.machine.guests):
            if instance not in self.records.servers:
                self.machine.stop_guest(instance)

    def _init_instance(self, server: model.Instance) -> None:
        """As nova.compute.manager ``_init_instance`` does, with
        ``resume_guests_state_on_host_boot``."""
        if server.vm_state == "error":
            return
        if server.task_state in _REBUILDING:
            self.records.change(server.id, vm_state="error")
            self.records.set_task(server.id, None)
        elif server.task_state == "migrating":
            self._reset_live_migration(server)
        else:
            if server.task_state == "resize_migrating":
                self.records.set_task(server.id, None)
            if server.power_state == RUNNING:
                self.machine.start_guest(server.id)

    def _reset_live_migration(self, server: model.Instance) -> None:
        """Nova aborts it if it still runs. It would also start a guest that
        has switched over already a second time; here it does not, or runs
        would be spoiled by what no engine has to do with."""
        abort = self.aborts.pop(server.id, None)
        if abort is not None:
            abort()
        running = self.records.first_migration(server.id, "running")
        self.records.set_status(running, "error")
        self.records.set_task(server.id, None)
