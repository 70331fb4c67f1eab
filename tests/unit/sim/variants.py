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

"""Engines that are broken on purpose: they show that the checker can fail.

Each breaks one promise, at the ports where that is possible, and in the core
where it is not. Each comes with a scenario in which the sound engine is in
order and the broken one is caught, by the invariants that are named. So each
is caught in one run; its seed is 1 unless its scenario says another.
"""

import contextlib
import dataclasses
from collections.abc import Callable
from unittest import mock

from nova_ha import exception
from nova_ha.coordination import znodes
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import proof
from nova_ha.core import returning
from nova_ha.core import runners
from nova_ha.core import work
from nova_ha.fencing import procedure
from nova_ha.sim import kernel
from nova_ha.sim import script
from nova_ha.sim.script import Fault
from nova_ha.sim.script import Trigger

OFF = model.PowerState.OFF
HOSTS = 5
QUICK = policy_mod.Policy(soak_time=10.0)
STUBBORN = policy_mod.Policy(
    evacuation_attempts=20, evacuation_backoff_max=2.0
)


# -- scenarios ---------------------------------------------------------------


def fault(verb, *targets, at=0.0, when="", after=0.0, lasts=None, **given):
    trigger = Trigger(code=when, after=after) if when else None
    return Fault(
        verb=verb,
        targets=targets,
        at=at,
        when=trigger,
        lasts=lasts,
        parameters={name.rstrip("_"): one for name, one in given.items()},
    )


CRASH = fault("crash", "host-1", at=5.0)
BOTH = ("engine-1", "engine-2")


def scenario(*faults, policy=QUICK, seconds=60.0, seed=1, boot=20.0):
    """Five hosts with two instances each, two engines."""
    hosts = [f"host-{number}" for number in range(1, HOSTS + 1)]
    cloud = script.Cloud(
        hosts=tuple(
            script.HostSpec(name=host, boot_seconds=boot) for host in hosts
        ),
        instances=tuple(
            script.InstanceSpec(
                name=f"instance-{number + 1}", host=hosts[number % HOSTS]
            )
            for number in range(2 * HOSTS)
        ),
        engines=tuple(script.EngineSpec(name=one) for one in BOTH),
    )
    return script.Script(
        name="variant",
        cloud=cloud,
        policy=policy,
        seconds=seconds,
        seed=seed,
        faults=faults,
    )


# -- what they are made of ---------------------------------------------------


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


def sound(ports):
    return ports


@contextlib.contextmanager
def untouched():
    yield


