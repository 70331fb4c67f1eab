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

"""No alarm without a page that says what to do."""

import pathlib
import re

from nova_ha.core import catalogue
from nova_ha.core.model import Severity
from tests import base

ADMIN = pathlib.Path(__file__).parents[3] / "doc/source/admin"


class RunbookTest(base.TestCase):
    def test_every_alarm_leads_to_a_section(self):
        lines = re.findall(
            r"(?m)^Events?: (.*)\.$", (ADMIN / "runbook.rst").read_text()
        )
        told = set(re.findall(r"``(\S+?)``", " ".join(lines)))
        alarms = {
            code
            for code, kind in catalogue.KINDS.items()
            if Severity.ALARM in kind.severities
        }
        self.assertEqual(set(), alarms - told)
        self.assertEqual(set(), told - catalogue.KINDS.keys())
