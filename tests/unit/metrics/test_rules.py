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

"""The alert rules ask for what there is, and say what to do."""

import pathlib
import re

import yaml

from nova_ha.core import census
from nova_ha.metrics import meter as meter_mod
from tests import base
from tests.fakes import clock as clock_fake

ROOT = pathlib.Path(__file__).resolve().parents[3]
RULES = ROOT / "etc/prometheus/nova-ha.rules.yaml"
RUNBOOK = ROOT / "doc/source/admin/runbook.rst"
PAGE = ROOT / "doc/source/admin/metrics.rst"

SELECTOR = re.compile(r"(nova_ha_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(?:!?=)"([^"]*)"')


def rules():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def series():
    """All series there are: name, and labels with their values."""
    meter = meter_mod.PrometheusMeter(clock_fake.ManualClock())
    meter.count(
        census.Census(
            taken_at=0.0, connected=True, read_at={"hosts": 0, "services": 0}
        )
    )
    return [
        (sample.name, sample.labels)
        for family in meter.registry.collect()
        for sample in family.samples
    ]


class RulesTestCase(base.TestCase):
    def test_every_metric_and_label_that_is_asked_for_exists(self):
        known = series()
        for rule in rules():
            for name, matchers in SELECTOR.findall(rule["expr"]):
                pairs = set(MATCHER.findall(matchers))
                for pair in pairs or {None}:
                    found = [
                        labels
                        for one, labels in known
                        if one == name
                        and (pair is None or pair in labels.items())
                    ]
                    self.assertNotEqual(
                        [], found, f"{rule['alert']}: {name}{pair or ''}"
                    )

    def test_every_alert_is_explained(self):
        names = [rule["alert"] for rule in rules()]
        self.assertEqual(len(set(names)), len(names))
        for rule in rules():
            self.assertIn(rule["labels"]["severity"], ("warning", "critical"))
            self.assertTrue(rule["annotations"]["summary"])

    def test_every_alert_has_its_section_of_the_runbook(self):
        titles = re.findall(
            r"^(\S.*)\n==+$", RUNBOOK.read_text(), re.MULTILINE
        )
        anchors = {
            re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            for title in titles
        }
        wanted = {rule["annotations"]["runbook"] for rule in rules()}
        self.assertEqual(set(), wanted - anchors)

    def test_every_metric_is_documented(self):
        text = PAGE.read_text()
        names = {
            re.sub(r"_(bucket|sum|count|created)$", "", name)
            for name, _ in series()
            if name.startswith("nova_ha_")
        }
        self.assertEqual([], [one for one in sorted(names) if one not in text])
