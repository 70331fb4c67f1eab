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


from oslo_config import cfg

from nova_ha import exception
from nova_ha.assembly import engine
from nova_ha.conf import evacuation
from nova_ha.core import rules
from tests import base


class RulesTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.conf = cfg.ConfigOpts()
        evacuation.register_opts(self.conf)

    def set(self, name, value):
        self.conf.set_override(name, value, "evacuation")
        self.addCleanup(self.conf.clear_override, name, "evacuation")

    def test_the_defaults_are_the_cores(self):
        self.assertEqual(rules.Rules(), engine.rules(self.conf))

    def test_what_is_set(self):
        self.set("excluded_projects", ["p1", "p2"])
        self.set("reset_states", "suspended")
        self.set("priority_groups", "900,500")
        self.assertEqual(
            rules.Rules(
                excluded_projects=("p1", "p2"),
                reset_states=("suspended",),
                priority_groups=(900, 500),
            ),
            engine.rules(self.conf),
        )

    def test_every_resettable_state_can_be_set(self):
        self.set("reset_states", list(rules.RESETTABLE))
        for wrong in ("resized", "active"):
            self.assertRaises(
                ValueError,
                self.conf.set_override,
                "reset_states",
                wrong,
                "evacuation",
            )

    def test_groups_go_down(self):
        for wrong in ("500,900", "500,500"):
            self.set("priority_groups", wrong)
            error = self.assertRaises(
                exception.ConfigError, engine.rules, self.conf
            )
            self.assertIn("priority_groups", str(error))

    def test_images_cost_requests(self):
        self.assertFalse(rules.Rules().ask_images)
        self.assertTrue(rules.Rules(mark_image="ha").ask_images)
        self.assertTrue(rules.Rules(excluded_images=("a",)).ask_images)
