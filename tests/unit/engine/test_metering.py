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

"""What an engine tells of itself while it works."""

from nova_ha import ports
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.phases import Phase
from nova_ha.engine import metering
from tests import base
from tests.fakes import cloud as fakes


class Meter(ports.Meter):
    def __init__(self):
        self.censuses = []
        self.phases = []
        self.outcomes = []

    def count(self, census):
        self.censuses.append(census)

    def reached(self, phase, seconds):
        self.phases.append((phase, seconds))

    def fenced(self, outcome):
        self.outcomes.append(outcome)


class MeteringTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.meter = Meter()
        self.engine = fakes.EngineUnderTest(self.cloud, meter=self.meter)
        self.engine.run(60)

    @property
    def latest(self):
        return self.meter.censuses[-1]

    def recover(self):
        self.cloud.hosts["a"].crash()
        self.engine.run_until(
            lambda: self.engine.state("a") is CaseState.EVACUATED
        )
        self.engine.run(2)

    def test_a_healthy_cloud(self):
        hosts = len(self.cloud.hosts)
        self.assertTrue(self.latest.connected)
        self.assertEqual(1, self.latest.epoch)
        self.assertEqual({"alive": hosts}, self.latest.verdicts)
        self.assertEqual({}, self.latest.cases)
        self.assertEqual(hosts, self.latest.monitored)
        self.assertEqual({"hosts", "services"}, self.latest.read_at.keys())

    def test_not_at_every_event(self):
        counted = len(self.meter.censuses)
        self.engine.run(10, step=0.1)
        self.assertLessEqual(
            len(self.meter.censuses) - counted, 10 / metering.INTERVAL + 1
        )

    def test_a_recovery_is_measured(self):
        self.recover()
        self.assertEqual(
            list(Phase), [phase for phase, _ in self.meter.phases]
        )
        seconds = [seconds for _, seconds in self.meter.phases]
        self.assertEqual(sorted(seconds), seconds)
        self.assertEqual({"evacuated": 1}, self.latest.cases)
        self.assertEqual({"done": 2}, self.latest.moves)
        (outcome,) = self.meter.outcomes
        self.assertIsNotNone(outcome.evidence)

    def test_a_successor_does_not_measure_it_once_more(self):
        self.recover()
        meter = Meter()
        fakes.EngineUnderTest(self.cloud, epoch=2, meter=meter).run(10)
        self.assertEqual({"evacuated": 1}, meter.censuses[-1].cases)
        self.assertEqual([], meter.phases)

    def test_who_does_not_lead_says_so(self):
        self.engine.handle(events.LeadershipChanged(epoch=None))
        self.engine.run(2)
        self.assertIsNone(self.latest.epoch)
        self.assertEqual({}, self.latest.cases)

    def test_a_lost_session_shows(self):
        self.engine.handle(events.ConnectionChanged(connected=False))
        self.cloud.clock.now += 2
        self.engine.handle(events.Tick())
        self.assertFalse(self.latest.connected)

    def test_a_view_that_is_not_read_grows_old(self):
        self.cloud.nova_down = True
        self.engine.run(10)
        age = {
            view: self.cloud.clock.now - at
            for view, at in self.latest.read_at.items()
        }
        self.assertGreaterEqual(age["services"], 10.0)
        self.assertLess(age["hosts"], 2.0)

    def test_the_switches_show(self):
        self.cloud.control = model.Control(armed=True, paused=True)
        self.engine.run(2)
        self.assertTrue(self.latest.paused)
