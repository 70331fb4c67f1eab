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

"""How a recovery ends: the host's return, and what never ends in silence."""

from unittest import mock

from nova_ha import exception
from nova_ha.core import events
from nova_ha.core import gate
from nova_ha.core import model
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import Hold
from nova_ha.core.model import Ownership
from nova_ha.core.model import PowerState
from tests.unit.core import builders as make
from tests.unit.core import scenario


class ReturnTestCase(scenario.ScenarioTestCase):
    def test_a_lost_beacon_starts_the_soak_again(self):
        self.to_soaking()
        self.engine.run(30)
        self.host.agent = False
        self.engine.run(1)
        self.is_in(S.RETURNING)
        told = [one.message for one in self.engine.notifier.events]
        self.assertIn("its beacon is gone: the soak starts again", told)
        self.host.agent = True
        self.engine.run(59)
        self.assertTrue(self.host.forced_down)
        self.engine.run_until(lambda: not self.cloud.stored)

    def test_what_an_operator_has_set_is_not_undone(self):
        self.host.device = "fails"
        self.crash()
        self.reach(S.FENCE_FAILED)
        self.host.forced_down, self.host.disabled_reason = True, "mine"
        self.host.device = "obeys"
        self.reach(S.EVACUATED)
        self.come_back()
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertTrue(self.host.forced_down)
        self.assertEqual("mine", self.host.disabled_reason)
        self.assertEqual([], self.calls("force_down", "disable", "enable"))

    def test_a_reason_that_was_changed_meanwhile_is_not_undone(self):
        self.to_soaking()
        self.host.disabled_reason = "I want to look at it first"
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertNotEqual("", self.host.disabled_reason)

    def test_death_after_an_unanswered_lift(self):
        """The force-down may or may not be there still: it is set again
        before anything is evacuated."""
        self.to_soaking()
        self.cloud.boot("a", "new")
        force_down = self.cloud.force_down

        def lost(service_id, forced):
            force_down(service_id, forced)
            raise exception.ComputeUnavailable("timed out")

        self.cloud.force_down = lost
        self.engine.run_until(lambda: not self.host.forced_down)
        self.cloud.force_down = force_down
        self.crash()
        self.reach(S.EVACUATED)
        self.assertNotEqual("a", self.cloud.servers["new"].host)

    def test_what_could_not_be_moved_last_time_is_tried_again(self):
        self.to_partial()
        self.come_back()
        self.reach(S.SOAKING)
        self.change("a0", vm_state="active")
        self.crash()
        self.reach(S.EVACUATED, S.PARTIAL)
        self.is_in(S.EVACUATED)
        self.assertNotEqual("a", self.cloud.servers["a0"].host)

    def test_disabled_by_us_it_is_enabled_even_if_life_cancels(self):
        """It died again between the two requests that give it back, and
        the last look before the power-off shows that it lives."""
        self.to_soaking()
        self.cloud.enable = self.no_answer
        self.engine.run_until(lambda: not self.host.forced_down)
        self.engine.run(5)
        self.assertIs(Ownership.NONE, self.case.force_down)
        del self.cloud.enable
        self.cut_off()
        read_host = self.cloud.read_host

        def back(name):
            self.host.agent = self.host.compute = True
            return read_host(name)

        self.cloud.read_host = back
        self.engine.run(300)
        self.assertEqual("", self.host.disabled_reason)

    def record(self, status, **changes):
        """A migration record of a0, older than all others."""
        record = make.migration(0, status, instance="a0", **changes)
        self.cloud.records.insert(0, record)

    def test_an_evacuation_whose_target_died_is_never_cleaned_up(self):
        """nova-compute marks only the last one of an instance."""
        self.to_evacuated()
        self.record("migrating", dest="d")
        self.come_back()
        self.reach(S.SOAKING)

    def test_a_later_evacuation_that_is_not_cleaned_up_keeps_it_waiting(self):
        self.to_evacuated()
        self.come_back()
        self.cloud.records.append(
            make.migration(9, "done", instance="a0", dest="d")
        )
        self.engine.run(30)
        self.is_in(S.RETURNING)

    def test_a_cold_migration_goes_on_when_its_host_is_back(self):
        """Its disk has not been handed over: only this host's nova-compute
        can do that, and the gate keeps it from starting."""
        self.record("pre-migrating", dest="b", kind="migration")
        self.crash()
        self.reach(S.PARTIAL)
        self.assertIs(model.MoveState.HELD, self.move("a0").state)
        self.come_back()
        self.engine.run(10)
        self.assertEqual((True, mock.ANY), gate.may_start(self.case))

    def test_one_that_was_handed_over_keeps_the_gate_shut(self):
        self.record("post-migrating", dest="b", kind="migration")
        self.crash()
        self.reach(S.PARTIAL)
        self.come_back()
        self.engine.run(10)
        self.assertEqual((False, mock.ANY), gate.may_start(self.case))

    def no_answer(self, *_):
        raise exception.ComputeUnavailable("timed out")


