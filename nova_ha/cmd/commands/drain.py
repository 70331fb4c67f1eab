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

"""``nova-ha host maintenance on HOST --drain``: look, ask, show, again."""

import threading

from nova_ha import exception
from nova_ha import ports
from nova_ha.cmd import process
from nova_ha.cmd import render
from nova_ha.cmd.commands import base
from nova_ha.core import drain
from nova_ha.core import model
from nova_ha.core.drain import Standing
from nova_ha.core.model import HostName
from nova_ha.core.model import InstanceId

INTERVAL = 5.0
"""Seconds between two looks; each takes a handful of requests, however many
instances there are."""


def _ours(service: model.ServiceReport) -> bool:
    """Whether it was a drain that has disabled it."""
    return service.disabled_reason.startswith(drain.REASON)


def live_service(
    compute: ports.Compute, host: HostName
) -> model.ServiceReport:
    """The nova-compute of a host.

    :raises ComputeError: it is not up: nothing can be migrated off it.
    """
    service = _service(compute, host)
    if service is None or not service.up:
        raise exception.ComputeError(
            f"the nova-compute of {host} is not up: nothing can be migrated "
            "off it (nova-ha evacuate is for a host that is dead)"
        )
    return service


def _service(
    compute: ports.Compute, host: HostName
) -> model.ServiceReport | None:
    return next((one for one in compute.services() if one.host == host), None)


def close(
    compute: ports.Compute, service: model.ServiceReport, why: str
) -> str:
    """Have Nova put nothing new on a host.

    :param why: it is in maintenance.
    :returns: what holds now, in words.
    """
    if not service.disabled:
        compute.disable(service.service_id, f"{drain.REASON}: {why}")
    elif not _ours(service):
        return f"was disabled before ({service.disabled_reason})"
    return "is disabled"


def reopen(compute: ports.Compute, host: HostName) -> str:
    """Take back what :func:`close` has done, and nothing else.

    :returns: what holds now, in words; empty: there is nothing to say.
    """
    service = _service(compute, host)
    if service is None or not service.disabled:
        return ""
    if not _ours(service):
        return f"stays disabled ({service.disabled_reason})"
    compute.enable(service.service_id)
    return "is enabled again"


class Drain:
    """Moves what can be moved off a host, and shows how far it is.

    :param cold: also what is stopped, by cold migration.
    """

    def __init__(
        self,
        command: base.Command,
        compute: ports.Compute,
        migrator: ports.Migrator,
        host: HostName,
        *,
        cold: bool,
    ) -> None:
        self._command = command
        self._clock = command.context.clock
        self._compute = compute
        self._migrator = migrator
        self._host = host
        self._cold = cold
        self._tries: dict[InstanceId, drain.Try] = {}
        self._names: dict[InstanceId, str] = {}
        self._told: dict[InstanceId, str] = {}
        self._stopped = threading.Event()
        self._status = base.ATTENTION

    def run(self) -> int:
        """:returns: the exit status."""
        process.run_until_signalled(self._go_on, self._stopped.set)
        return self._status

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            try:
                look = self._look()
                self._tell(look)
                if look.over:
                    self._end(look)
                    return
                self._ask(look)
            except exception.ComputeUnavailable as error:
                self._command.note(f"Nova does not answer: {error}")
            self._clock.wait(self._stopped, INTERVAL)
        self._command.note(
            "No further move is begun; those under way go on. The same "
            "command again goes on from there."
        )

    def _look(self) -> drain.Look:
        instances = self._compute.instances(self._host)
        self._names.update({one.id: one.name for one in instances})
        return drain.look(
            self._host,
            instances,
            self._compute.migrations(self._host),
            self._tries,
            self._clock.monotonic(),
            cold=self._cold,
        )

    # -- asking --

    def _ask(self, look: drain.Look) -> None:
        for item in look.next:
            if self._stopped.is_set():
                return
            self._move(item)
        for item in look.of(Standing.ARRIVED):
            try:
                self._migrator.confirm_migration(item.instance)
            except exception.ComputeRefused as error:
                self._command.note(f"{self._name(item)}: {error}")

    def _move(self, item: drain.Item) -> None:
        # Known before it is sent: an answer may get lost.
        tried = drain.Try(at=self._clock.monotonic(), newest=item.newest)
        self._tries[item.instance] = tried
        ways = {
            drain.Way.LIVE: self._migrator.live_migrate,
            drain.Way.COLD: self._migrator.cold_migrate,
        }
        try:
            ways[item.way](item.instance)
        except exception.ComputeRefused as error:
            self._tries[item.instance] = drain.Try(
                at=tried.at, newest=tried.newest, refused=str(error)
            )

    # -- telling --

    def _name(self, item: drain.Item) -> str:
        return render.plain(self._names.get(item.instance, item.name))

    def _tell(self, look: drain.Look) -> None:
        now = {one.instance: one for one in look.items}
        for instance in self._told.keys() - now.keys():
            del self._told[instance]
            name = render.plain(self._names.get(instance, instance))
            self._command.say(f"{name}: has left")
        for item in look.items:
            words = f"{item.standing.value}: {render.plain(item.reason)}"
            if item.reason and self._told.get(item.instance) != words:
                self._command.say(f"{self._name(item)}: {words}")
            self._told[item.instance] = words

    def _end(self, look: drain.Look) -> None:
        if not look.items:
            self._status = 0
            self._command.say(f"{self._host} is empty")
            return
        left = ", ".join(map(self._name, look.items))
        self._command.say(
            f"{len(look.items)} instances are left on {self._host}: {left}"
        )
