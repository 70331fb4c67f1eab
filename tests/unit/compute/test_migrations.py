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

"""Polling is cheap, and misses nothing."""

from typing import Any

from nova_ha import exception
from nova_ha.compute import migrations
from nova_ha.compute import services
from tests import base
from tests.unit.compute import fake_api
from tests.unit.compute import test_services

HISTORY = 1000


def entry(number: int, status: str = "completed") -> dict[str, Any]:
    return {
        "id": number,
        "uuid": f"uuid-{number}",
        "instance_uuid": f"instance-{number}",
        "migration_type": "evacuation",
        "status": status,
        "source_compute": "cmp1",
        "dest_compute": "cmp2",
        "created_at": "2026-01-02T12:00:00.000000",
        "updated_at": None,
    }


class TestMigrations(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.api = fake_api.FakeApi()
        self.clock = fake_api.FakeClock()
        self.entries = [entry(n) for n in range(HISTORY, 0, -1)]
        self.api.answers["/os-migrations"] = fake_api.paged(
            "migrations", lambda _params: self.entries, "uuid"
        )
        self.cell_is(True)
        reader = self.api.reader()
        self.migrations = migrations.Migrations(
            reader, services.Services(reader), self.clock
        )

    def cell_is(self, up: bool) -> None:
        self.api.answers["/os-services"] = {
            "services": [
                test_services.entry("cmp1") if up else test_services.UNKNOWN
            ]
        }

    def poll(self) -> tuple[dict[int, str], int]:
        """Statuses by number, and the requests that it took."""
        before = self.api.count("/os-migrations")
        found = self.migrations.of_host("cmp1")
        self.assertEqual(
            sorted((m.id for m in found), reverse=True), [m.id for m in found]
        )
        requests = self.api.count("/os-migrations") - before
        return {m.id: m.status for m in found}, requests

    def test_history_is_read_once(self) -> None:
        found, requests = self.poll()
        self.assertEqual(HISTORY, len(found))
        self.assertGreaterEqual(requests, HISTORY // migrations.PAGE_SIZE)
        found, requests = self.poll()
        self.assertEqual((HISTORY, 1), (len(found), requests))

    def test_new_and_changed_ones_are_seen_at_once(self) -> None:
        self.poll()
        self.entries.insert(0, entry(HISTORY + 1, "accepted"))
        found, requests = self.poll()
        self.assertEqual("accepted", found[HISTORY + 1])
        self.assertEqual(HISTORY + 1, len(found))
        self.assertLessEqual(requests, 2)
        for status in ("pre-migrating", "done", "completed"):
            self.entries[0] = entry(HISTORY + 1, status)
            found, requests = self.poll()
            self.assertEqual(status, found[HISTORY + 1])
            self.assertEqual(1, requests)

    def test_old_one_that_has_not_ended_is_followed(self) -> None:
        deep = 250  # on the third page
        self.entries[deep] = entry(HISTORY - deep, "accepted")
        self.poll()
        self.entries[deep] = entry(HISTORY - deep, "done")
        found, requests = self.poll()
        self.assertEqual("done", found[HISTORY - deep])
        self.assertEqual(3, requests)

    def test_more_news_than_a_page(self) -> None:
        self.poll()
        news = [entry(HISTORY + n, "accepted") for n in range(250, 0, -1)]
        self.entries[:0] = news
        found, _requests = self.poll()
        self.assertEqual(HISTORY + 250, len(found))

    def test_all_is_read_again_after_a_while(self) -> None:
        self.poll()
        self.entries[500] = entry(HISTORY - 500, "failed")
        self.assertEqual("completed", self.poll()[0][HISTORY - 500])
        self.clock.now += migrations.FULL_READ_EACH
        self.assertEqual("failed", self.poll()[0][HISTORY - 500])

    def test_vanished_with_their_cell(self) -> None:
        self.poll()
        kept, self.entries = self.entries, []
        self.cell_is(False)
        self.assertRaises(exception.CellDown, self.migrations.of_host, "cmp1")
        self.entries = kept
        self.assertEqual(HISTORY, len(self.poll()[0]))

    def test_vanished_in_part(self) -> None:
        self.poll()
        self.entries = self.entries[100:150]
        self.cell_is(False)
        self.assertRaises(exception.CellDown, self.migrations.of_host, "cmp1")

    def test_purged(self) -> None:
        self.poll()
        self.entries = self.entries[:50]
        self.assertEqual(50, len(self.poll()[0]))

    def test_none(self) -> None:
        self.entries = []
        self.assertEqual({}, self.poll()[0])
        self.cell_is(False)
        self.assertRaises(exception.CellDown, self.migrations.of_host, "cmp1")
        self.api.answers["/os-services"] = {"services": []}
        self.assertRaises(
            exception.ComputeError, self.migrations.of_host, "cmp1"
        )

    def test_odd_record(self) -> None:
        del self.entries[0]["status"]
        self.assertRaises(
            exception.ComputeError, self.migrations.of_host, "cmp1"
        )
