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

"""The operator's store as engines serve it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import oslo_messaging
from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha.assembly import operator
from nova_ha.conf import rpc as options
from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.core.model import HostName
from nova_ha.rpc import bus as bus_module
from nova_ha.rpc import callers
from nova_ha.rpc import credentials
from nova_ha.rpc import messages

_RETRIES = 1
"""A kept connection may have been closed in the meantime."""


def open_store(
    conf: cfg.ConfigOpts, clock: nova_clock.Clock, by: str
) -> operator.Store:
    """The store that the engines of this region serve; sends nothing yet.

    :param by: who says so, as far as this machine knows.
    :raises ConfigError: ``[DEFAULT] transport_url`` cannot be used.
    """
    transport = bus_module.transport(conf)
    target = oslo_messaging.Target(
        topic=messages.topic(conf.zookeeper.namespace),
        version=messages.VERSION,
    )
    client = oslo_messaging.get_rpc_client(
        transport, target, timeout=conf.rpc.timeout, retry=_RETRIES
    )
    return RemoteStore(
        bus_module.Bus(client, _context(conf, by), conf.rpc.timeout, clock)
    )


def _context(conf: cfg.ConfigOpts, by: str) -> Callable[[], Mapping[str, Any]]:
    if conf.rpc.auth_strategy == options.NOAUTH:
        return lambda: {callers.CLAIM: by}
    token = credentials.tokens(conf.rpc.timeout)
    return lambda: {callers.CLAIM: by, callers.TOKEN: token()}


class RemoteStore(operator.Store):
    """:class:`operator.Store` over the bus. All methods raise BusUnavailable
    and Forbidden as well. Who asks is what the engine finds out: ``by`` of
    the methods is not sent."""

    def __init__(self, bus: bus_module.Bus) -> None:
        self._bus = bus
        self._trail = _RemoteTrail(bus)

    def picture(self) -> operator.Picture:
        found = self._bus.ask("picture", messages.Picture)
        return operator.Picture(
            at=found.at,
            control=found.control,
            contenders=tuple(map(_contender, found.engines)),
            hosts={host: _facts(one) for host, one in found.hosts.items()},
            verdicts=found.verdicts,
            cases=found.cases,
        )

    def history(self) -> Sequence[model.RecoveryCase]:
        return self._bus.ask("history", messages.Cases).cases

    def switch(
        self,
        *,
        by: str,
        reason: str,
        armed: bool | None = None,
        paused: bool | None = None,
    ) -> model.Control:
        asked = messages.Switch(reason=reason, armed=armed, paused=paused)
        return self._bus.ask("switch", model.Control, asked)

    def confirm(
        self, case: model.RecoveryCase, *, by: str, comment: str
    ) -> None:
        asked = messages.Confirm(
            host=case.host,
            case=case.id,
            boot_id=case.boot_id,
            comment=comment,
        )
        self._bus.ask("confirm", messages.Nothing, asked)

    def request(
        self, request: model.EvacuationRequest
    ) -> model.EvacuationRequest:
        return self._bus.ask("request", model.EvacuationRequest, request)

    def requests(self) -> Mapping[HostName, model.EvacuationRequest]:
        found = self._bus.ask("requests", messages.Requests)
        return {one.host: one for one in found.requests}

    def maintenance(
        self, host: HostName, on: bool, *, by: str, reason: str
    ) -> model.HostRecord:
        asked = messages.Maintenance(host=host, on=on, reason=reason)
        return self._bus.ask("maintenance", model.HostRecord, asked)

    def release(self, host: HostName, *, by: str) -> model.Quarantine | None:
        asked = messages.Host(host=host)
        return self._bus.ask("release", messages.Released, asked).quarantine

    def reserve(self, host: HostName, on: bool) -> model.HostRecord:
        asked = messages.Reserve(host=host, on=on)
        return self._bus.ask("reserve", model.HostRecord, asked)

    def domains(
        self,
        host: HostName,
        *,
        failure: str | None = None,
        storage: str | None = None,
    ) -> model.HostRecord:
        asked = messages.Domains(host=host, failure=failure, storage=storage)
        return self._bus.ask("domains", model.HostRecord, asked)

    def facts(self, host: HostName) -> model.HostFacts:
        asked = messages.Host(host=host)
        return _facts(self._bus.ask("facts", messages.Facts, asked))

    def clear(self, host: HostName, device: str) -> model.Bar | None:
        asked = messages.Device(host=host, device=device)
        return self._bus.ask("clear", messages.Cleared, asked).bar

    @property
    def trail(self) -> operator.Trail:
        return self._trail

    def close(self) -> None:
        """The connection ends with the command."""


class _RemoteTrail:
    """:class:`operator.Trail` over the bus."""

    def __init__(self, bus: bus_module.Bus) -> None:
        self._bus = bus

    def begin(self, entry: audit.Entry) -> audit.Entry:
        return self._bus.ask("begin_deed", audit.Entry, entry)

    def end(self, entry: audit.Entry) -> None:
        self._bus.ask("end_deed", messages.Nothing, entry)

    def read(self) -> Sequence[audit.Entry]:
        return self._bus.ask("deeds", messages.Deeds).entries


def _contender(engine: messages.Engine) -> model.Contender:
    return model.Contender(
        engine=engine.engine,
        epoch=engine.epoch,
        leading=engine.leading,
        machine_id=engine.machine_id,
        refused=engine.refused,
    )


def _facts(host: messages.Facts) -> model.HostFacts:
    facts = host.facts
    if facts.beacon is None:
        return facts
    beacon = dataclasses.replace(facts.beacon, session=host.session)
    return dataclasses.replace(facts, beacon=beacon)
