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

"""What is foretold is what the real case then does."""

import dataclasses

from nova_ha.core import model
from nova_ha.core import rules
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import MoveState
from nova_ha.engine import forecasting
from tests.unit.core import builders as make
from tests.unit.core import scenario


class ForecastTestCase(scenario.ScenarioTestCase):
    def look(self, rules=None, policy=None, **changes):
        now = model.Now(
            mono=self.cloud.clock.monotonic(), utc=self.cloud.clock.utcnow()
        )
        values = {"host": "a", "by": "admin", "at": now.utc} | changes
        policy = policy or make.POLICY
        if rules is not None:
            policy = dataclasses.replace(policy, rules=rules)
        before = list(self.cloud.calls)
        found = forecasting.look(
            model.EvacuationRequest(**values),
            {name: self.cloud.read_host(name) for name in self.cloud.hosts},
            {one.case.host: one.case for one in self.cloud.load().cases},
            self.cloud,
            policy,
            now,
        )
        self.assertEqual(before, self.cloud.calls)
        return found

    def foretold(self, **arguments):
        """By instance."""
        return {
            one.move.instance: one
            for one in self.look(**arguments).forecast.prospects
        }

    def boot(self, many):
        for number in range(many):
            self.cloud.boot("a", f"x{number}")


class ProspectsTestCase(ForecastTestCase):
    def test_it_is_what_happens_then(self):
        self.boot(20)
        self.change("a0", vm_state="suspended")
        self.change("a1", vm_state="paused")
        foretold = self.foretold()
        self.assertEqual(22, len(foretold))
        self.crash()
        self.reach(S.PARTIAL)
        for move in self.case.moves:
            prospect = foretold[move.instance]
            self.assertIs(move.state, prospect.move.state, move)
            self.assertEqual(move.reason, prospect.move.reason)
            self.assertEqual(move.reset, prospect.move.reset)

    def test_turns_and_targets(self):
        self.boot(20)
        foretold = self.foretold()
        first = [one for one in foretold.values() if one.turn == 1]
        self.assertEqual(3 * make.POLICY.evacuations_per_target, len(first))
        self.assertEqual({1, 2, 3}, {one.turn for one in foretold.values()})
        self.assertEqual(
            {"b", "c", "d"}, {one.move.target for one in foretold.values()}
        )

    def test_a_live_host(self):
        outlook = self.look()
        self.assertTrue(outlook.service.up)
        self.assertEqual(2, len(outlook.forecast.prospects))
        self.assertTrue(outlook.forecast.complete)

    def test_room_is_counted_down(self):
        self.boot(30)
        states = [one.move.state for one in self.foretold().values()]
        self.assertEqual(24, states.count(MoveState.DONE))
        self.assertEqual(8, states.count(MoveState.HELD))
        self.assertFalse(self.look().forecast.complete)

    def test_groups_go_one_after_the_other(self):
        self.change("a0", metadata={"HA_Priority": "100"})
        foretold = self.foretold(rules=rules.Rules(priority_groups=(500,)))
        self.assertEqual(2, foretold["a0"].turn)
        self.assertEqual(1, foretold["a1"].turn)

    def test_what_the_operator_names(self):
        foretold = self.foretold(target="d", servers=("a1",))
        self.assertEqual("d", foretold["a1"].move.target)
        self.assertIs(MoveState.SKIPPED, foretold["a0"].move.state)
        self.assertIsNone(foretold["a0"].turn)

    def test_no_room(self):
        for name in ("b", "c", "d"):
            self.cloud.hosts[name].disabled_reason = "new firmware"
        one = self.foretold()["a0"]
        self.assertIs(MoveState.HELD, one.move.state)
        self.assertEqual("no live host may take it", one.move.reason)
        self.assertFalse(one.asked)

    def test_one_that_is_stopped_again(self):
        self.change("a0", vm_state="error", power_state=4)
        self.assertTrue(self.foretold()["a0"].move.repair)

    def test_one_that_another_host_may_run(self):
        self.cloud.records.append(
            make.migration(7, "failed", instance="a0", kind="live-migration")
        )
        one = self.foretold()["a0"]
        self.assertTrue(one.asked)
        self.assertEqual("b may be running it", one.move.reason)
        self.assertEqual(1, self.foretold()["a1"].turn)

    def test_an_open_case(self):
        self.to_evacuating()
        foretold = self.foretold()
        self.assertEqual(
            [move.state for move in self.case.moves],
            [one.move.state for one in foretold.values()],
        )
        self.assertEqual({None}, {one.turn for one in foretold.values()})

    def test_what_was_given_up(self):
        self.cloud.outcomes.extend(["error"] * 20)
        self.crash()
        self.reach(S.PARTIAL, seconds=600)
        self.assertEqual({1}, {one.turn for one in self.foretold().values()})
