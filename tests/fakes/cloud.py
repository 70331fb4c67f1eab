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

"""A small world behind the engine's ports, on a clock that a test turns.

For unit tests of the controller together with the core; nothing here is
random or concurrent.
"""

import collections
import dataclasses
import datetime
import threading

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import catalogue
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import quarantine as quarantine_mod
from nova_ha.engine import controller as controller_mod
from nova_ha.engine import executor as executor_mod
from nova_ha.engine import metering
from nova_ha.engine import performer as performer_mod
from tests.fakes import fencing_file
from tests.fakes import host as host_mod

START = host_mod.START


class FakeClock(clock_mod.Clock):
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def boottime(self):
        return self.now

    def utcnow(self):
        return START + datetime.timedelta(seconds=self.now)

    def wait(self, event, timeout):
        self.now += timeout
        return event.is_set()

    def spawn(self, body, name):
        raise AssertionError("nothing here is concurrent")

    def sleep(self, seconds):
        self.wait(threading.Event(), seconds)


class Notifier(ports.Notifier):
    mistakes_expected = False

    def __init__(self):
        self.events = []

    def emit(self, event):
        self.events.append(event)
        if event.code == "engine.mistake" and not self.mistakes_expected:
            raise AssertionError(event.message)

    def codes(self):
        return [event.code for event in self.events]


class StrictNotifier(Notifier):
    """Takes only what the catalogue promises."""

    def emit(self, event):
        super().emit(event)
        problem = catalogue.problem(event)
        if problem:
            raise AssertionError(problem)


