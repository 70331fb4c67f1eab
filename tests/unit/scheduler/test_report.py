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

"""What is told of an old nova.conf."""

import pathlib

import fixtures
from oslo_config import cfg

from nova_ha.scheduler import report
from tests import base

BRIDGE = f"""
[filter_scheduler]
available_filters = {report.NOVAS}
available_filters = {report.OURS}
"""
OLD = "[DEFAULT]\nscheduler_default_filters = RetryFilter,ComputeFilter\n"


class TestReport(base.TestCase):
    def examine(self, *texts: str) -> list[report.Finding]:
        directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        files = []
        for number, text in enumerate(texts):
            files.append(directory / f"{number}.conf")
            files[-1].write_text(text)
        return list(report.examine(report.read([str(one) for one in files])))

    def serious(self, *texts: str) -> str:
        return self._of(report.Weight.SERIOUS, *texts)

    def advice(self, *texts: str) -> str:
        return self._of(report.Weight.ADVICE, *texts)

    def _of(self, weight: report.Weight, *texts: str) -> str:
        return "\n".join(
            one.text for one in self.examine(*texts) if one.weight is weight
        )

    def test_modern_file(self) -> None:
        modern = f"{BRIDGE}enabled_filters = ComputeFilter,HostLivenessFilter"
        self.assertEqual([], self.examine(modern))
        self.assertEqual([], self.examine("[DEFAULT]\nhost = a\n"))

    def test_old_list_that_is_honoured(self) -> None:
        self.assertEqual("", self.serious(OLD + BRIDGE))
        self.assertIn(
            "enabled_filters = RetryFilter, ComputeFilter",
            self.advice(OLD + BRIDGE),
        )

    def test_old_list_that_nobody_reads(self) -> None:
        told = self.serious(OLD)
        self.assertIn("uses its own default filters", told)
        self.assertIn(f"available_filters = {report.OURS}", told)

    def test_old_list_beside_the_modern_one(self) -> None:
        text = f"{OLD}{BRIDGE}enabled_filters = ComputeFilter\n"
        self.assertEqual("", self.serious(text))
        self.assertIn("remove it", self.advice(text))
        self.assertNotIn("legacy", self.advice(text))

    def test_legacy_filters_are_named(self) -> None:
        told = self.advice(OLD + BRIDGE)
        self.assertIn("not needed any more: RetryFilter", told)

    def test_old_available_filters(self) -> None:
        old = f"[DEFAULT]\nscheduler_available_filters = {report.OURS}\n"
        self.assertIn(f"available_filters = {report.OURS}", self.serious(old))
        self.assertEqual("", self.serious(old + BRIDGE))
        self.assertIn("remove it", self.advice(old + BRIDGE))

    def test_old_weighers(self) -> None:
        old = "[DEFAULT]\nscheduler_weight_classes = own.Weigher\n"
        self.assertIn("weight_classes = own.Weigher", self.serious(old))

    def test_ours_enabled_but_not_available(self) -> None:
        text = "[filter_scheduler]\nenabled_filters = HostLivenessFilter\n"
        self.assertIn("(HostLivenessFilter)", self.serious(text))

    def test_only_ours_available(self) -> None:
        text = (
            f"[filter_scheduler]\navailable_filters = {report.OURS}\n"
            "enabled_filters = HostLivenessFilter,ComputeFilter\n"
        )
        self.assertIn(report.NOVAS, self.advice(text))

    def test_filters_that_are_gone(self) -> None:
        text = "[filter_scheduler]\nenabled_filters = ExactRamFilter\n"
        self.assertIn("remove ExactRamFilter", self.serious(text))

    def test_other_options(self) -> None:
        told = self.advice(
            "[DEFAULT]\nram_weight_multiplier = 2\nscheduler_driver = x\n"
        )
        self.assertIn("[filter_scheduler] ram_weight_multiplier", told)
        self.assertIn("scheduler_driver is ignored", told)

    def test_last_file_counts(self) -> None:
        modern = "[filter_scheduler]\nenabled_filters = ComputeFilter\n"
        self.assertIn("remove it", self.advice(OLD, modern))

    def test_missing_file(self) -> None:
        self.assertRaises(cfg.Error, report.read, ["/no/such/nova.conf"])
