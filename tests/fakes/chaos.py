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

"""The fake cloud made hostile, and strict about what an engine may do.

Every port that changes something checks, at that moment and from the true
state of the cloud, what must hold. A violation is an AssertionError, which
no code of the engine catches.
"""

import dataclasses

from nova_ha import exception
from nova_ha.core import events
from nova_ha.core import gate
from nova_ha.core import leftovers
from nova_ha.core import model
from nova_ha.core import policy
from nova_ha.core import runners
from tests.fakes import cloud as fakes

RECENT = 8.5
"""Seconds within which a report is a sign of life that nobody may miss:
twice the largest gap between the fake's reports, 4.5 s, less one look."""


OPEN = ("accepted", "pre-migrating")
"""Nova may still do something for a record in one of these."""


class Violation(AssertionError):
    """Something that must never happen has happened."""


@dataclasses.dataclass
class Request:
    """An evacuation that has been asked for."""

    target: str
    deaths: int
    """How often the target had died by then."""
    at: float
    record: int | None = None
    """None: the request was lost on its way."""


class ChaosCloud(fakes.Cloud):
    """A cloud that knows what is true, and who is asking."""

    def __init__(self, names=("a", "b", "c", "d"), instances=2):
        self.actor = None
        """Epoch of the engine that is running right now."""
        self.deaths = dict.fromkeys(names, 0)
        self.requests = {}
        self.lose_requests = 0
        self.confirmed = set()
        """Cases for which an operator has given his word."""
        super().__init__(names, instances)

    # -- what happens to hosts --

    def crash(self, name, *, power):
        """The system of a host stops, perhaps because the power goes."""
        host = self.hosts[name]
        host.crash()
        host.power = power
        self.deaths[name] += 1

    def switch_on(self, name, *, agent):
        """A host starts, its agent perhaps not."""
        host = self.hosts[name]
        host.power_on()
        host.agent = agent
        host.goodbye = None

    def start_guests(self):
        """Hosts that have come back start what Nova still books on them,
        once their gate opens; their nova-compute cleans up before."""
        for name, host in self.hosts.items():
            held = self.stored.get(name)
            may, _ = gate.may_start(None if held is None else held[0])
            if not host.running or not may:
                continue
            self.clean_up(name)
            host.guests |= {
                one.id for one in self.servers.values() if one.host == name
            }

    def confirm(self, case, by):
        """An operator gives his word that the host of a case is off."""
        self.confirmed.add(case.id)
        self.confirmations[case.id] = model.Confirmation(
            case=case.id,
            host=case.host,
            boot_id=case.boot_id,
            by=by,
            at=self.clock.utcnow(),
        )

    def accept(self, case):
        """An operator leaves failed evacuations on their host."""
        self.hosts[case.host].acceptance = model.Acceptance(
            case=case.id, by="admin", at=self.clock.utcnow()
        )

    def calm(self):
        """All troubles are over; what is broken is mended, and operators
        destroy guests that run where Nova does not book them."""
        for case, _ in self.stored.values():
            if leftovers.undecided(case):
                self.accept(case)
        self.nova_down = False
        self.lose_requests = 0
        self.outcomes.clear()
        self.rebuild_seconds = 2.0
        self.control = model.Control(armed=True)
        for host in self.hosts.values():
            host.device, host.maintenance = "obeys", ""
            if not host.running:
                self.switch_on(host.name, agent=True)
            host.agent = host.compute = True
            host.goodbye = None
            host.guests = {
                one
                for one in host.guests
                if self.servers[one].host == host.name
            }
        for index, one in enumerate(self.records):
            if one.status in OPEN and self._died_since(one):
                # Nova itself never ends these; an operator does.
                self.records[index] = dataclasses.replace(one, status="failed")

    # -- what must hold --

    def check_all_run(self):
        """Each instance runs where Nova says that it does."""
        for server in self.servers.values():
            self.expect(
                server.id in self.hosts[server.host].guests,
                f"{server.id} does not run on {server.host}",
            )

    def check_single_writer(self):
        """No instance runs on two hosts."""
        for server in self.servers:
            hosts = [
                name
                for name, host in self.hosts.items()
                if host.running and server in host.guests
            ]
            self.expect(len(hosts) <= 1, f"{server} runs on {hosts}")

    def expect(self, holds, what):
        if not holds:
            raise Violation(f"{what}\ncalls: {self.calls}")

    def _check_permitted(self, what):
        self.expect(self.actor == self.epoch, f"{what} by a deposed engine")
        self.expect(
            self.control.armed and not self.control.paused,
            f"{what} while {self.control}",
        )

    def _case(self, host):
        held = self.stored.get(host)
        self.expect(held is not None, f"{host} has no saved case")
        return held[0]

    def _check_source(self, name):
        case = self._case(name)
        self.expect(case.evidence is not None, f"no evidence for {name}")
        self.expect(
            self.hosts[name].power is model.PowerState.OFF
            or case.id in self.confirmed,
            f"evacuation from {name}, which has power",
        )
        self.expect(self.hosts[name].forced_down, f"{name} is not forced down")

    def _check_pinned(self, instance, target):
        for earlier in self.requests.get(instance, []):
            if earlier.target == target or self._is_over(earlier):
                continue
            self.expect(
                self.deaths[earlier.target] > earlier.deaths,
                f"{instance} to {target}, but {earlier} is not over",
            )

    def _is_over(self, request):
        if request.record is None:
            # It was lost, and is too old to land any more.
            return self.clock.now - request.at > policy.Policy().takeover
        status = self.records[request.record - 1].status
        return status in runners.TERMINAL

    def _check_saved(self, instance, target):
        for case, _ in self.stored.values():
            for move in case.moves:
                if move.instance == instance and move.target == target:
                    return
        self.expect(False, f"{instance} to {target}: not saved before")

    # -- the ports --

    def evacuate(self, instance, target):
        self._check_permitted(f"evacuation of {instance}")
        server = self.servers[instance]
        self._check_saved(instance, target)
        if server.host == target:
            raise exception.ComputeRefused("it is there already")
        self._check_source(server.host)
        self._check_pinned(instance, target)
        request = Request(
            target=target, deaths=self.deaths[target], at=self.clock.now
        )
        self.requests.setdefault(instance, []).append(request)
        if self.lose_requests:
            self.lose_requests -= 1
            raise exception.ComputeUnavailable("timed out")
        super().evacuate(instance, target)
        request.record = len(self.records)

    def force_down(self, service_id, forced):
        self._check_permitted(f"force-down of {service_id}")
        super().force_down(service_id, forced)

    def disable(self, service_id, reason):
        self._check_permitted(f"disable of {service_id}")
        super().disable(service_id, reason)

    def enable(self, service_id):
        self._check_permitted(f"enable of {service_id}")
        super().enable(service_id)

    def fence(self, host, guard, barred=(), system_uuid=""):
        sent = self.calls.count(("off", host))

        def strict_guard():
            guard()
            self._check_power_off(self.hosts[host])

        outcome = super().fence(host, strict_guard, barred, system_uuid)
        if self.calls.count(("off", host)) > sent:
            self.deaths[host] += 1
        return outcome

    def _check_power_off(self, host):
        """In the last moment before the fake switches off."""
        self._check_permitted(f"power-off of {host.name}")
        self.expect(
            not host.protected and not host.maintenance,
            f"power-off of {host.name}, which is not ours",
        )
        case = self._case(host.name)
        if case.refencing:
            return
        self.expect(not host.agent, f"power-off of {host.name}: its beacon")
        age = (self.clock.utcnow() - host.reported_at).total_seconds()
        self.expect(
            case.off_sent or not host.compute or age > RECENT,
            f"power-off of {host.name}, which reported {age:g} s ago",
        )

    def _settle(self):
        """As the fake does; but a rebuild on a host that does not run, or
        has died since, does not go on, and one that fails may have started
        the guest."""
        self._claim()
        for index, one in enumerate(self.records):
            if one.status != "pre-migrating" or one.kind != "evacuation":
                continue
            age = self.clock.utcnow() - one.created_at
            if age.total_seconds() >= self.rebuild_seconds:
                self._end(index, one)

    def _end(self, index, one):
        dest = self.hosts[one.dest]
        if not dest.running or self._died_since(one):
            return
        outcome = self.outcomes.popleft() if self.outcomes else "done"
        if outcome in ("done", "failed-running"):
            dest.guests.add(one.instance)
        status = outcome.removesuffix("-running")
        self.records[index] = dataclasses.replace(one, status=status)
        if status == "done":
            self.servers[one.instance] = dataclasses.replace(
                self.servers[one.instance], host=one.dest
            )

    def _died_since(self, one):
        return any(
            request.record == one.id and self.deaths[one.dest] > request.deaths
            for request in self.requests.get(one.instance, [])
        )


class Killed(Exception):
    """The engine died between two jobs."""


class ChaosEngine(fakes.EngineUnderTest):
    """An engine that can be killed after any number of jobs."""

    def __init__(self, cloud, epoch=1, **options):
        self.number = model.Epoch(epoch)
        self.jobs_left = None
        super().__init__(cloud, epoch=epoch, **options)

    def handle(self, event):
        previous, self.cloud.actor = self.cloud.actor, self.number
        try:
            super().handle(event)
        finally:
            self.cloud.actor = previous

    def drain(self):
        while self.executor.waiting:
            if self.jobs_left is not None:
                if self.jobs_left <= 0:
                    raise Killed
                self.jobs_left -= 1
            self.controller.handle(self.executor.run_one())

    def wake_up(self):
        """A paused engine goes on where it was, deposed or not."""
        self.jobs_left = None
        previous, self.cloud.actor = self.cloud.actor, self.number
        try:
            self.drain()
        finally:
            self.cloud.actor = previous
        self.handle(events.Tick())

    def lose_zookeeper(self):
        self.handle(events.ConnectionChanged(connected=False))

    def find_zookeeper(self):
        self.handle(events.ConnectionChanged(connected=True))
        self.look()