class Cloud(
    fencing_file.FencingFile,
    ports.Membership,
    ports.CaseStore,
    ports.Compute,
    ports.Fencing,
    ports.Leadership,
):
    """All the servers, seen through all the ports of the engine."""

    def __init__(self, names=("a", "b", "c", "d"), instances=2):
        self.clock = FakeClock()
        self.hosts = {name: host_mod.Host(name) for name in names}
        self.control = model.Control(armed=True)
        self.epoch = model.Epoch(1)
        self.stored = {}
        self.unreadable = {}  # hosts whose case cannot be read, and why
        self.history = {}
        self.verdicts = {}
        self.confirmations = {}
        self.asked = {}
        self.servers = {}
        self.records = []
        self.calls = []
        self.rebuild_seconds = 2.0
        self.outcomes = collections.deque()
        self.nova_down = False
        for name in names:
            for number in range(instances):
                self.boot(name, f"{name}{number}")

    def boot(self, host, server):
        identity = model.InstanceId(server)
        self.servers[identity] = model.Instance(
            id=identity,
            name=f"server-{server}",
            host=model.HostName(host),
            vm_state="active",
            resources={"VCPU": 1},
        )
        self.hosts[host].guests.add(identity)

    # -- membership --

    def start(self, sink):
        raise AssertionError("driven by hand")

    def stop(self):
        raise AssertionError("driven by hand")

    def read_host(self, host):
        return self.hosts[host].facts()

    def read_control(self):
        return self.control

    # -- leadership --

    def check(self, epoch):
        if epoch != self.epoch:
            raise exception.NotLeading("another epoch")

    # -- the store --

    def load(self):
        return ports.StoredCases(
            cases=[
                ports.StoredCase(*stored)
                for host, stored in self.stored.items()
                if host not in self.unreadable
            ],
            unreadable=dict(self.unreadable),
        )

    def save(self, case, version):
        self.check(case.epoch)
        held = self.stored.get(case.host)
        if (None if held is None else held[1]) != version:
            raise exception.StaleVersion(case.host, version)
        self.stored[case.host] = (case, (version or 0) + 1)
        return (version or 0) + 1

    def close(self, case, version):
        self.check(case.epoch)
        del self.stored[case.host]
        self.history[case.id] = case

    def publish(self, epoch, host, verdict):
        self.check(epoch)
        if verdict is None:
            self.verdicts.pop(host, None)
        else:
            self.verdicts[host] = verdict

    def published(self):
        return list(self.verdicts.values())

    def enrol(self, epoch, record):
        self.calls.append(("enrol", record.host))

    def count_death(self, epoch, host, at):
        self.check(epoch)
        self.hosts[host].incidents = quarantine_mod.with_incident(
            self.hosts[host].facts().record, at
        )

    def quarantine(self, epoch, host, quarantine):
        self.check(epoch)
        self.hosts[host].quarantine = quarantine
        if quarantine is None:
            self.hosts[host].incidents = ()

    def bar(self, epoch, host, barred):
        self.check(epoch)
        self.hosts[host].barred = {**barred, **self.hosts[host].barred}

    def keep_fencing(self, epoch, host, health):
        self.check(epoch)
        self.hosts[host].fencing = health

    def consume(self, epoch, case):
        self.confirmations.pop(case, None)

    def drop_request(self, epoch, request):
        self.check(epoch)
        if self.asked.get(request.host) == request:
            del self.asked[request.host]

    def drop_beacon(self, epoch, host, session):
        self.check(epoch)
        self.calls.append(("drop_beacon", host, session))

    # -- Nova --

    def _nova(self):
        if self.nova_down:
            raise exception.ComputeUnavailable("no answer")

    def services(self):
        self._nova()
        return [host.service() for host in self.hosts.values()]

    def hypervisor_types(self):
        return dict.fromkeys(self.hosts, "QEMU")

    def _host_of(self, service_id):
        return self.hosts[service_id.removeprefix("service-")]

    def force_down(self, service_id, forced):
        self._nova()
        host = self._host_of(service_id)
        self.calls.append(("force_down", host.name, forced))
        host.forced_down = forced

    def disable(self, service_id, reason):
        self.calls.append(("disable", self._host_of(service_id).name))
        self._host_of(service_id).disabled_reason = reason

    def enable(self, service_id):
        self.calls.append(("enable", self._host_of(service_id).name))
        self._host_of(service_id).disabled_reason = ""

    def instances(self, host):
        self._nova()
        return [one for one in self.servers.values() if one.host == host]

    def instance(self, instance):
        return self.servers.get(instance)

    def migrations(self, host):
        self._nova()
        self._settle()
        return [one for one in self.records if host in (one.source, one.dest)]

    def instance_migrations(self, instance):
        return [one for one in self.records if one.instance == instance]

    def targets(self, resources):
        return [
            model.Target(host=host.name, free={"VCPU": 8, "MEMORY_MB": 1})
            for host in self.hosts.values()
        ]

    def evacuate(self, instance, target):
        self.calls.append(("evacuate", instance, target))
        self._nova()
        server = self.servers[instance]
        if server.host != target and self.hosts[server.host].guests & {
            instance
        }:
            raise AssertionError(f"{instance} still runs on {server.host}")
        self.records.append(
            model.Migration(
                id=len(self.records) + 1,
                instance=instance,
                kind="evacuation",
                status="accepted",
                source=server.host,
                dest=target,
                created_at=self.clock.utcnow(),
            )
        )

    def _settle(self):
        """Let evacuations end whose time has come."""
        self._claim()
        for index, one in enumerate(self.records):
            if one.status != "pre-migrating" or one.kind != "evacuation":
                continue
            age = self.clock.utcnow() - one.created_at
            if age.total_seconds() < self.rebuild_seconds:
                continue
            status = self.outcomes.popleft() if self.outcomes else "done"
            self.records[index] = dataclasses.replace(one, status=status)
            if status == "done":
                self.hosts[one.dest].guests.add(one.instance)
                self.servers[one.instance] = dataclasses.replace(
                    self.servers[one.instance], host=one.dest
                )

    def _claim(self):
        """Targets that run take the requests that wait for them."""
        for index, one in enumerate(self.records):
            if one.dest is None or one.status != "accepted":
                continue
            if self.hosts[one.dest].running:
                self.records[index] = dataclasses.replace(
                    one, status="pre-migrating"
                )

    def repair_state(self, instance):
        self.calls.append(("repair", instance))
        self.servers[instance] = dataclasses.replace(
            self.servers[instance], vm_state="active"
        )

    def stop_instance(self, instance):
        self.calls.append(("stop", instance))
        self.servers[instance] = dataclasses.replace(
            self.servers[instance], vm_state="stopped", power_state=4
        )

    def clean_up(self, host):
        """What nova-compute does at start after an evacuation."""
        self.records = [
            dataclasses.replace(one, status="completed")
            if one.source == host and one.status == "done"
            else one
            for one in self.records
        ]

    # -- devices --

    def power_state(self, host, barred=()):
        state = self.hosts[host].power
        if self.hosts[host].device in ("fails", "hung") or barred:
            state = model.PowerState.UNKNOWN
        return model.PowerReading(
            host=host,
            state=state,
            device=f"bmc-{host}",
            devices=(f"bmc-{host}",),
            seen_at=self.clock.utcnow(),
            error="no answer" if state is model.PowerState.UNKNOWN else "",
        )

    def fence(self, host, guard, barred=(), system_uuid=""):
        device = self.hosts[host]
        if system_uuid and device.device == "other machine" and not barred:
            return model.FenceOutcome(
                host=host,
                other_chassis=(f"bmc-{host}",),
                error="it controls another machine",
            )
        seen = model.FenceEvidence(
            kind=model.EvidenceKind.POWER_OFF_OBSERVED,
            by=f"bmc-{host}",
            devices=(f"bmc-{host}",),
            seen_at=self.clock.utcnow(),
        )
        if device.device == "fails" or barred:
            return model.FenceOutcome(host=host, error="no level confirmed")
        if device.power is model.PowerState.OFF:
            return model.FenceOutcome(host=host, evidence=seen)
        try:
            guard()
        except exception.FenceAborted as error:
            return model.FenceOutcome(
                host=host, aborted=error.reason, alive=error.alive
            )
        except exception.NotLeading as error:
            return model.FenceOutcome(host=host, aborted=str(error))
        self.calls.append(("off", host))
        if device.device != "lies":
            device.crash()
            device.power = model.PowerState.OFF
        return model.FenceOutcome(
            host=host,
            evidence=dataclasses.replace(seen, commanded=True),
            off_sent=True,
        )

    def power_on(self, host, barred=()):
        self.calls.append(("on", host))
        if self.hosts[host].device == "fails":
            raise exception.DeviceRefused(f"bmc-{host}", "it is broken")
        self.hosts[host].power_on()

    def examine(self, host, system_uuid):
        return [
            model.DeviceReport(
                device=f"bmc-{host}",
                level=1,
                power=self.hosts[host].power,
                problem="it is broken"
                if self.hosts[host].device in ("fails", "hung")
                else "another machine"
                if self.hosts[host].other_chassis
                else "",
                other_chassis=self.hosts[host].other_chassis,
            )
        ]

    def has_device(self, host):
        return True


