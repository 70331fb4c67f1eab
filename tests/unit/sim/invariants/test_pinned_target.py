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


class PinnedTargetTestCase(stage.TestCase):
    def setUp(self):
        super().setUp()
        self.stage.fall("a")
        self.stage.proven_case("a", ("i1", "b"))
        self.stage.evacuate("b")

    def repeat(self, target="c"):
        self.stage.later(1.0)
        self.stage.proven_case("a", ("i1", target))
        self.stage.evacuate(target)

    def test_the_same_target_again(self):
        self.repeat("b")
        self.assert_kept()

    def test_another_target_while_the_first_request_may_land(self):
        self.repeat()
        self.assert_broken(2)

    def test_another_target_once_it_cannot_land_any_more(self):
        self.stage.later(30.0)
        self.repeat()
        self.assert_kept()

    def test_another_target_after_nova_has_refused_the_first(self):
        self.stage.refuse()
        self.repeat()
        self.assert_kept()

    def test_a_refusal_is_of_one_request(self):
        self.stage.refuse()
        self.repeat()
        self.repeat("b")
        self.assert_broken(2)

    def test_another_target_while_the_record_is_open(self):
        self.stage.accept()
        self.stage.later(100.0)
        self.repeat()
        self.assert_broken(2)

    def test_another_target_after_a_failure(self):
        self.stage.migration(self.stage.accept(), "failed")
        self.repeat()
        self.assert_kept()

    def test_failed_does_not_mean_that_it_does_not_run(self):
        self.stage.start_guest("b")
        self.stage.migration(self.stage.accept(), "failed")
        self.repeat()
        self.assert_broken(2)

    def test_another_target_after_the_first_has_lost_power(self):
        self.stage.migration(self.stage.accept(), "pre-migrating")
        self.stage.fall("b")
        self.repeat()
        self.assert_kept()

    def test_what_went_on_under_another_record_does_not_wait(self):
        own = self.stage.accept()
        self.stage.note(
            "nova", "nova.evacuation-conducted", own=own, record=own - 1
        )
        self.stage.migration(own - 1, "pre-migrating")
        self.stage.fall("b")
        self.repeat()
        self.assert_kept()

    def test_what_waits_in_a_queue_outlives_its_target(self):
        self.stage.migration(self.stage.accept(), "accepted")
        self.stage.fall("b")
        self.repeat()
        self.assert_broken(2)

    def test_what_was_taken_from_the_queue_after_a_boot(self):
        record = self.stage.accept()
        self.stage.fall("b")
        self.stage.rise("b")
        self.stage.migration(record, "pre-migrating")
        self.repeat()
        self.assert_broken(2)

    def test_an_operators_own_evacuation(self):
        self.stage.later(100.0)
        self.stage.evacuate("c", who="operator")
        self.stage.accept("c", who="operator")
        self.repeat("b")
        self.assert_kept()
        self.stage.later(20.0)
        self.repeat("b")
        self.assert_broken(2)


class SavedFirstTestCase(stage.TestCase):
    def setUp(self):
        super().setUp()
        self.stage.fall("a")

    def test_a_target_that_is_saved(self):
        self.stage.proven_case("a", ("i1", "b"))
        self.stage.evacuate("b")
        self.assert_kept()

    def test_a_target_that_is_not_saved(self):
        self.stage.proven_case("a", ("i2", "b"))
        self.stage.evacuate("b")
        self.assert_broken(2)

    def test_another_than_is_saved(self):
        self.stage.proven_case("a", ("i1", "c"))
        self.stage.evacuate("b")
        self.assert_broken(2)
