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

"""The schemas hold for what is sent, and for nothing much else."""

import datetime
import subprocess
import sys

import jsonschema

from nova_ha.core import catalogue
from nova_ha.core import model
from nova_ha.core.catalogue import Scope
from nova_ha.notify import bus
from nova_ha.notify import schema
from tests import base

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def sample(kind):
    """The least that an event of a kind holds."""
    return model.AuditEvent(
        code=kind.code,
        severity=kind.severities[0],
        host=None if kind.scope is Scope.CLOUD else "cmp1",
        case="case-1" if kind.scope is Scope.CASE else None,
        message="something has happened",
        details={name: "x" for name in kind.required},
    )


def problems(kind, payload):
    validator = jsonschema.Draft202012Validator(schema.of(kind))
    return [error.message for error in validator.iter_errors(payload)]


class SchemaTestCase(base.TestCase):
    def test_each_is_a_schema(self):
        for kind in catalogue.KINDS.values():
            jsonschema.Draft202012Validator.check_schema(schema.of(kind))

    def test_what_is_sent_fits(self):
        for kind in catalogue.KINDS.values():
            event = sample(kind)
            self.assertEqual("", catalogue.problem(event))
            self.assertEqual([], problems(kind, bus.payload(event, AT)))

    def test_a_later_minor_version_fits_and_a_major_one_does_not(self):
        kind = catalogue.KINDS["case.fenced"]
        payload = {**bus.payload(sample(kind), AT), "new": 1}
        for version, count in ("1.99", 0), ("2.0", 1):
            found = problems(kind, payload | {"version": version})
            self.assertEqual(count, len(found))

    def test_what_is_missing_or_wrong_is_found(self):
        kind = catalogue.KINDS["instance.evacuated"]
        good = bus.payload(sample(kind), AT)
        for name in good:
            bad = {key: one for key, one in good.items() if key != name}
            self.assertEqual(1, len(problems(kind, bad)), name)
        for wrong in (
            {"code": "case.fenced"},
            {"case": None},
            {"host": ""},
            {"severity": "loud"},
            {"details": {"instance": "i", "state": "done"}},
            {"details": {"instance": 1, "state": "done", "target": "b"}},
        ):
            self.assertEqual(1, len(problems(kind, good | wrong)), wrong)


class FilesTestCase(base.TestCase):
    def test_they_are_up_to_date(self):
        checked = subprocess.run(
            [sys.executable, "tools/notification_schemas.py", "--check"],
            capture_output=True,
            text=True,
        )
        self.assertEqual(0, checked.returncode, checked.stdout)
