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

"""Every change of state happens, and the table has a reason for it."""

import fixtures

from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import recovery
from nova_ha.core import transitions
from nova_ha.core import work as work_mod
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import Hold
from nova_ha.core.model import PowerState
from tests import base
from tests.fakes import chaos
from tests.unit.core import builders as make
from tests.unit.core import scenario


class TableTestCase(base.TestCase):
    def test_each_row_has_a_reason(self):
        for pair, reason in transitions.TRANSITIONS.items():
            self.assertGreater(len(reason), 10, pair)
            self.assertNotEqual(*pair)

    def test_each_state_can_be_reached_and_left(self):
        entered = {to for _, to in transitions.TRANSITIONS} | {S.SUSPECTED}
        self.assertEqual(set(S), entered)
        left = {state for state, _ in transitions.TRANSITIONS}
        self.assertEqual(set(S) - transitions.ENDED, left)

    def test_each_state_leads_to_an_end(self):
        good = set(transitions.ENDED)
        for _ in S:
            good |= {
                source for source, to in transitions.TRANSITIONS if to in good
            }
        self.assertEqual(set(S), good)

    def test_only_evidence_leads_to_an_evacuation(self):
        self.assertEqual(
            {S.FENCED, S.PARTIAL},
            {
                source
                for source, to in transitions.TRANSITIONS
                if to is S.EVACUATING
            },
        )


class OpenCaseTestCase(base.TestCase):
    def test_what_is_noted(self):
        case = recovery.open_case(
            "a", make.world(make.missing()), model.Epoch(7), make.now()
        )
        self.assertEqual(
            (S.SUSPECTED, "boot-1", "service-a", 7),
            (case.state, case.boot_id, case.service_id, case.epoch),
        )
        self.assertIn("a", case.id)
        self.assertEqual({"suspected": make.now().utc}, case.times)


class TakeOverTestCase(base.TestCase):
    def test_what_a_predecessor_had_begun_may_have_happened(self):
        for state in S:
            case, progress = recovery.take_over(
                make.case(state=state), model.Epoch(9), make.now()
            )
            self.assertEqual(9, case.epoch)
            self.assertEqual(state is S.FENCING, case.off_sent)
            self.assertEqual(make.now().mono, progress.taken_over_at)

    def test_a_power_off_is_not_forgotten(self):
        case, _ = recovery.take_over(
            make.case(off_sent=True), model.Epoch(9), make.now()
        )
        self.assertTrue(case.off_sent)


class SuspectedTestCase(base.TestCase):
    """One step of a suspected case, by verdict and switches."""

    def step(self, verdict=None, view=None, others=(), **world):
        view = view or make.missing()
        return recovery.step(
            make.case(),
            work_mod.Progress(),
            events.Tick(),
            make.world(
                view,
                *others,
                verdicts={"a": verdict or make.verdict()},
                **world,
            ),
            make.now(),
        )

    def actions(self, step):
        return [type(action).__name__ for action in step.actions]

    def test_down_is_fenced(self):
        step = self.step()
        self.assertIs(S.FENCING, step.case.state)
        (fence,) = step.actions
        self.assertEqual(
            ("boot-1", False, make.utc(0)),
            (fence.boot_id, fence.refencing, fence.service.reported_at),
        )

    def test_a_suspect_only_has_its_device_asked(self):
        step = self.step(make.verdict("unknown", "window"))
        self.assertIs(S.SUSPECTED, step.case.state)
        self.assertEqual(["ReadPower"], self.actions(step))

    def test_whatever_is_not_suspect_cancels(self):
        for kind, reason in (
            ("alive", "beacon"),
            ("rebooted", "new-boot"),
            ("away", "goodbye"),
            ("hands-off", "maintenance"),
            ("agent-lost", "source-moves"),
            ("unknown", "life-seen"),
        ):
            step = self.step(make.verdict(kind, reason))
            self.assertIs(S.CANCELLED, step.case.state, reason)
            self.assertEqual(["Close"], self.actions(step))

    def test_stopped(self):
        for hold, world in (
            (Hold.DISARMED, {"control": model.Control()}),
            (
                Hold.PAUSED,
                {"control": model.Control(armed=True, paused=True)},
            ),
            (Hold.COORDINATION, {"connected": False}),
        ):
            step = self.step(**world)
            self.assertIs(hold, step.case.hold)
            self.assertIs(S.SUSPECTED, step.case.state)
            self.assertEqual([], self.actions(step))

    def test_a_storm(self):
        other = make.missing(facts=make.facts("b"))
        step = self.step(others=[other])
        self.assertIs(Hold.STORM, step.case.hold)
        self.assertIn("confirm-fenced a", step.case.message)
        self.assertEqual(["ReadPower"], self.actions(step))

    def test_an_operators_word(self):
        step = self.step(
            make.verdict("unknown", "window"),
            confirmations={"case-a": self.word()},
        )
        self.assertIs(S.FENCED, step.case.state)
        self.assertIn("Consume", self.actions(step))

    def word(self, **changes):
        values = {
            "case": "case-a",
            "host": "a",
            "boot_id": "boot-1",
            "by": "admin",
            "at": make.utc(0),
        } | changes
        return model.Confirmation(**values)

    def test_an_operators_word_about_something_else(self):
        for changes in ({"host": "b"}, {"boot_id": "boot-0"}):
            step = self.step(
                make.verdict("unknown", "window"),
                confirmations={"case-a": self.word(**changes)},
            )
            self.assertIs(S.SUSPECTED, step.case.state, changes)

    def test_a_tick_repeats_nothing(self):
        first = self.step()
        again = recovery.step(
            first.case,
            first.progress,
            events.Tick(),
            make.world(make.missing()),
            make.now(),
        )
        self.assertFalse(again.changed)
        self.assertEqual((), again.actions)


