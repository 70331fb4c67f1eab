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

"""Limits: what is poisoned, too large, mistaken or gone hurts nothing else."""

import dataclasses

from nova_ha import exception
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import recovery
from nova_ha.core.model import CaseState
from tests import base
from tests.fakes import cloud as fakes
from tests.fakes import host as fakes_host
from tests.unit.core import builders as make


class LimitsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.start()

    def start(self, epoch=1):
        self.engine = fakes.EngineUnderTest(self.cloud, epoch=epoch)
        self.engine.run(60)

    def told(self, code):
        return [one for one in self.engine.notifier.events if one.code == code]

    def wait_for(self, host, state):
        self.engine.run_until(lambda: self.engine.state(host) is state)


class UnreadableTestCase(LimitsTestCase):
    """The stored case of ``a`` cannot be read; ``a`` is dead."""

    def setUp(self):
        super().setUp()
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATING)
        self.cloud.unreadable["a"] = "cases/a cannot be read"
        self.cloud.clock.now += 12.0
        self.start(epoch=2)

    def test_it_is_left_alone_and_said_loudly(self):
        before = self.cloud.stored["a"]
        self.cloud.calls.clear()
        self.engine.run(120)
        self.assertEqual([], self.cloud.calls)
        self.assertIs(before, self.cloud.stored["a"])
        (alarm,) = self.told("case.unreadable")
        self.assertIs(model.Severity.ALARM, alarm.severity)
        self.assertIn("cannot be read", self.cloud.verdicts["a"].message)

    def test_what_the_case_has_set_is_not_called_an_operators(self):
        self.cloud.hosts["a"].disabled_reason = ""
        self.engine.run(120)
        self.assertTrue(self.cloud.hosts["a"].forced_down)
        self.assertEqual([], self.told("host.hands_off"))

    def test_it_is_said_again(self):
        self.engine.run(700)
        self.assertEqual(3, len(self.told("case.unreadable")))

    def test_the_others_are_recovered(self):
        self.cloud.hosts["a"].power_on()
        self.engine.run(70)
        self.cloud.hosts["d"].crash()
        self.wait_for("d", CaseState.EVACUATED)

    def test_once_it_is_mended_it_goes_on(self):
        self.cloud.unreadable.clear()
        self.wait_for("a", CaseState.EVACUATED)

    def test_once_it_is_deleted_the_host_is_judged_anew(self):
        self.cloud.unreadable.clear()
        old, _ = self.cloud.stored.pop("a")
        self.engine.run_until(lambda: self.engine.state("a") is not None, 400)
        self.assertNotEqual(old.id, self.engine.case("a").id)


class UnfitTestCase(LimitsTestCase):
    """The case fits into no znode."""

    def setUp(self):
        super().setUp()
        self.save, self.cloud.save = self.cloud.save, self.refuse
        self.cloud.hosts["a"].crash()
        self.engine.run(30)

    def refuse(self, case, version):
        raise exception.PayloadTooLarge("cases/a", "1000000 bytes")

    def test_nothing_is_done_that_could_not_be_recorded(self):
        self.engine.run(600)
        self.assertEqual([], self.cloud.calls)

    def test_it_is_an_alarm_again_and_again_but_not_every_second(self):
        self.engine.run(600)
        alarms = self.told("case.unsaved")
        self.assertEqual(3, len(alarms))
        self.assertIs(model.Severity.ALARM, alarms[0].severity)

    def test_everybody_sees_why(self):
        message = self.cloud.verdicts["a"].message
        self.assertIn("held (unsaved)", message)
        self.assertIn("1000000 bytes", message)

    def test_the_others_are_not_hurt(self):
        other = self.engine.controller.verdicts["b"]
        self.assertIs(model.VerdictKind.ALIVE, other.kind)

    def test_it_goes_on_once_it_fits(self):
        self.cloud.save = self.save
        self.engine.run_until(
            lambda: self.engine.state("a") is CaseState.EVACUATED, 600
        )


