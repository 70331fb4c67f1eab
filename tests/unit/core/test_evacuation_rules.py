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


import dataclasses

from nova_ha.core import policy
from nova_ha.core import repairs
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import MoveState
from nova_ha.core.rules import Rules
from tests.fakes import chaos
from tests.unit.core import builders as make
from tests.unit.core import scenario


class RulesTestCase(scenario.ScenarioTestCase):
    """Which of the instances, how, and in which order."""

    def follow(self, **rules):
        self.engine = chaos.ChaosEngine(
            self.cloud,
            policy=policy.Policy(rules=Rules(**rules)),
            epoch=self.cloud.epoch + 1,
        )
        self.engine.run(30)

    def share(self, domain, *hosts):
        for host in hosts:
            self.cloud.hosts[host].storage_domain = domain
        self.engine.run(10)

    def evacuated(self):
        return [call[1] for call in self.calls("evacuate")]

    def test_one_that_its_owner_leaves(self):
        self.change("a0", metadata={"HA_Enabled": "no"})
        self.to_evacuated()
        self.assertIs(MoveState.EXCLUDED, self.move("a0").state)
        self.assertEqual(["a1"], self.evacuated())
        self.assertIn("1 left out by the rules", self.case.message)
        self.assertIn("instance.excluded", self.codes())

    def test_what_our_own_attempt_has_left_in_error(self):
        """It is wanted as before when the host dies once more."""
        self.follow(evacuate_error=False)
        self.change("a0", vm_state="stopped")
        self.cloud.outcomes.extend(["failed"] * 10)
        self.crash()
        self.reach(S.PARTIAL, seconds=300)
        self.cloud.outcomes.clear()
        self.change("a0", vm_state="error")
        self.come_back()
        self.reach(S.SOAKING)
        self.crash()
        self.reach(S.EVACUATED, seconds=200)
        move = self.move("a0")
        self.assertIs(MoveState.DONE, move.state)
        self.assertTrue(move.was_off)

    def test_a_lost_disk(self):
        self.change("a0", image="img")
        self.crash()
        self.reach(S.PARTIAL)
        self.assertIn("on its host alone", self.case.message)
        self.assertEqual(["a1"], self.evacuated())

    def test_a_paused_one(self):
        self.change("a0", vm_state="paused")
        self.to_evacuated()
        self.assertIn(("repair", "a0"), self.cloud.calls)
        self.assertIn("was paused", self.move("a0").note)

    def test_a_shared_disk(self):
        self.change("a0", image="img")
        self.share("nfs", "a", "c")
        self.to_evacuated()
        self.assertEqual("c", self.move("a0").target)

    def test_nobody_shares_it(self):
        self.change("a0", image="img")
        self.share("nfs", "a")
        self.crash()
        self.reach(S.PARTIAL)
        self.assertIn("of storage domain nfs has room", self.case.message)
        self.share("nfs", "d")
        self.reach(S.EVACUATED)
        self.assertEqual("d", self.move("a0").target)

    def test_one_in_error_that_was_off(self):
        self.change("a0", vm_state="error", power_state=4)
        self.change("a1", vm_state="error", power_state=1)
        self.to_evacuated()
        self.engine.run(5)
        self.assertEqual([("stop", "a0")], self.calls("stop"))

    def test_one_that_nova_starts_after_a_failed_attempt(self):
        """Nova had it in ERROR by then."""
        stopped = make.move(MoveState.DONE, was="stopped", was_off=True)
        for attempts, repair in ((1, False), (2, True)):
            move = dataclasses.replace(stopped, attempts=attempts)
            after = repairs.note_arrival(move, "a", [])
            self.assertEqual(repair, after.repair)

    def test_the_highest_priority_first(self):
        for number, priority in (("0", "1"), ("1", "900")):
            self.change(f"a{number}", metadata={"HA_Priority": priority})
        self.to_evacuated()
        self.assertEqual(["a1", "a0"], self.evacuated())

    def test_groups_go_one_after_another(self):
        self.follow(priority_groups=(900,))
        self.change("a1", metadata={"HA_Priority": "900"})
        self.cloud.rebuild_seconds = 40.0
        self.crash()
        self.engine.run_until(lambda: self.evacuated(), 120.0)
        self.engine.run(20)
        self.assertEqual(["a1"], self.evacuated())
        self.reach(S.EVACUATED)
        self.assertEqual(["a1", "a0"], self.evacuated())