class AllTransitionsTestCase(scenario.ScenarioTestCase):
    """Each row of the table is walked, and nothing else is. The states are
    those that were saved: what a successor would find."""

    def setUp(self):
        super().setUp()
        self.walked = []
        enter = work_mod.Work.enter

        def spy(work, state, *args, **options):
            self.walked.append((work.case.state, state))
            return enter(work, state, *args, **options)

        self.useFixture(
            fixtures.MonkeyPatch("nova_ha.core.work.Work.enter", spy)
        )

    def check(self, *states):
        pairs = list(zip(states, states[1:], strict=False))
        for pair in pairs:
            self.assertIn(pair, transitions.TRANSITIONS)
            self.assertIn(pair, self.walked)

    def test_from_crash_to_closed(self):
        self.to_soaking()
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertEqual([S.CLOSED], self.history())
        self.check(
            S.SUSPECTED,
            S.FENCING,
            S.FENCED,
            S.EVACUATING,
            S.EVACUATED,
            S.RETURNING,
            S.SOAKING,
            S.CLOSED,
        )

    def test_confirmed_by_an_operator(self):
        self.cut_off()
        self.reach(S.SUSPECTED)
        self.crash()
        self.confirm()
        self.reach(S.FENCED, S.EVACUATING)
        self.check(S.SUSPECTED, S.FENCED)

    def test_life_cancels(self):
        self.cut_off()
        self.reach(S.SUSPECTED)
        self.host.agent = True
        self.engine.run(1)
        self.check(S.SUSPECTED, S.CANCELLED)

    def test_a_device_that_fails_is_asked_again(self):
        self.to_fence_failed()
        self.host.device = "obeys"
        self.reach(S.EVACUATED)
        self.check(S.FENCING, S.FENCE_FAILED, S.FENCING, S.FENCED)

    def test_a_failed_fence_and_an_operator(self):
        self.to_fence_failed()
        self.confirm()
        self.reach(S.FENCED, S.EVACUATING)
        self.check(S.FENCE_FAILED, S.FENCED)

    def test_a_failed_fence_and_life(self):
        self.host.device = "fails"
        self.cut_off()
        self.reach(S.FENCE_FAILED)
        self.host.agent = True
        self.engine.run(1)
        self.check(S.FENCE_FAILED, S.CANCELLED)
        self.assertEqual([], self.cloud.calls)

    def test_the_last_look_forbids(self):
        """Paused after the decision, seen only by the last look."""
        self.cut_off()
        self.cloud.read_control = lambda: model.Control(
            armed=True, paused=True
        )
        self.engine.run(30)
        self.assertEqual([], self.cloud.calls)
        self.check(S.SUSPECTED, S.FENCING, S.SUSPECTED)

    def test_paused_after_all_has_moved(self):
        """What it was held for is not what it waits for afterwards."""
        self.cut_off()
        self.reach(S.EVACUATED)
        self.cloud.control = model.Control(armed=True, paused=True)
        self.engine.run(1)
        held = self.engine.case("a")
        self.assertIs(Hold.PAUSED, held.hold)
        self.cloud.control = model.Control(armed=True)
        self.engine.run(1)
        self.assertEqual(
            (None, "no longer held: paused"),
            (self.engine.case("a").hold, self.engine.case("a").message),
        )

    def test_the_last_look_sees_life(self):
        self.cut_off()
        read_host = self.cloud.read_host

        def back(name):
            self.host.agent = True
            return read_host(name)

        self.cloud.read_host = back
        self.engine.run(30)
        self.assertEqual([], self.cloud.calls)
        self.check(S.FENCING, S.CANCELLED)

    def test_switched_on_in_the_middle(self):
        self.to_evacuating()
        self.cloud.rebuild_seconds = 2.0
        self.cloud.switch_on("a", agent=True)
        self.reach(S.EVACUATED)
        self.check(S.EVACUATING, S.FENCING, S.FENCED, S.EVACUATING)

    def test_partial_and_back(self):
        self.cloud.hosts["c"].guests.add("a0")
        self.crash()
        self.reach(S.PARTIAL)
        self.cloud.hosts["c"].guests.discard("a0")
        self.reach(S.EVACUATED)
        self.check(S.EVACUATING, S.PARTIAL, S.EVACUATING, S.EVACUATED)

    def test_partial_and_the_host_returns(self):
        self.to_partial()
        self.come_back()
        self.reach(S.SOAKING)
        self.check(S.PARTIAL, S.RETURNING, S.SOAKING)

    def test_it_dies_again_while_it_is_watched(self):
        self.to_soaking()
        self.crash()
        self.reach(S.EVACUATED)
        self.check(S.SOAKING, S.RETURNING, S.FENCING, S.FENCED)

    def test_it_is_alive_after_all_when_it_seemed_to_die_again(self):
        self.to_soaking()
        self.cut_off()
        read_host = self.cloud.read_host

        def back(name):
            self.host.agent = self.host.compute = True
            return read_host(name)

        self.cloud.read_host = back
        self.reach(S.RETURNING)
        self.engine.run_until(lambda: (S.FENCING, S.RETURNING) in self.walked)
        self.check(S.FENCING, S.RETURNING)
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertFalse(self.host.forced_down)


