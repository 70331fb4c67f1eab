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

"""Fleets of any size that say what agents and Nova say in production."""

import datetime
import heapq
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping

from nova_ha import clock as clock_module
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.engine import service

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

GUESTS = 40
"""Instances of a host."""

REPORT = 10.0
"""Seconds between two reports of a nova-compute (Nova's default)."""

POLL = 1.0
"""Seconds between two looks at all services (evidence.services)."""

COLLECT = 5.0
"""Seconds between two inventories of an agent (its default)."""

COMPLETE = 5.0
"""Seconds between two complete reads of the tree (coordination.watching)."""

Traffic = Iterator[tuple[float, events.Event]]


class VirtualClock(clock_module.Clock):
    """Time is what ``now`` says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def boottime(self) -> float:
        return self.now

    def utcnow(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=self.now)

    def wait(self, event: threading.Event, timeout: float) -> bool:
        self.now += timeout
        return event.is_set()

    def spawn(
        self, body: Callable[[], None], name: str
    ) -> clock_module.Thread:
        raise AssertionError("a controller starts no threads")


class Fleet:
    """Enrolled hosts, each with :data:`GUESTS` guests.

    :param dead: so many, the first ones, have neither agent nor nova-compute.
    """

    def __init__(self, size: int, dead: int = 0) -> None:
        self.names = [model.HostName(f"cmp{n:05}") for n in range(size)]
        self.alive = self.names[dead:]
        self.facts = {name: _facts(name) for name in self.alive}
        for name in self.names[:dead]:
            self.facts[name] = model.HostFacts(
                host=name, record=_facts(name).record
            )
        self._services = {name: _service(name, START) for name in self.names}

    def look(self, at: float) -> events.ServicesRead:
        """All services; a tenth of them has reported in the last second.

        As in production every look makes new objects of equal value.
        """
        moment = START + datetime.timedelta(seconds=at)
        for name in self.alive[int(at) % 10 :: 10]:
            self._services[name] = _service(name, moment)
        reports = {name: _again(one) for name, one in self._services.items()}
        return events.ServicesRead(services=reports, began=at)

    def collect(self, name: model.HostName) -> events.HostsRead:
        """An agent has listed its guests once more."""
        before = self.facts[name]
        inventory = before.inventory
        assert inventory is not None
        self.facts[name] = model.HostFacts(
            host=name,
            record=before.record,
            beacon=before.beacon,
            inventory=model.GuestInventory(
                host=name,
                boot_id=inventory.boot_id,
                guests=frozenset([*inventory.guests]),
                sequence=inventory.sequence + 1,
            ),
        )
        return events.HostsRead(hosts={name: self.facts[name]})

    def complete(self) -> events.HostsRead:
        """Everything, read again: equal to what is known."""
        hosts = {
            name: model.HostFacts(
                host=name,
                record=one.record,
                beacon=one.beacon,
                inventory=one.inventory,
            )
            for name, one in self.facts.items()
        }
        return events.HostsRead(hosts=hosts, complete=True)

    def reporting(self, at: float) -> events.ServicesRead:
        """All services, each of which has just reported."""
        moment = START + datetime.timedelta(seconds=at)
        self._services = {name: _service(name, moment) for name in self.names}
        return self.look(at)

    def nodes(self, paths: paths_module.Paths) -> dict[str, znodes.Node]:
        """What ZooKeeper holds about all hosts, as it is read."""
        found = {}
        for name, facts in self.facts.items():
            for path, payload in (
                (paths.host(name), facts.record),
                (paths.beacon(name), facts.beacon),
                (paths.guests(name), facts.inventory),
            ):
                data = codec.encode(payload, path)
                found[path] = znodes.Node(path, data, 0, 1, 1, owner=1)
        return found

    def traffic(self, began: float, seconds: float) -> Traffic:
        """What happens in ``seconds``, each event at its time; ticks where
        nothing else does, as the engine's loop makes them."""
        last = began
        for at, event in heapq.merge(
            self._polls(began, seconds),
            self._inventories(began, seconds),
            self._complete_reads(began, seconds),
            key=lambda one: one[0],
        ):
            while at - last > service.TICK_IDLE:
                last += service.TICK_IDLE
                yield last, events.Tick()
            last = at
            yield at, event

    def _polls(self, began: float, seconds: float) -> Traffic:
        for number in range(int(seconds / POLL)):
            at = began + number * POLL
            yield at, self.look(at)

    def _inventories(self, began: float, seconds: float) -> Traffic:
        """One event for each: a large fleet's are read in batches, which
        would only be cheaper."""
        step = COLLECT / len(self.alive)
        for number in range(int(seconds / step)):
            name = self.alive[number % len(self.alive)]
            yield began + number * step, self.collect(name)

    def _complete_reads(self, began: float, seconds: float) -> Traffic:
        for number in range(int(seconds / COMPLETE)):
            at = began + number * COMPLETE
            yield at, events.ControlRead(control=model.Control(armed=True))
            yield at, events.ConfirmationsRead(confirmations={})
            yield at, events.ContendersRead(contenders=())
            yield at, self.complete()


def as_read(
    name: model.HostName,
    paths: paths_module.Paths,
    nodes: Mapping[str, znodes.Node],
    decoder: reading.Decoder,
) -> model.HostFacts:
    """A host as :class:`reading.HostReader` decodes its nodes."""
    return model.HostFacts(
        host=name,
        record=decoder.decode(model.HostRecord, nodes[paths.host(name)]),
        beacon=decoder.decode(
            model.Beacon, nodes[paths.beacon(name)], session=1
        ),
        inventory=decoder.decode(
            model.GuestInventory, nodes[paths.guests(name)]
        ),
    )


def _facts(name: model.HostName) -> model.HostFacts:
    boot = model.BootId(str(uuid.uuid4()))
    machine = uuid.uuid4().hex
    guests = frozenset(
        model.InstanceId(str(uuid.uuid4())) for _ in range(GUESTS)
    )
    return model.HostFacts(
        host=name,
        record=model.HostRecord(
            host=name,
            machine_id=machine,
            service_id=f"service-{name}",
            failure_domain=f"rack-{int(name[3:]) // 40}",
        ),
        beacon=model.Beacon(host=name, boot_id=boot, machine_id=machine),
        inventory=model.GuestInventory(
            host=name, boot_id=boot, guests=guests, sequence=1
        ),
    )


def _service(
    name: model.HostName, at: datetime.datetime
) -> model.ServiceReport:
    return model.ServiceReport(
        host=name, service_id=f"service-{name}", reported_at=at, up=True
    )


def _again(one: model.ServiceReport) -> model.ServiceReport:
    return model.ServiceReport(
        host=one.host,
        service_id=one.service_id,
        reported_at=one.reported_at,
        up=one.up,
    )