class LoudTestCase(scenario.ScenarioTestCase):
    """Invariant 8: what does not end says so, again and again."""

    def check_reminded(self):
        self.codes().clear()
        self.engine.notifier.events.clear()
        self.engine.run(1300, step=2.5)
        self.assertGreaterEqual(self.codes().count("case.waiting"), 2)

    def test_a_storm(self):
        self.crash()
        self.cloud.crash("b", power=PowerState.ON)
        self.engine.run(60)
        self.assertIs(Hold.STORM, self.case.hold)
        self.check_reminded()

    def test_a_failed_fence(self):
        self.to_fence_failed()
        self.check_reminded()

    def test_instances_that_could_not_be_moved(self):
        self.to_partial()
        self.check_reminded()

    def test_a_return_that_nova_does_not_clean_up(self):
        self.to_evacuated()
        self.cloud.switch_on("a", agent=True)
        self.reach(S.RETURNING)
        self.check_reminded()


class EndTestCase(scenario.ScenarioTestCase):
    def test_a_case_that_cannot_be_closed_is_not_hammered(self):
        tried = []

        def close(case, version):
            tried.append(case)
            if len(tried) > 50:
                raise AssertionError("hammered")
            raise exception.CoordinationUnavailable("no answer")

        self.cloud.close = close
        self.cut_off()
        self.reach(S.SUSPECTED)
        self.host.agent = True
        self.engine.run(5)
        self.assertLess(len(tried), 10)
        del self.cloud.close
        self.engine.run(10)
        self.assertEqual({}, self.cloud.stored)

    def test_a_host_that_is_no_longer_enrolled(self):
        self.cut_off()
        self.reach(S.SUSPECTED)
        facts = model.HostFacts(host="a")
        self.host.facts = lambda: facts
        self.engine.run(60)
        self.assertEqual({}, self.cloud.stored)

    def test_a_host_whose_name_has_vanished(self):
        self.cut_off()
        self.reach(S.SUSPECTED)
        self.host.facts = lambda: model.HostFacts(host="a")
        others = {
            name: host.facts()
            for name, host in self.cloud.hosts.items()
            if name != "a"
        }
        for _ in range(120):
            self.cloud.clock.now += 0.5
            self.engine.handle(events.HostsRead(hosts=others, complete=True))
        self.assertEqual({}, self.cloud.stored)
        self.assertEqual([], self.cloud.calls)


class DeletedServiceTestCase(scenario.ScenarioTestCase):
    def test_a_host_that_nova_no_longer_knows_does_not_stop_the_others(self):
        self.cloud.hosts["d"].agent = self.cloud.hosts["d"].compute = False
        services = self.cloud.services
        self.cloud.services = lambda: [
            one for one in services() if one.host != "d"
        ]
        self.engine.run(60)
        self.assertIs(
            model.Reason.NO_SERVICE,
            self.engine.controller.verdicts["d"].reason,
        )
        self.crash()
        self.reach(S.EVACUATED)
