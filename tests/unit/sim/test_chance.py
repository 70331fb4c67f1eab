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

from nova_ha.fencing import document
from nova_ha.sim import chance
from nova_ha.sim import script_dump
from nova_ha.sim import script_file
from nova_ha.sim import verbs
from tests import base

SEEDS = range(40)


class ChanceTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.made = [chance.script_of(seed, 6, 2.0) for seed in SEEDS]

    def test_a_seed_is_a_script(self):
        for seed in SEEDS:
            again = chance.script_of(seed, 6, 2.0)
            self.assertEqual(self.made[seed], again)

    def test_others_are_others(self):
        self.assertEqual(len(SEEDS), len({str(one) for one in self.made}))

    def test_each_can_be_written_and_read(self):
        """So a failing one can be handed on as a file."""
        for one in self.made:
            text = script_dump.dump(one)
            read = script_file.parse(document.parse(text, "it"), one.name)
            self.assertEqual(
                [(f.verb, f.targets, f.when, f.lasts) for f in one.faults],
                [(f.verb, f.targets, f.when, f.lasts) for f in read.faults],
            )
            self.assertEqual(one.cloud, read.cloud)
            self.assertEqual(one.policy, read.policy)

    def test_size(self):
        for one in self.made:
            self.assertIn(len(one.cloud.hosts), range(3, 7))
            self.assertEqual(120.0 + chance.CALM, one.seconds)

    def test_trouble_ends_in_calm(self):
        for one in self.made:
            self.assertEqual((chance.CALM_VERB, 120.0), _last(one))
            for fault in one.faults:
                self.assertLessEqual(fault.at, 120.0)

    def test_no_kind_of_trouble_is_left_out(self):
        seen = {
            fault.verb
            for seed in range(400)
            for fault in chance.script_of(seed, 6, 2.0).faults
        }
        self.assertEqual(set(), seen - verbs.VERBS.keys())
        self.assertEqual(BY_HAND, verbs.VERBS.keys() - seen)


def _last(script):
    return script.faults[-1].verb, script.faults[-1].at


BY_HAND = {
    # Refused, and so no trouble.
    "forge-znode",
    # Its end is not that of a fault, but a challenge by the leader.
    "keep-session",
    # What ``for`` undoes others with.
    "thaw",
    "start-agent",
    "start-compute",
    "mend-check",
    "join",
    "start-zookeeper",
    "mend-bmc",
    "start-nova",
    "cell-up",
    "power-feed-back",
    "enable",
    "resume",
    "arm",
    "end-maintenance",
    # What only somebody does who knows of no fencing: it cannot be survived.
    "start-guest",
    "evacuate",
    # What changes where instances go, and no more.
    "reserve",
    "request-evacuation",
    # What the caretaker does when it is true.
    "confirm",
    "release",
}
