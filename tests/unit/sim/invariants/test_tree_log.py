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
from nova_ha.sim.invariants import tree_log
from tests import base
from tests.unit.core import builders as make
from tests.unit.sim.invariants import stage


class SeriesTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.series = tree_log.Series()

    def test_nothing_yet(self):
        self.assertIsNone(self.series.last)
        self.assertEqual([None], list(self.series.since(5.0)))

    def test_all_that_it_was_from_a_moment_on(self):
        for at, value in ((1.0, "a"), (2.0, "b"), (3.0, "c")):
            self.series.add(at, value)
        self.assertEqual("c", self.series.last)
        self.assertEqual(["c", "b"], list(self.series.since(2.5)))
        self.assertEqual(["c"], list(self.series.since(3.0)))
        self.assertEqual(["c", "b", "a", None], list(self.series.since(0.0)))


class TreeLogTestCase(stage.TestCase):
    def test_poison_is_nothing(self):
        tree = self.stage.tree
        tree.changed(stage.PATHS.case("a"), b"{")
        tree.changed(stage.PATHS.control, b"[]")
        self.assertEqual({}, tree.cases)
        self.assertFalse(tree.control.last.armed)

    def test_evidence_that_is_replaced_is_new(self):
        self.stage.proven_case("a")
        first = self.stage.tree.cases["a"].evidence_at
        self.stage.later(10.0)
        self.stage.proven_case("a")
        self.assertEqual(first, self.stage.tree.cases["a"].evidence_at)
        other = make.evidence(model.EvidenceKind.OPERATOR_CONFIRMED)
        self.stage.proven_case("a", evidence=other)
        self.assertEqual(
            self.stage.now, self.stage.tree.cases["a"].evidence_at
        )

    def test_a_second_case_of_a_host_is_another(self):
        self.stage.save_case("a")
        self.stage.later(10.0)
        self.stage.save_case("a", id=model.CaseId("second"))
        self.assertEqual(self.stage.now, self.stage.tree.cases["a"].opened_at)

    def test_hosts_that_may_be_fenced(self):
        self.assertEqual(4, self.stage.tree.monitored.last)
        for host, change in (
            ("a", {"protected": "engine"}),
            ("b", {"maintenance": "disks"}),
        ):
            self.stage.write(
                stage.PATHS.host(host), make.record(host, **change)
            )
        self.assertEqual(2, self.stage.tree.monitored.last)