class UnansweredTestCase(LimitsTestCase):
    def test_a_save_without_an_answer_is_tried_again_and_told_once(self):
        save, tries = self.cloud.save, []

        def fail(case, version):
            tries.append(case)
            raise exception.CoordinationUnavailable("no answer")

        self.cloud.save = fail
        self.cloud.hosts["a"].crash()
        self.engine.run(20)
        self.assertGreater(len(tries), 10)
        self.assertEqual(1, len(self.told("case.unsaved")))
        self.cloud.save = save
        self.wait_for("a", CaseState.EVACUATED)


class MistakeTestCase(LimitsTestCase):
    def setUp(self):
        super().setUp()
        self.engine.notifier.mistakes_expected = True
        self.step = recovery.step
        self.addCleanup(setattr, recovery, "step", self.step)
        recovery.step = self.fail_for_a

    def fail_for_a(self, case, *others):
        if case.host == "a":
            raise KeyError("oops")
        return self.step(case, *others)

    def test_a_mistake_about_one_host_does_not_hurt_the_others(self):
        self.cloud.hosts["a"].crash()
        self.engine.run(5)
        self.cloud.hosts["a"].power_on()
        self.cloud.hosts["d"].crash()
        self.wait_for("d", CaseState.EVACUATED)
        self.assertEqual(1, len(self.told("engine.mistake")))


class IdentityTestCase(base.TestCase):
    def test_cases_of_one_second_differ(self):
        now = model.Now(mono=1000.0, utc=make.utc(0).replace(microsecond=7000))
        later = dataclasses.replace(now, utc=now.utc.replace(microsecond=8000))
        world = make.world(make.missing())
        first, second = (
            recovery.open_case("a", world, 1, moment).id
            for moment in (now, later)
        )
        self.assertRegex(first, r"^\d{8}T\d{6}\.007Z-a$")
        self.assertLess(first, second)


class GoneTestCase(LimitsTestCase):
    """Hosts come and go; nothing of them stays."""

    def test_nothing_is_kept_of_hosts_that_are_gone(self):
        controller = self.engine.controller
        for number in range(20):
            name = f"x{number}"
            host = self.cloud.hosts[name] = fakes_host.Host(name)
            self.engine.run(5)
            host.agent = host.compute = False
            self.engine.run(5)
            del self.cloud.hosts[name]
            self.engine.run(10)
        self.assertEqual({"a", "b", "c", "d"}, controller.verdicts.keys())
        self.assertEqual({}, dict(controller.cases))
        self.assertEqual(set(), controller._restless())
        self.assertEqual(set(), controller._suspects)
        self.assertLessEqual(
            controller._teller._told.keys(), {"a", "b", "c", "d"}
        )
        self.assertEqual({}, controller._caretakers._enroller._not_before)
        self.assertEqual({}, dict(controller._publisher.published))
        self.assertEqual(4, len(controller.fleet.guests.inventories))


class SweepTestCase(LimitsTestCase):
    def test_news_of_others_do_not_keep_a_case_from_going_on(self):
        """A large fleet has some every few milliseconds: the engine never
        comes to an idle tick."""
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.SUSPECTED)
        for _ in range(6000):
            self.cloud.clock.now += 0.01
            host = self.cloud.hosts["b"]
            host.sequence += 1
            self.engine.handle(events.HostsRead(hosts={"b": host.facts()}))
            if self.cloud.clock.now % 1 < 0.01:
                self.engine.handle(
                    events.ServicesRead(
                        services={
                            one.host: one for one in self.cloud.services()
                        },
                        began=self.cloud.clock.now,
                    )
                )
        self.assertIs(CaseState.EVACUATED, self.engine.state("a"))

    def test_news_of_one_host_are_no_work_for_the_others(self):
        self.cloud.hosts["a"].agent = False
        self.engine.run(60)
        self.engine.handle(events.Tick())
        judged = []
        self.engine.controller._judge = judged.append
        host = self.cloud.hosts["b"]
        host.sequence += 1
        self.engine.handle(events.HostsRead(hosts={"b": host.facts()}))
        self.assertEqual([{"b"}], judged)