class FenceFailedTestCase(scenario.ScenarioTestCase):
    def test_no_further_power_off_for_a_host_whose_agent_alone_is_lost(self):
        """Its nova-compute reports again: it lives, and was never off."""
        self.host.device = "fails"
        self.cut_off()
        self.reach(S.FENCE_FAILED)
        self.host.compute = True
        self.engine.run(4.5)
        self.host.device = "obeys"
        self.engine.run(60)
        self.assertEqual([], self.cloud.calls)
        self.assertEqual([S.CANCELLED], self.history())

    def test_nor_for_one_that_has_said_goodbye(self):
        self.host.device = "fails"
        self.cut_off()
        self.reach(S.FENCE_FAILED)
        self.host.goodbye = make.goodbye(boot=self.host.boot_id, ttl=120.0)
        self.engine.run(1)
        self.host.device = "obeys"
        self.engine.run(60)
        self.assertEqual([], self.cloud.calls)

    def test_rounds_come_at_growing_distances_and_end(self):
        self.to_fence_failed()
        self.engine.run(3000, step=2.5)
        self.assertEqual(make.POLICY.fence_rounds, self.case.fence_rounds)
        self.assertIn("case.waiting", self.codes())
        self.host.power = PowerState.OFF
        self.host.device = "obeys"
        self.reach(S.EVACUATED)


class SuccessorTestCase(scenario.ScenarioTestCase):
    def test_its_first_look_at_nova_is_no_sign_of_life(self):
        """A new engine that has not read Nova yet takes over a case in
        FENCING: that it knows no last report does not mean a new one."""
        self.crash()
        self.engine.executor.run_one = self._dies_before_the_fence(
            self.engine.executor.run_one
        )
        self.assertRaises(chaos.Killed, self.engine.run, 60)
        self.is_in(S.FENCING)
        self.cloud.clock.now += 12.0
        self.engine = BlindToNova(self.cloud, epoch=2)
        self.engine.run(1)
        self.assertNotIn("case.fence_failed", self.codes())

    def _dies_before_the_fence(self, run_one):
        def run():
            job, _ = self.engine.executor.waiting[0]
            if "Fence" in job.key:
                raise chaos.Killed
            return run_one()

        return run


class BlindToNova(chaos.ChaosEngine):
    """Its first answer from Nova has not come yet."""

    def handle(self, event):
        if not isinstance(event, events.ServicesRead):
            super().handle(event)
