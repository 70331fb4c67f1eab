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

"""An engine in numbers."""

from nova_ha.core import census
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import world as world_mod
from nova_ha.core.brake import Memory
from nova_ha.core.brake import Storm
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders


def view(host, **changes):
    record = builders.record(host, **changes)
    facts = builders.facts(host, record=record)
    return liveness.HostView(host=host, facts=facts)


def health(fenceable):
    return model.FencingHealth(fenceable=fenceable, since=builders.utc(0))


class CensusTestCase(base.TestCase):
    def take(self, *views, cases=(), verdicts=(), storms=(), **changes):
        fleet = fleet_mod.Fleet()
        fleet.views = {one.host: one for one in views}
        world = world_mod.World(
            fleet,
            {case.host: case for case in cases},
            dict(enumerate(verdicts)),
            model.Control(armed=True),
            {},
            builders.POLICY,
            suspects=(),
            memory=Memory(storms=dict(enumerate(storms))),
        )
        values = {"epoch": None, "unreadable": 0, "read_at": {}} | changes
        return census.take(world, cases, 10.0, **values)

    def test_cases_by_state_hold_and_instances(self):
        moves = [
            builders.move(state)
            for state in (MoveState.DONE, MoveState.DONE, MoveState.HELD)
        ]
        taken = self.take(
            cases=[
                builders.case(
                    "a", state=CaseState.PARTIAL, moves=tuple(moves)
                ),
                builders.case("b", hold=Hold.STORM),
                builders.case("c"),
            ]
        )
        self.assertEqual({"partial": 1, "suspected": 2}, taken.cases)
        self.assertEqual({"storm": 1}, taken.holds)
        self.assertEqual({"done": 2, "held": 1}, taken.moves)

    def test_verdicts_and_storms(self):
        taken = self.take(
            verdicts=[builders.ALIVE, builders.ALIVE, builders.verdict()],
            storms=[Storm(rule=BrakeRule.TOO_MANY)],
        )
        self.assertEqual({"alive": 2, "down": 1}, taken.verdicts)
        self.assertEqual({"too-many": 1}, taken.storms)
        self.assertTrue(taken.armed)

    def test_hosts_that_could_not_be_fenced(self):
        bar = model.Bar(reason="it lied", since=builders.utc(0))
        taken = self.take(
            view("a", fencing=health(False), barred={"x": bar, "y": bar}),
            view("b", fencing=health(True)),
            view("c"),
            view("d", fencing=health(False), protected="runs an engine"),
            liveness.HostView(host="e", facts=model.HostFacts(host="e")),
        )
        self.assertEqual(1, taken.unfenceable)
        self.assertEqual(2, taken.barred)
        self.assertEqual(3, taken.monitored)
