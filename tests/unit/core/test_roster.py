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

from nova_ha.core import model
from nova_ha.core import roster
from tests import base
from tests.unit.core import builders as make

QUARANTINE = model.Quarantine(reason="3 deaths", since=make.utc(0))


class RosterTestCase(base.TestCase):
    def test_who_may_be_fenced(self):
        found = roster.of(
            [
                make.record("a"),
                None,
                make.record("b", protected="engine"),
                make.record("c", maintenance="RAM"),
                make.record("d", quarantine=QUARANTINE),
            ]
        )
        self.assertEqual({"a"}, found.hosts)
        self.assertEqual({}, found.domains)

    def test_domains(self):
        found = roster.of(
            make.record(host, failure_domain=domain)
            for host, domain in (("b", "r1"), ("a", "r1"), ("c", "r2"))
        )
        self.assertEqual({"r1": ("a", "b"), "r2": ("c",)}, found.domains)
