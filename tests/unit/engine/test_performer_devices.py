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

"""Barred devices, and switching on: what the last look before it forbids."""

from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core.model import PowerState
from nova_ha.engine import jobs
from tests.unit.core import builders as make
from tests.unit.engine import test_performer

BAR = model.Bar(reason="it lied", since=make.utc(0))
ON, EPOCH = test_performer.ON, test_performer.EPOCH


class BarredTestCase(test_performer.PerformerTestCase):
    def setUp(self):
        super().setUp()
        self.host.agent = self.host.compute = False

    def test_a_device_that_was_barred_meanwhile_forbids_the_power_off(self):
        self.host.barred = {"bmc-a": BAR}
        action = actions.Fence(
            boot_id=self.host.boot_id,
            service=self.host.service(),
            **ON,
        )
        outcome = self.act(action).outcome
        self.assertIn("barred meanwhile: bmc-a", outcome.aborted)
        self.assertEqual([], self.cloud.calls)

    def test_bars_are_written_with_their_time(self):
        action = actions.BarDevices(devices=("x", "y"), reason="why", **ON)
        self.assertEqual(
            events.ActionDone(key="BarDevices", **ON), self.act(action)
        )
        bar = model.Bar(reason="why", since=self.cloud.clock.utcnow())
        self.assertEqual({"x": bar, "y": bar}, self.host.barred)

    def test_a_deposed_leader_bars_nothing(self):
        action = actions.BarDevices(devices=("x",), reason="why", **ON)
        event = self.act(action, model.Epoch(9))
        self.assertIsInstance(event, events.ActionFailed)
        self.assertEqual({}, self.host.barred)

    def test_their_word_is_not_asked_for(self):
        for action in (
            actions.ReadPower(barred=frozenset(["bmc-a"]), **ON),
            actions.TakeSurvey(power=True, barred=frozenset(["bmc-a"]), **ON),
        ):
            event = self.act(action)
            reading = getattr(event, "reading", None) or event.survey.power
            self.assertIs(PowerState.UNKNOWN, reading.state)


class PowerOnTestCase(test_performer.PerformerTestCase):
    def switch_on(self, epoch=EPOCH):
        return self.act(actions.PowerOn(**ON), epoch)

    def check_forbidden(self, word, epoch=EPOCH):
        event = self.switch_on(epoch)
        self.assertIn(word, event.error)
        self.assertEqual([], self.cloud.calls)

    def test_it_is_done(self):
        self.assertIsInstance(self.switch_on(), events.ActionDone)
        self.assertEqual([("on", "a")], self.cloud.calls)

    def test_a_device_that_refuses(self):
        self.host.device = "fails"
        self.assertIn("it is broken", self.switch_on().error)

    def test_what_an_operator_wants_otherwise_by_now(self):
        self.cloud.control = model.Control(armed=True, paused=True)
        self.check_forbidden("paused")
        self.cloud.control = model.Control(armed=True)
        self.host.maintenance = "RAM"
        self.check_forbidden("RAM")
        self.host.maintenance, self.host.barred = "", {"bmc-a": BAR}
        self.check_forbidden("barred")

    def test_a_deposed_leader_switches_nothing_on(self):
        self.check_forbidden("epoch", model.Epoch(9))


class CheckTestCase(test_performer.PerformerTestCase):
    HEALTH = model.FencingHealth(fenceable=True, since=make.utc(0))

    def keep(self, epoch=EPOCH, **barred):
        job = jobs.KeepFencing(host="a", health=self.HEALTH, barred=barred)
        return self.perform(job, epoch)

    def test_what_a_check_has_found_is_kept(self):
        self.assertEqual("", self.keep(bmc=BAR).error)
        self.assertEqual(
            ({"bmc": BAR}, self.HEALTH), (self.host.barred, self.host.fencing)
        )

    def test_not_by_a_deposed_leader(self):
        self.assertIn("epoch", self.keep(model.Epoch(9), bmc=BAR).error)
        self.assertEqual(({}, None), (self.host.barred, self.host.fencing))

    def test_questions(self):
        job = jobs.CheckDevices(host="a", system_uuid="")
        (report,) = self.perform(job).reports
        self.assertTrue(report.ok)
        state = self.perform(jobs.CheckTopology(shown=False)).state
        self.assertEqual(self.cloud.fencing_file, state)
