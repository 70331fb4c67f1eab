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

from tests.unit.sim.invariants import stage


class SingleWriterTestCase(stage.TestCase):
    def setUp(self):
        super().setUp()
        self.stage.start_guest("a")

    def test_a_guest_that_starts_where_another_runs(self):
        self.stage.start_guest("b")
        self.assert_broken(1)
        self.assertIn(
            "active on a and b", str(self.stage.checker.violations[0])
        )

    def test_after_its_first_machine_has_lost_power(self):
        self.stage.fall("a")
        self.stage.start_guest("b")
        self.assert_kept()

    def test_another_guest(self):
        self.stage.start_guest("b", "i2")
        self.assert_kept()

    def test_what_was_started_by_hand_is_nobodys_fault_of_ours(self):
        self.stage.note("b", "fault.start-guest")
        self.stage.start_guest("b")
        self.assert_broken()
        self.assertEqual([1], self.stage.undetectable)

    def test_where_one_was_started_by_hand_before(self):
        self.stage.fall("a")
        self.stage.note("b", "fault.start-guest")
        self.stage.start_guest("b")
        self.stage.later(5.0)
        self.stage.start_guest("c")
        self.assertEqual([1], self.stage.undetectable)

    def test_what_an_operator_evacuates_after_us(self):
        self.stage.fall("a")
        self.stage.evacuate("b")
        self.stage.start_guest("b")
        self.stage.later(5.0)
        self.stage.evacuate("c", who="operator")
        self.stage.start_guest("c")
        self.assertEqual([1], self.stage.undetectable)

    def test_what_we_evacuate_after_an_operator(self):
        self.stage.fall("a")
        self.stage.evacuate("c", who="operator")
        self.stage.later(5.0)
        self.stage.proven_case("a", ("i1", "b"))
        self.stage.evacuate("b")
        self.stage.start_guest("b")
        self.stage.start_guest("c")
        self.assertEqual([], self.stage.undetectable)
        self.assertIn(1, self.stage.broken)

    def test_what_an_operator_has_evacuated(self):
        self.stage.evacuate(who="operator")
        self.stage.start_guest("b")
        self.assert_broken()
        self.assertEqual([1], self.stage.undetectable)


class LiesTestCase(stage.TestCase):
    """The device of ``a`` says off; it is on, with a guest."""

    def setUp(self):
        super().setUp()
        self.stage.start_guest("a")
        self.stage.read("a", "off")
        self.stage.proven_case("a", ("i1", "b"))
        self.stage.later(1.0)

    def test_a_lie_that_nobody_can_see_through(self):
        self.stage.evacuate()
        self.stage.start_guest("b")
        self.assert_broken()
        self.assertEqual([4, 1], self.stage.undetectable)

    def test_a_host_that_has_shown_life(self):
        self.stage.write(stage.PATHS.beacon("a"), stage.make.beacon("a"))
        self.stage.later(15.0)
        self.stage.evacuate()
        self.stage.start_guest("b")
        self.assert_broken(4, 5, 1)

    def test_a_device_that_told_the_truth_is_no_excuse(self):
        self.stage.fall("a")
        self.stage.read("a", "off")
        self.stage.rise("a")
        self.stage.start_guest("a")
        self.stage.later(60.0)
        self.stage.evacuate()
        self.stage.start_guest("b")
        self.assert_broken(4, 1)
