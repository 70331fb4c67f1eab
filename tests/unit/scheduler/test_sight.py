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
"""When the scheduler is blind, and who shares a view."""

import gc
import logging

import fixtures
from oslo_config import cfg

from nova_ha.coordination import view as view_module
from nova_ha.scheduler import sight
from tests import base as tests_base

BLIND = view_module.ViewSnapshot()


class View:
    def __init__(self) -> None:
        self.known = BLIND

    def snapshot(self) -> view_module.ViewSnapshot:
        return self.known


class SightTest(tests_base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(
            fixtures.FakeLogger("nova_ha", level=logging.DEBUG)
        )
        self.view = View()

    def sight(self, fail_closed: bool = False) -> sight.Sight:
        return sight.Sight(self.view, max_age=30.0, fail_closed=fail_closed)

    def aged(self, age: float) -> view_module.ViewSnapshot:
        self.view.known = view_module.ViewSnapshot(age=age)
        return self.view.known

    def test_old_knowledge_is_used_for_a_while(self) -> None:
        self.assertIs(self.aged(29.9), self.sight().look())

    def test_and_no_longer(self) -> None:
        for age in (30.1, float("inf"), float("nan")):
            self.aged(age)
            self.assertIsNone(self.sight().look())

    def test_snapshots_are_had_however_old(self) -> None:
        self.assertIs(BLIND, self.sight().snapshot())

    def test_blindness_is_told_once(self) -> None:
        seen = self.sight()
        for age in (float("inf"), 40.0, 1.0, 1.0, 40.0):
            self.aged(age)
            seen.look()
        self.assertEqual(2, self.log.output.count("Nothing is known"))
        self.assertEqual(1, self.log.output.count("is known again"))
        self.assertIn("not read", self.log.output)
        self.assertIn("last read 40 s ago", self.log.output)

    def test_what_follows_is_told(self) -> None:
        self.sight().look()
        self.assertIn("all hosts pass", self.log.output)
        self.sight(fail_closed=True).look()
        self.assertIn("no hosts pass", self.log.output)


class SharedTest(tests_base.TestCase):
    def conf(self, **changes: object) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        conf([])
        sight.options(conf)
        for name, value in changes.items():
            conf.set_override(name, value, group="nova_ha")
        return conf

    def test_all_of_a_process_share_one(self) -> None:
        one = sight.shared(self.conf())
        self.assertIs(one, sight.shared(self.conf()))

    def test_other_settings_have_another(self) -> None:
        one = sight.shared(self.conf())
        other = sight.shared(self.conf(fail_closed=True))
        self.assertIsNot(one, other)
        self.assertEqual((False, True), (one.fail_closed, other.fail_closed))

    def test_nothing_stays_that_nobody_uses(self) -> None:
        before = len(sight._shared)
        one = sight.shared(self.conf(zookeeper_namespace="of-this-test"))
        self.assertEqual(before + 1, len(sight._shared))
        del one
        gc.collect()
        self.assertEqual(before, len(sight._shared))
