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

"""The leader asks fence devices in good time whether they could fence."""

from nova_ha import exception
from nova_ha.core import brake
from nova_ha.core import events
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.engine import jobs
from tests import base
from tests.fakes import cloud as fakes
from tests.fakes import host as fakes_host

HOUR = 3600.0
POLICY = policy_mod.Policy(device_check_interval=4 * HOUR)


class EngineTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.host = self.cloud.hosts["a"]
        self.asked = []
        examine = self.cloud.examine

        def noted(host, system_uuid):
            self.asked.append(host)
            return examine(host, system_uuid)

        self.cloud.examine = noted
        for host in self.cloud.hosts.values():
            # Asked before, by another leader.
            host.fencing = model.FencingHealth(
                fenceable=True, since=self.cloud.clock.utcnow()
            )
        self.engine = fakes.EngineUnderTest(self.cloud, POLICY)

    def run_for(self, seconds):
        self.engine.run(seconds, step=5.0)

    def codes(self, *wanted):
        return [one for one in self.engine.notifier.codes() if one in wanted]


class DeviceChecksTestCase(EngineTestCase):
    def test_every_host_is_asked_soon_and_then_once_an_interval(self):
        self.run_for(610)
        self.assertEqual(["a", "b", "c", "d"], sorted(self.asked))
        self.asked.clear()
        self.run_for(6 * HOUR)
        self.assertEqual({"a", "b", "c", "d"}, set(self.asked))
        self.assertLessEqual(len(self.asked), 8)

    def test_a_host_that_was_never_asked_is_asked_at_once(self):
        self.host.fencing = None
        self.engine = fakes.EngineUnderTest(self.cloud, POLICY, epoch=2)
        self.run_for(15)
        self.assertIn("a", self.asked)
        self.assertTrue(self.host.fencing.fenceable)

    def test_never_by_default(self):
        self.engine = fakes.EngineUnderTest(self.cloud, epoch=2)
        self.run_for(610)
        self.assertEqual([], self.asked)

    def test_what_fails_is_told_and_kept_and_asked_again(self):
        self.host.device = "fails"
        self.run_for(610)
        self.assertEqual(1, len(self.codes("device.failed")))
        self.assertFalse(self.host.fencing.fenceable)
        self.run_for(1800)
        self.assertEqual(1, len(self.codes("device.failed")))
        self.host.device = "obeys"
        self.run_for(610)
        self.assertEqual(1, len(self.codes("device.ok")))
        self.assertTrue(self.host.fencing.fenceable)

    def test_a_successor_tells_only_what_is_new(self):
        self.host.device = "fails"
        self.run_for(610)
        self.engine = fakes.EngineUnderTest(self.cloud, POLICY, epoch=2)
        self.run_for(610)
        self.assertEqual([], self.codes("device.failed"))

    def test_nothing_is_told_that_could_not_be_kept(self):
        def away(*_):
            raise exception.CoordinationUnavailable("no quorum")

        self.host.device, self.cloud.keep_fencing = "fails", away
        self.run_for(610)
        self.assertEqual([], self.codes("device.failed"))
        del self.cloud.keep_fencing
        self.run_for(120)
        self.assertEqual(1, len(self.codes("device.failed")))

    def test_another_chassis_is_barred(self):
        self.host.other_chassis = True
        self.run_for(610)
        self.assertEqual({"bmc-a"}, self.host.barred.keys())
        self.assertEqual(1, len(self.codes("device.barred")))

    def test_its_bar_may_show_before_it_is_told(self):
        """What is written is read back before the job has ended."""
        keep = self.cloud.keep_fencing

        def slowly(*arguments):
            controller = self.engine.controller
            controller.handle(events.HostsRead(hosts={"a": self.host.facts()}))
            controller._caretakers._device_checks._look_at = 0.0
            controller._look_around()
            keep(*arguments)

        self.host.other_chassis, self.cloud.keep_fencing = True, slowly
        self.run_for(610)
        self.assertEqual(1, len(self.codes("device.barred")))

    def test_a_barred_device_is_asked_about_at_once(self):
        self.run_for(610)
        self.assertTrue(self.host.fencing.fenceable)
        self.host.barred = {
            "bmc-a": model.Bar(
                reason="it lied", since=self.cloud.clock.utcnow()
            )
        }
        self.run_for(15)
        self.assertFalse(self.host.fencing.fenceable)
        self.host.barred = {}
        self.run_for(15)
        self.assertTrue(self.host.fencing.fenceable)

    def test_hosts_with_a_case_or_in_maintenance_are_spared(self):
        self.host.crash()
        self.cloud.hosts["b"].maintenance = "RAM"
        self.run_for(610)
        self.assertEqual(["c", "d"], sorted(self.asked))

    def test_not_in_a_storm(self):
        controller = self.engine.controller
        controller._memory = brake.Memory(storms={"everywhere": None})
        controller._look_around()
        checks = controller._caretakers._device_checks
        checks._due = dict.fromkeys(self.cloud.hosts, 0.0)
        self.cloud.clock.now += 700.0
        controller._now = model.Now(
            mono=self.cloud.clock.now, utc=self.cloud.clock.utcnow()
        )
        controller._look_around()
        self.assertEqual(0, len(self.engine.executor.waiting))
        controller._memory = brake.Memory()
        controller._look_around()
        self.assertNotEqual(0, len(self.engine.executor.waiting))

    def test_a_few_at_a_time(self):
        """However many are due: fences use the same threads."""
        waiting = []
        checks = self.engine.controller._caretakers._device_checks
        checks._submit = waiting.append
        views = [fakes_host.Host(f"compute-{number}") for number in range(100)]
        views = [self.view(one) for one in views]
        checks.look(views, (), self.cloud.clock.now + 10 * HOUR)
        found = [one for one in waiting if isinstance(one, jobs.CheckDevices)]
        self.assertEqual(4, len(found))

    def view(self, host):
        return liveness.HostView(host=host.name, facts=host.facts())


