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
"""What is remembered of hosts."""

import dataclasses

from nova_ha.coordination import habits
from nova_ha.core import model
from tests import base
from tests.contract.coordination import coordinated
from tests.contract.coordination.coordinated import C1

SHOWN = model.HostFacts(host=C1, beacon=coordinated.beacon(session=1))
SILENT = model.HostFacts(host=C1)
AWAY = model.HostFacts(host=C1, goodbye=coordinated.goodbye())


class HabitsTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.habits = habits.Habits()

    def see(self, *seen: model.HostFacts) -> list[float]:
        """One read a second; returns how long ago the agent was lost."""
        before = None
        for second, facts in enumerate(seen):
            self.habits.note(before, facts, float(second))
            before = facts
        return self.habits.flap_ages(C1, float(len(seen)))

    def test_a_lost_agent_is_a_flap_once(self) -> None:
        self.assertEqual([3.0], self.see(SHOWN, SILENT, SILENT, SHOWN))

    def test_a_goodbye_is_none(self) -> None:
        self.assertEqual([], self.see(SHOWN, AWAY, SHOWN))

    def test_a_loss_that_was_missed(self) -> None:
        later = dataclasses.replace(
            SHOWN, beacon=coordinated.beacon(session=2)
        )
        self.assertEqual([2.0], self.see(SHOWN, SHOWN, later, later))

    def test_silence_from_the_start_is_none(self) -> None:
        self.assertEqual([], self.see(SILENT, SHOWN, SHOWN))

    def test_flaps_are_bounded(self) -> None:
        seen = self.see(*[SHOWN, SILENT] * (habits.KEPT + 5))
        self.assertEqual(habits.KEPT, len(seen))
        self.assertEqual(1.0, seen[-1])

    def test_goodbyes_age_from_when_they_were_seen(self) -> None:
        self.assertEqual(0.0, self.habits.goodbye_age(C1, 7.0))
        self.see(SHOWN, AWAY, AWAY)
        self.assertEqual(6.0, self.habits.goodbye_age(C1, 7.0))
        other = dataclasses.replace(AWAY, goodbye=coordinated.goodbye(ttl=9.0))
        self.habits.note(AWAY, other, 5.0)
        self.assertEqual(2.0, self.habits.goodbye_age(C1, 7.0))
        self.habits.note(other, SHOWN, 6.0)
        self.assertEqual(0.0, self.habits.goodbye_age(C1, 7.0))

    def test_hosts_that_are_gone_are_forgotten(self) -> None:
        self.see(SHOWN, SILENT, AWAY)
        self.habits.keep([C1])
        self.assertEqual(1, len(self.habits.flap_ages(C1, 3.0)))
        self.habits.keep([])
        self.assertEqual([], self.habits.flap_ages(C1, 3.0))
        self.assertEqual(0.0, self.habits.goodbye_age(C1, 3.0))
