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

"""A stage on which the checker is shown what it could see in a run: journal
entries, changes of the tree, machines - all written by hand."""

import dataclasses

from nova_ha.coordination import paths as paths_mod
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.sim import journal
from nova_ha.sim.invariants import checker
from nova_ha.sim.invariants import tree_log
from nova_ha.sim.invariants import truth
from tests import base
from tests.unit.core import builders as make

PATHS = paths_mod.Paths("simulated")
HOSTS = ("a", "b", "c", "d")


@dataclasses.dataclass
class Machine:
    power: bool = True
    running: bool = True
    incarnation: int = 0
    guests: set[str] = dataclasses.field(default_factory=set)

    def off(self):
        self.power = self.running = False
        self.incarnation += 1
        self.guests.clear()

    def on(self):
        self.power = self.running = True
        self.incarnation += 1


class Stage:
    """``e1`` leads an armed cloud of four hosts, at 1000 s."""

    def __init__(self, policy=None):
        self.now = 1000.0
        self.machines = {name: Machine() for name in HOSTS}
        self.services = {name: make.service(name, -500.0) for name in HOSTS}
        self.servers = {}
        self.leader = "e1"
        self.tree = tree_log.TreeLog(PATHS, lambda: self.now)
        self.checker = checker.Checker(
            truth.Truth(
                clock=lambda: self.now,
                machines=self.machines,
                engines=("e1", "e2"),
                tree=self.tree,
                policy=policy or policy_mod.Policy(),
                leader=lambda: self.leader,
                service=self.services.get,
                servers=lambda: self.servers,
            )
        )
        self.records = 0
        for host in HOSTS:
            self.write(PATHS.host(host), make.record(host))
        self.write(PATHS.control, model.Control(armed=True))
        self.later(500.0)

    @property
    def broken(self):
        """Numbers of the invariants that were violated."""
        return [one.invariant for one in self.checker.violations]

    @property
    def undetectable(self):
        return [one.invariant for one in self.checker.undetectable]

    def later(self, seconds):
        self.now += seconds

    def note(self, who, what, message="", **details):
        entry = journal.Entry(self.now, who, what, message, details)
        self.checker.noted(entry)

    def write(self, path, value, who="e1", user="engine"):
        data = None if value is None else codec.encode(value)
        self.checker.changed(who, user, path, data)

    # -- what often happens --

    def save_case(self, host="a", **changes):
        self.write(PATHS.case(host), make.case(host, **changes))

    def proven_case(self, host="a", *moves, **changes):
        """A case with evidence; its moves are to (instance, target)."""
        changes = {"evidence": make.evidence()} | changes
        self.save_case(
            host,
            state=model.CaseState.EVACUATING,
            moves=tuple(
                make.move(
                    model.MoveState.REQUESTED,
                    instance=instance,
                    target=target,
                    attempts=1,
                )
                for instance, target in moves
            ),
            **changes,
        )

    def fall(self, host="a"):
        """It loses its power."""
        self.note(host, "machine.power-off")
        self.machines[host].off()

    def rise(self, host="a"):
        self.machines[host].on()
        self.note(host, "machine.power-on")

    def start_guest(self, host, instance="i1"):
        self.machines[host].guests.add(instance)
        self.note(host, "guest.started", instance=instance)

    def evacuate(self, target="b", source="a", who="e1", instance="i1"):
        self.note(
            who,
            "nova.evacuate-sent",
            instance=instance,
            target=target,
            source=source,
        )

    def accept(self, target="b", who="e1", instance="i1"):
        self.records += 1
        self.note(
            who,
            "nova.evacuate-accepted",
            instance=instance,
            target=target,
            record=self.records,
        )
        return self.records

    def refuse(self, target="b", who="e1", instance="i1"):
        self.note(
            who, "nova.evacuate-refused", instance=instance, target=target
        )

    def migration(self, record, status):
        self.note("nova", "nova.migration", record=record, status=status)

    def power_off(self, host="a", who="e1", device="bmc"):
        self.note(who, "bmc.off-sent", host=host, device=device)

    def read(self, host="a", state="off", device="bmc"):
        self.note("e1", "bmc.read", host=host, state=state, device=device)


class TestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.stage = Stage()

    def assert_kept(self):
        self.assertEqual([], self.stage.checker.violations)
        self.assertEqual([], self.stage.checker.undetectable)

    def assert_broken(self, *numbers):
        self.assertEqual(list(numbers), self.stage.broken)