class TopologyTestCase(EngineTestCase):
    def change(self, version, problem=""):
        self.cloud.fencing_file = model.TopologyState(
            version=version, problem=problem
        )

    def test_a_file_that_is_refused_is_an_alarm_once(self):
        self.run_for(60)
        self.change(1, "line 3: no driver")
        self.run_for(300)
        self.assertEqual(["fencing.refused"], self.codes("fencing.refused"))
        (alarm,) = (
            one
            for one in self.engine.notifier.events
            if one.code == "fencing.refused"
        )
        self.assertIn("line 3", alarm.message)
        self.assertEqual("line 3: no driver", self.cloud.refused)
        self.change(2)
        self.run_for(60)
        self.assertEqual("", self.cloud.refused)
        self.assertEqual(["fencing.accepted"], self.codes("fencing.accepted"))

    def test_it_is_an_alarm_although_no_host_is_asked(self):
        self.engine = fakes.EngineUnderTest(self.cloud, epoch=2)
        self.change(1, "line 3: no driver")
        self.run_for(60)
        self.assertEqual(["fencing.refused"], self.codes("fencing.refused"))
        self.assertEqual([], self.asked)

    def test_what_could_not_be_shown_is_shown_later(self):
        def away(*_):
            raise exception.CoordinationUnavailable("no quorum")

        self.cloud.show_refused = away
        self.change(1, "line 3: no driver")
        self.run_for(60)
        self.assertEqual(["fencing.refused"], self.codes("fencing.refused"))
        del self.cloud.show_refused
        self.run_for(60)
        self.assertEqual("line 3: no driver", self.cloud.refused)

    def test_a_file_that_is_right_is_no_work(self):
        shown = []
        self.cloud.show_refused = lambda epoch, problem: shown.append(problem)
        self.run_for(300)
        self.assertEqual([], shown)

    def test_it_is_taken_back_in_another_term_too(self):
        """The node that shows it is the same, as long as the session is."""
        self.change(1, "line 3: no driver")
        self.run_for(60)
        self.engine.controller.handle(events.LeadershipChanged(epoch=None))
        self.change(2)
        epoch = self.cloud.epoch
        self.engine.controller.handle(events.LeadershipChanged(epoch=epoch))
        self.run_for(60)
        self.assertEqual("", self.cloud.refused)

    def test_a_new_version_is_checked(self):
        self.run_for(610)
        self.asked.clear()
        self.change(2)
        self.run_for(660)
        self.assertEqual(["a", "b", "c", "d"], sorted(self.asked))
