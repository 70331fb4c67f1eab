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


from nova_ha.core import ordering
from nova_ha.core.model import MoveState
from nova_ha.core.rules import Rules
from tests import base
from tests.unit.core import builders as make


class PriorityTestCase(base.TestCase):
    def priority(self, text, **rules):
        instance = make.instance(metadata={"HA_Priority": text})
        return ordering.priority(instance, Rules(**rules))

    def test_from_0_to_1000(self):
        for text, number in (("0", 0), (" 7 ", 7), ("1000", 1000)):
            self.assertEqual((number, ""), self.priority(text))

    def test_anything_else_is_said_and_counts_as_none(self):
        for text in ("1001", "-1", "high", "", "1e2", "²", "9" * 5000):
            number, doubt = self.priority(text, default_priority=3)
            self.assertEqual(3, number)
            self.assertIn("no number from 0 to 1000", doubt)

    def test_none_said(self):
        self.assertEqual(
            (500, ""), ordering.priority(make.instance(), Rules())
        )
        self.assertEqual((500, ""), self.priority("7", priority_metadata=""))


class OrderTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.moves = [
            make.move(instance=f"i{number}", priority=number)
            for number in (100, 950, 600, 900)
        ]

    def names(self, moves):
        return [move.instance for move in moves]

    def test_the_highest_first(self):
        self.assertEqual(
            ["i950", "i900", "i600", "i100"],
            self.names(ordering.arranged(self.moves)),
        )

    def test_equals_stay_as_they_are(self):
        moves = [make.move(instance=name) for name in "bca"]
        self.assertEqual(["b", "c", "a"], self.names(ordering.arranged(moves)))

    def test_without_groups_it_is_everybodys_turn(self):
        self.assertEqual(
            self.moves,
            ordering.sendable(self.moves, self.moves, Rules()),
        )

    def test_a_group_waits_for_those_above(self):
        rules = Rules(priority_groups=(900, 500))
        i100, i950, i600, i900 = self.moves
        for restless, turn in (
            (self.moves, [i950, i900]),
            ([i600, i100], [i950, i600, i900]),
            ([i100], self.moves),
            ([], self.moves),
        ):
            self.assertEqual(
                turn, ordering.sendable(self.moves, restless, rules)
            )

    def test_the_state_does_not_matter_to_a_group(self):
        rules = Rules(priority_groups=(900,))
        done = make.move(MoveState.DONE, priority=900)
        self.assertEqual(0, ordering.group(done, rules))
        self.assertEqual(1, ordering.group(make.move(), rules))
