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

"""What is broken in the engines of :mod:`tests.unit.sim.variants`."""

import dataclasses

from nova_ha import exception
from nova_ha.coordination import znodes
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import proof
from nova_ha.core import runners
from nova_ha.fencing import procedure
from nova_ha.sim import kernel

OFF = model.PowerState.OFF


class Instead:
    """A port that is the real one but for what a subclass says."""

    def __init__(self, port):
        self._port = port

    def __getattr__(self, name):
        return getattr(self._port, name)


def port(name, cls):
    """An engine one of whose ports is another."""

    def change(ports):
        return dataclasses.replace(ports, **{name: cls(getattr(ports, name))})

    return change


# -- proof -------------------------------------------------------------------


class BelievesAnything(Instead):
    """Fenced without asking any device."""

    def fence(self, host, guard, *rest):
        return model.FenceOutcome(host=host, evidence=_evidence("nobody"))

    def power_state(self, host, barred=()):
        return _off(host)


class BelievesAcceptance(Instead):
    """A command that was accepted is a proof, and so is asked no more."""

    def __init__(self, port):
        super().__init__(port)
        self._accepted = set()

    def fence(self, host, guard, *rest):
        outcome = self._port.fence(host, guard, *rest)
        if outcome.off_sent:
            self._accepted.add(host)
            return model.FenceOutcome(
                host=host, evidence=_evidence("acceptance"), off_sent=True
            )
        return outcome

    def power_state(self, host, barred=()):
        if host in self._accepted:
            return _off(host)
        return self._port.power_state(host, barred)


class NeverReadsAgain(Instead):
    """Off once, off for ever."""

    def __init__(self, port):
        super().__init__(port)
        self._off = set()

    def fence(self, host, guard, *rest):
        outcome = self._port.fence(host, guard, *rest)
        if outcome.evidence is not None:
            self._off.add(host)
        return outcome

    def power_state(self, host, barred=()):
        if host in self._off:
            return _off(host)
        return self._port.power_state(host, barred)


class NoLastLook(Instead):
    def fence(self, host, guard, *rest):
        return self._port.fence(host, lambda: None, *rest)


def _evidence(by):
    return model.FenceEvidence(
        kind=model.EvidenceKind.POWER_OFF_OBSERVED, by=by, seen_at=kernel.START
    )


def _off(host):
    return model.PowerReading(host=host, state=OFF, seen_at=kernel.START)


def holds_whatever_beacons_say(case_work):
    return (
        not proof.in_doubt(case_work)
        and proof._power_agrees(case_work)
        and proof._sources_agree(case_work)
    )


def ask_later(self, level, ask=procedure.Round._ask_all):
    if not self._off_sent:
        return [model.PowerState.ON for _ in level]
    return ask(self, level)


# -- leading -----------------------------------------------------------------


class LeadsForEver(Instead):
    """Once elected, always elected."""

    def start(self, sink):
        def heard(event):
            lost = isinstance(event, events.LeadershipChanged)
            if not (lost and event.epoch is None):
                sink(event)

        self._port.start(heard)

    def check(self, epoch):
        return None


def ignores_the_epoch(ports):
    ports.store._leading = lambda epoch: znodes.Check("/")
    return dataclasses.replace(
        ports, leadership=LeadsForEver(ports.leadership)
    )


class LeaseWithoutEnd(Instead):
    """Believes what it was told last, however long ago."""

    def check(self, epoch):
        if self._port._epoch != epoch:
            raise exception.NotLeading("not in this epoch")


class WritesBehind(Instead):
    """A case is written when the next one is."""

    def __init__(self, port):
        super().__init__(port)
        self._due = {}

    def save(self, case, version):
        before = self._due.pop(case.host, None)
        if before is not None:
            version = self._port.save(before, version)
        if not case.moves:
            return self._port.save(case, version)
        self._due[case.host] = case
        return version


class ForgetsRequests(Instead):
    """Takes a case over as if nothing had been asked for yet."""

    def load(self):
        stored = self._port.load()
        cases = [
            dataclasses.replace(one, case=_forgotten(one.case))
            for one in stored.cases
        ]
        return dataclasses.replace(stored, cases=cases)


def _forgotten(case):
    moves = tuple(
        model.Move(instance=move.instance, name=move.name)
        if move.state.in_flight
        else move
        for move in case.moves
    )
    return dataclasses.replace(case, moves=moves)


# -- evacuating --------------------------------------------------------------


class ChoosesAnew(Instead):
    """Each repeat names another host."""

    def __init__(self, port):
        super().__init__(port)
        self._asked = {}

    def evacuate(self, instance, target):
        times = self._asked.setdefault(instance, 0)
        self._asked[instance] += 1
        if times:
            others = [
                one.host
                for one in self._port.services()
                if one.up and one.host != target
            ]
            target = others[times % len(others)]
        return self._port.evacuate(instance, target)


class BelievesAccepted(Instead):
    """A request that was accepted is done."""

    def migrations(self, host):
        return [_done(one) for one in self._port.migrations(host)]

    def instance_migrations(self, instance):
        found = self._port.instance_migrations(instance)
        return [_done(one) for one in found]


def _done(record):
    if record.status in runners.TERMINAL:
        return record
    return dataclasses.replace(record, status="done")


class NoAnswerIsNobody(Instead):
    """A cell that does not answer has no instances."""

    def instances(self, host):
        try:
            return self._port.instances(host)
        except exception.CellDown:
            return []

    def migrations(self, host):
        try:
            return self._port.migrations(host)
        except exception.CellDown:
            return []


class KeepsForcedDown(Instead):
    def force_down(self, service_id, forced):
        if forced:
            self._port.force_down(service_id, forced)


def nobody_runs_it(instance, source, records, agents, marks, **others):
    return runners.Finding(frozenset(), marks)


# -- operators ---------------------------------------------------------------


class Deaf(Instead):
    """Hears of hosts and switches only what ``filtered`` lets through."""

    def start(self, sink):
        self._port.start(lambda event: sink(self.filtered(event)))

    def read_host(self, host):
        return self.facts(self._port.read_host(host))

    def read_control(self):
        return self.control(self._port.read_control())

    def filtered(self, event):
        if isinstance(event, events.HostsRead):
            hosts = {
                name: self.facts(one) for name, one in event.hosts.items()
            }
            return dataclasses.replace(event, hosts=hosts)
        if isinstance(event, events.ControlRead):
            return events.ControlRead(control=self.control(event.control))
        return event

    def facts(self, facts):
        return facts

    def control(self, control):
        return control


class DeafToSwitches(Deaf):
    def control(self, control):
        return model.Control(armed=True)


class DeafToGoodbyes(Deaf):
    def facts(self, facts):
        return dataclasses.replace(facts, goodbye=None)


class DeafToMaintenance(Deaf):
    def facts(self, facts):
        if facts.record is None:
            return facts
        record = dataclasses.replace(
            facts.record, maintenance="", protected=""
        )
        return dataclasses.replace(facts, record=record)


def no_brake(ports):
    policy = dataclasses.replace(
        ports.policy, small_cloud=0, brake_fraction=1.0
    )
    return dataclasses.replace(ports, policy=policy)


def time_of_day(self):
    return self.utcnow().timestamp()
