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

"""What was on its way to a dead host is named, and left where it is."""

from nova_ha.core import arrivals
from nova_ha.core import model
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders as make
from tests.unit.core import scenario


def record(number=1, status="running", **changes):
    values = {
        "source": "b",
        "dest": "a",
        "kind": "live-migration",
        "created_at": make.utc(0),
    } | changes
    return make.migration(number, status, **values)


class ArrivalsTestCase(base.TestCase):
    def of(self, *records, known=(), seconds=60):
        found = arrivals.of("a", records, known, make.now(seconds))
        return [move.instance for move in found]

    def test_a_migration_that_is_not_over(self):
        self.assertEqual(["i1"], self.of(record()))

    def test_one_that_is_over(self):
        self.assertEqual([], self.of(record(status="failed")))
        self.assertEqual([], self.of(record(1), record(2, "completed")))

    def test_one_that_leaves_the_host(self):
        self.assertEqual([], self.of(record(source="a", dest="b")))
        self.assertEqual([], self.of(record(source="a", dest="a")))

    def test_what_somebody_looks_after(self):
        self.assertEqual([], self.of(record(), known={"i1"}))

    def test_one_that_somebody_has_forgotten_long_ago(self):
        self.assertEqual([], self.of(record(), seconds=86400))
        late = record(updated_at=make.utc(86000))
        self.assertEqual(["i1"], self.of(late, seconds=86400))

    def test_each_instance_once(self):
        self.assertEqual(["i1"], self.of(record(1), record(2)))


class CaseTestCase(scenario.ScenarioTestCase):
    def setUp(self):
        super().setUp()
        self.cloud.records.append(
            record(instance="b0", created_at=self.cloud.clock.utcnow())
        )
        self.to_evacuated()

    def test_it_is_named_in_the_result(self):
        move = self.move("b0")
        self.assertIs(MoveState.GONE, move.state)
        self.assertIn("its live-migration from b to a was not", move.reason)
        self.assertEqual(1, self.codes().count("instance.arriving"))

    def test_it_is_left_where_it_is(self):
        moved = [call[1] for call in self.calls("evacuate")]
        self.assertNotIn("b0", moved)
        self.assertEqual("b", self.cloud.servers["b0"].host)

    def test_nova_books_it_on_the_host_after_all(self):
        """Then it is one of the host's, whatever was said before."""
        self.come_back()
        self.reach(S.SOAKING)
        self.change("b0", host="a")
        self.cloud.hosts["b"].guests.discard("b0")
        self.crash()
        self.reach(S.EVACUATED)
        self.assertIs(model.MoveState.DONE, self.move("b0").state)
