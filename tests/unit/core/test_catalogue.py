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

"""What is told is in the catalogue, and nothing else is told."""

import pathlib
import re

from nova_ha.core import catalogue
from nova_ha.core import model
from nova_ha.core import publication
from tests import base

SOURCE = pathlib.Path(catalogue.__file__).resolve().parents[1]

CODE = re.compile(
    r'"((?:action|case|control|device|engine|fencing|host|instance|operator'
    r'|storm)\.[a-z_]+)"'
)


def event(code="case.fenced", **changes):
    values = {"host": "a", "case": "case-a"} | changes
    return model.AuditEvent(code=code, **values)


class CatalogueTestCase(base.TestCase):
    def test_every_code_of_the_source_is_there(self):
        found = {
            f"case.{state.value.replace('-', '_')}"
            for state in model.CaseState
        }
        for part in ("core", "engine", "cmd"):
            for path in (SOURCE / part).rglob("*.py"):
                if path.name != "catalogue.py":
                    found |= set(CODE.findall(path.read_text()))
        self.assertEqual(set(), found - catalogue.KINDS.keys())

    def test_verdicts_are_told_as_loud_as_they_are_published(self):
        for code, severity in publication.CODES.values():
            self.assertEqual((severity,), catalogue.KINDS[code].severities)

    def test_what_fits(self):
        self.assertEqual("", catalogue.problem(event()))
        self.assertEqual(
            "",
            catalogue.problem(
                event(
                    "instance.evacuated",
                    details={"instance": "i", "state": "done", "target": "b"},
                )
            ),
        )

    def test_what_does_not(self):
        for told, problem in (
            (event("case.nonsense"), "not in the catalogue"),
            (event(host=None), "no host"),
            (event(case=None), "no case"),
            (event(severity=model.Severity.ALARM), "severity alarm"),
            (event(details={"colour": "red"}), "unknown detail colour"),
            (event("instance.evacuated"), "no detail instance"),
        ):
            self.assertIn(problem, catalogue.problem(told))

    def test_a_host_may_have_a_case_and_a_cloud_may_not_be_missed(self):
        barred = {"severity": model.Severity.ALARM}
        for case in (None, "case-a"):
            self.assertEqual(
                "",
                catalogue.problem(event("device.barred", case=case, **barred)),
            )
        leading = event("engine.leading", host=None, case=None)
        self.assertEqual("", catalogue.problem(leading))
