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

from nova_ha.sim import chance
from nova_ha.sim import script
from nova_ha.sim import shrink
from tests import base

HOSTS = tuple(script.HostSpec(name=f"host-{n}", drift=0.1) for n in range(5))
CLOUD = script.Cloud(
    hosts=HOSTS,
    instances=tuple(
        script.InstanceSpec(name=f"instance-{n}", host=f"host-{n % 5}")
        for n in range(10)
    ),
    engines=(script.EngineSpec(name="e1"), script.EngineSpec(name="e2")),
)


def fault(verb, *targets, **values):
    return script.Fault(verb=verb, targets=targets, **values)


FAULTS = (
    fault("crash", "host-0", at=3.3),
    fault("elect", at=5.0),
    fault("freeze", "host-2", "host-3", at=7.7, lasts=2.3),
    fault("lag", at=9.0),
    fault(chance.CALM_VERB, at=60.0),
)


class ShrinkTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.script = script.Script(name="it", cloud=CLOUD, faults=FAULTS)
        self.runs = 0

    def shrink(self, culprit, budget=100):
        """A run fails if ``culprit`` says so."""

        def fails(made):
            self.runs += 1
            return culprit(made)

        return shrink.Shrinker(fails, budget).shrink(self.script)

    def test_one_fault_is_to_blame(self):
        found = self.shrink(lambda made: _has(made, "crash"))
        self.assertEqual(
            [fault("crash", "host-0", at=3.0)], list(_troubles(found))
        )

    def test_two_are(self):
        found = self.shrink(
            lambda made: _has(made, "crash") and _has(made, "lag")
        )
        self.assertEqual(
            ["crash", "lag"], [one.verb for one in _troubles(found)]
        )

    def test_the_calm_stays(self):
        found = self.shrink(lambda made: True)
        self.assertEqual([chance.CALM_VERB], [f.verb for f in found.faults])

    def test_the_cloud_becomes_small_and_plain(self):
        found = self.shrink(lambda made: _has(made, "freeze"))
        (freeze,) = _troubles(found)
        self.assertEqual(("host-2",), freeze.targets)
        self.assertIsNone(freeze.lasts)
        self.assertEqual(1, len(found.cloud.engines))
        self.assertEqual((), found.cloud.instances)
        self.assertEqual({0.0}, {host.drift for host in found.cloud.hosts})

    def test_what_a_fault_names_is_kept(self):
        found = self.shrink(lambda made: _has(made, "crash"))
        self.assertIn("host-0", found.cloud.host_names)

    def test_what_does_not_fail_is_no_result(self):
        found = self.shrink(lambda made: made == self.script)
        self.assertEqual(self.script, found)

    def test_it_stops_when_the_budget_is_spent(self):
        found = self.shrink(lambda made: _has(made, "crash"), budget=3)
        self.assertLessEqual(self.runs, 3)
        self.assertTrue(_has(found, "crash"))


def _has(made, verb):
    return any(one.verb == verb for one in made.faults)


def _troubles(made):
    return (one for one in made.faults if one.verb != chance.CALM_VERB)
