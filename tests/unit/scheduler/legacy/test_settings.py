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

"""An old nova.conf counts; a modern one counts more."""

import pathlib

import fixtures
from oslo_config import cfg

from nova_ha.scheduler.legacy import settings
from tests import base

NOVAS_OWN = ["ComputeFilter", "ImagePropertiesFilter"]
OLD = "[DEFAULT]\nscheduler_default_filters = RetryFilter,ComputeFilter\n"


class TestHonour(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger("nova_ha"))

    def honoured(self, text: str, **override: list[str]) -> list[str]:
        """The filters in use with this nova.conf."""
        file = pathlib.Path(self.useFixture(fixtures.TempDir()).path, "n.conf")
        file.write_text(text)
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[str(file)])
        conf.register_opt(
            cfg.ListOpt("enabled_filters", default=NOVAS_OWN),
            group="filter_scheduler",
        )
        for name, value in override.items():
            conf.set_override(name, value, group="filter_scheduler")
        settings.honour(conf)
        # Nova's HostManager may be made more than once.
        settings.honour(conf)
        enabled: list[str] = conf.filter_scheduler.enabled_filters
        return enabled

    def test_modern_conf_is_left_alone(self) -> None:
        self.assertEqual(NOVAS_OWN, self.honoured("[DEFAULT]\n"))
        self.assertEqual("", self.log.output)

    def test_old_list_is_used(self) -> None:
        self.assertEqual(["RetryFilter", "ComputeFilter"], self.honoured(OLD))

    def test_warning_shows_the_modern_line(self) -> None:
        self.honoured(OLD)
        self.assertIn(
            "[filter_scheduler] enabled_filters = RetryFilter, ComputeFilter",
            self.log.output,
        )
        self.assertIn("honoured by nova_ha", self.log.output)

    def test_modern_list_wins(self) -> None:
        modern = "[filter_scheduler]\nenabled_filters = ComputeFilter\n"
        for text in (OLD + modern, modern + OLD):
            self.assertEqual(["ComputeFilter"], self.honoured(text))
        self.assertIn("it is ignored", self.log.output)
        self.assertNotIn("honoured", self.log.output)

    def test_modern_list_that_equals_novas_own_wins(self) -> None:
        modern = (
            f"[filter_scheduler]\nenabled_filters = {','.join(NOVAS_OWN)}\n"
        )
        self.assertEqual(NOVAS_OWN, self.honoured(OLD + modern))

    def test_set_by_a_program_wins(self) -> None:
        found = self.honoured(OLD, enabled_filters=["Other"])
        self.assertEqual(["Other"], found)

    def test_empty_old_list_does_not_open_every_host(self) -> None:
        found = self.honoured("[DEFAULT]\nscheduler_default_filters =\n")
        self.assertEqual(NOVAS_OWN, found)

    def test_other_old_options_are_told(self) -> None:
        self.honoured(
            "[DEFAULT]\n"
            "scheduler_available_filters = nova.all_filters\n"
            "scheduler_available_filters = own.Filter\n"
            "scheduler_weight_classes = own.Weigher\n"
        )
        for words in (
            "[filter_scheduler] available_filters = nova.all_filters and "
            "available_filters = own.Filter",
            "[filter_scheduler] weight_classes = own.Weigher",
        ):
            self.assertIn(words, self.log.output)