class Queue(executor_mod.Executor):
    """Jobs wait until the test lets them run, or dies with them."""

    def __init__(self, performer):
        self._performer = performer
        self.waiting = collections.deque()

    def submit(self, job, epoch):
        self.waiting.append((job, epoch))

    def run_one(self):
        job, epoch = self.waiting.popleft()
        return self._performer.perform(job, epoch)


class EngineUnderTest:
    """The real controller and performer on a fake cloud."""

    def __init__(self, cloud, policy=None, epoch=1, meter=metering.NO_METER):
        self.cloud = cloud
        self.notifier = StrictNotifier()
        world = performer_mod.World(cloud, cloud, cloud, cloud, cloud)
        self.performer = performer_mod.Performer(
            world, cloud.clock, lambda calls: [call() for call in calls]
        )
        self.executor = Queue(self.performer)
        self.controller = controller_mod.Controller(
            policy or policy_mod.Policy(),
            cloud.clock,
            self.executor,
            self.notifier,
            meter,
        )
        cloud.epoch = model.Epoch(epoch)
        self.handle(events.ConnectionChanged(connected=True))
        self.look()
        self.handle(events.LeadershipChanged(epoch=model.Epoch(epoch)))

    def handle(self, event):
        self.controller.handle(event)
        self.drain()

    def drain(self):
        while self.executor.waiting:
            self.controller.handle(self.executor.run_one())

    def look(self):
        """See what ZooKeeper and Nova show now."""
        cloud = self.cloud
        self.handle(events.ControlRead(control=cloud.control))
        self.handle(
            events.ConfirmationsRead(confirmations=dict(cloud.confirmations))
        )
        self.handle(events.RequestsRead(requests=dict(cloud.asked)))
        self.handle(
            events.HostsRead(
                hosts={
                    host.name: host.facts() for host in cloud.hosts.values()
                },
                complete=True,
            )
        )
        if cloud.nova_down:
            self.handle(events.ServicesUnread(error="no answer"))
            return
        self.handle(
            events.ServicesRead(
                services={one.host: one for one in cloud.services()},
                began=cloud.clock.monotonic(),
            )
        )

    def run(self, seconds, step=0.5):
        """Let time pass; healthy hosts report every five seconds."""
        for _ in range(int(seconds / step)):
            self.cloud.clock.now += step
            for host in self.cloud.hosts.values():
                if host.compute and int(self.cloud.clock.now) % 5 == 0:
                    host.reported_at = self.cloud.clock.utcnow()
                if host.agent and self.cloud.clock.now % 5 == 0:
                    host.sequence += 1
            self.look()
            self.handle(events.Tick())

    def run_until(self, condition, seconds=300.0):
        """Let time pass until ``condition()``; it must come true."""
        for _ in range(int(seconds / 0.5)):
            if condition():
                return
            self.run(0.5)
        raise AssertionError(
            f"not in {seconds} s; cases: "
            f"{[one.case for one in self.controller.cases.values()]}"
        )

    def state(self, host):
        one = self.controller.cases.get(host)
        return None if one is None else one.case.state

    def case(self, host):
        return self.controller.cases[host].case