def patched(where, name, instead):
    return lambda: mock.patch.object(where, name, instead)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to be broken."""

    name: str
    """What it does wrong, and with it what it is called."""
    caught_by: frozenset[int]
    """The invariants of which it breaks at least one in its scenario."""
    scenario: script.Script
    ports: Callable = sound
    patch: Callable = untouched


# -- proof -------------------------------------------------------------------


class BelievesAnything(Instead):
    """Fenced without asking any device."""

    def fence(self, host, guard):
        return model.FenceOutcome(host=host, evidence=_evidence("nobody"))

    def power_state(self, host):
        return _off(host)


class BelievesAcceptance(Instead):
    """A command that was accepted is a proof, and so is asked no more."""

    def __init__(self, port):
        super().__init__(port)
        self._accepted = set()

    def fence(self, host, guard):
        outcome = self._port.fence(host, guard)
        if outcome.off_sent:
            self._accepted.add(host)
            return model.FenceOutcome(
                host=host, evidence=_evidence("acceptance"), off_sent=True
            )
        return outcome

    def power_state(self, host):
        if host in self._accepted:
            return _off(host)
        return self._port.power_state(host)


class NeverReadsAgain(Instead):
    """Off once, off for ever."""

    def __init__(self, port):
        super().__init__(port)
        self._off = set()

    def fence(self, host, guard):
        outcome = self._port.fence(host, guard)
        if outcome.evidence is not None:
            self._off.add(host)
        return outcome

    def power_state(self, host):
        if host in self._off:
            return _off(host)
        return self._port.power_state(host)


class NoLastLook(Instead):
    def fence(self, host, guard):
        return self._port.fence(host, lambda: None)


def _evidence(by):
    return model.FenceEvidence(
        kind=model.EvidenceKind.POWER_OFF_OBSERVED, by=by, seen_at=kernel.START
    )


def _off(host):
    return model.PowerReading(host=host, state=OFF, seen_at=kernel.START)


def _holds_whatever_beacons_say(case_work):
    return (
        not proof.in_doubt(case_work)
        and proof._power_agrees(case_work)
        and proof._sources_agree(case_work)
    )


def _ask_later(self, level, ask=procedure.Round._ask_all):
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


def _nobody_runs_it(instance, source, records, agents, marks, asked=()):
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


def _time_of_day(self):
    return self.utcnow().timestamp()


FAILS_FOR_LONG = fault("rebuilds", outcomes=("failed",) * 40, seconds=1.0)

VARIANTS = (
    Variant(
        name="evacuates before the proof",
        caught_by=frozenset([4]),
        ports=port("fencing", BelievesAnything),
        scenario=scenario(CRASH),
    ),
    Variant(
        name="takes an accepted power-off for done",
        caught_by=frozenset([4]),
        ports=port("fencing", BelievesAcceptance),
        scenario=scenario(fault("bmc", "host-1", mode="deaf"), CRASH),
    ),
    Variant(
        name="does not read the power again before a wave",
        caught_by=frozenset([4]),
        ports=port("fencing", NeverReadsAgain),
        scenario=scenario(
            FAILS_FOR_LONG,
            CRASH,
            fault("power-on", "host-1", when="nova.evacuate-sent"),
            boot=200.0,
        ),
    ),
    Variant(
        name="goes on whatever beacons say",
        caught_by=frozenset([5]),
        patch=patched(proof, "holds", _holds_whatever_beacons_say),
        scenario=scenario(
            FAILS_FOR_LONG,
            fault("bmc", "host-1", mode="lies-off"),
            fault("kill-compute", "host-1", at=5.0),
            fault("cut", "host-1", at=5.0, lasts=30.0, from_="zookeeper"),
            policy=STUBBORN,
        ),
    ),
    Variant(
        name="powers off without a last look",
        caught_by=frozenset([4]),
        ports=port("fencing", NoLastLook),
        scenario=scenario(
            CRASH,
            fault("freeze", *BOTH, when="case.fencing", lasts=4.0),
            fault("pause", when="case.fencing", after=0.5),
        ),
    ),
    Variant(
        name="powers off without asking first",
        caught_by=frozenset([7]),
        patch=patched(procedure.Round, "_ask_all", _ask_later),
        scenario=scenario(fault("power-off", "host-1", at=5.0)),
    ),
    Variant(
        name="leads for ever",
        caught_by=frozenset([3]),
        ports=ignores_the_epoch,
        scenario=scenario(
            FAILS_FOR_LONG,
            CRASH,
            fault("freeze", *BOTH, when="nova.evacuate-sent", lasts=20.0),
            seconds=90.0,
            seed=3,
        ),
    ),
    Variant(
        name="has a lease without end",
        caught_by=frozenset([3]),
        ports=port("leadership", LeaseWithoutEnd),
        scenario=scenario(
            CRASH,
            fault("freeze", *BOTH, when="instance.evacuating", lasts=20.0),
        ),
    ),
    Variant(
        name="acts before it has saved",
        caught_by=frozenset([2]),
        ports=port("store", WritesBehind),
        scenario=scenario(CRASH),
    ),
    Variant(
        name="forgets what its predecessor has asked for",
        caught_by=frozenset([2]),
        ports=port("store", ForgetsRequests),
        scenario=scenario(
            fault("delay-requests", seconds=18.0, count=2.0, kind="evacuate"),
            CRASH,
            fault("kill", *BOTH, when="nova.evacuate-sent", lasts=1.0),
            fault("disable", "host-2", "host-3", at=30.0),
            seed=3,
        ),
    ),
    Variant(
        name="chooses another target for a repeat",
        caught_by=frozenset([2]),
        ports=port("compute", ChoosesAnew),
        scenario=scenario(
            fault("lose-requests", count=1.0, kind="evacuate"), CRASH
        ),
    ),
    Variant(
        name="takes failed for not running",
        caught_by=frozenset([1, 2]),
        patch=patched(runners, "possible", _nobody_runs_it),
        scenario=scenario(
            fault("rebuilds", outcomes=("failed-running",)), CRASH
        ),
    ),
    Variant(
        name="takes accepted for done",
        caught_by=frozenset([2, 8]),
        ports=port("compute", BelievesAccepted),
        scenario=scenario(fault("rebuilds", outcomes=("failed",)), CRASH),
    ),
    Variant(
        name="takes no answer for no instances",
        caught_by=frozenset([8]),
        ports=port("compute", NoAnswerIsNobody),
        scenario=scenario(
            CRASH,
            fault("cell-down", "host-1", when="case.evacuating"),
            fault("kill", *BOTH, when="case.evacuating", lasts=1.0),
        ),
    ),
    Variant(
        name="has no brake",
        caught_by=frozenset([6]),
        ports=no_brake,
        scenario=scenario(fault("crash", "host-1", "host-2", at=5.0)),
    ),
    Variant(
        name="takes the time from the wall clock",
        caught_by=frozenset([4]),
        patch=patched(kernel.Clock, "monotonic", _time_of_day),
        scenario=scenario(
            fault("kill-agent", "host-1", at=5.0),
            *(
                fault("step-clock", *BOTH, at=at, by=4.0)
                for at in (17.0, 18.0, 19.0)
            ),
        ),
    ),
    Variant(
        name="does not hear the operator's switches",
        caught_by=frozenset([4]),
        ports=port("membership", DeafToSwitches),
        scenario=scenario(fault("pause", at=1.0), CRASH),
    ),
    Variant(
        name="does not hear goodbyes",
        caught_by=frozenset([4]),
        ports=port("membership", DeafToGoodbyes),
        scenario=scenario(
            fault("stop-agent", "host-1", at=5.0),
            fault("stop-compute", "host-1", at=5.0),
        ),
    ),
    Variant(
        name="fences what is in maintenance",
        caught_by=frozenset([4]),
        ports=port("membership", DeafToMaintenance),
        scenario=scenario(fault("maintenance", "host-1", at=1.0), CRASH),
    ),
    Variant(
        name="enables what an operator has disabled",
        caught_by=frozenset([9]),
        patch=patched(returning, "_reason_changed", lambda work: False),
        scenario=scenario(
            CRASH,
            fault("disable", "host-1", when="case.evacuated"),
            fault("power-on", "host-1", when="case.evacuated", after=1.0),
            seconds=100.0,
        ),
    ),
    Variant(
        name="leaves its force-down behind",
        caught_by=frozenset([7]),
        ports=port("compute", KeepsForcedDown),
        scenario=scenario(
            CRASH,
            fault("power-on", "host-1", when="case.evacuated"),
            seconds=100.0,
        ),
    ),
    Variant(
        name="says only once what it waits for",
        caught_by=frozenset([8]),
        patch=patched(work.Work, "remind", lambda self, severity: None),
        scenario=scenario(
            CRASH,
            policy=dataclasses.replace(QUICK, reminder=20.0),
            seconds=120.0,
        ),
    ),
)

BY_NAME = {one.name: one for one in VARIANTS}
