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

import threading

from nova_ha import exception
from nova_ha.agent import inventory
from nova_ha.core import model
from tests import base
from tests.unit.agent import fakes


class TestGuestReporter(base.TestCase):
    def setUp(self):
        super().setUp()
        self.source = fakes.FakeGuests(fakes.GUEST)
        self.beacons = fakes.FakeBeacons()
        self.present = threading.Event()
        self.present.set()
        self.reporter = inventory.GuestReporter(
            self.source, self.beacons, fakes.IDENTITY, self.present
        )

    def _collect(self):
        result = self.reporter.run()
        self.reporter.publish()
        return result

    def _sequences(self):
        return [written.sequence for written in self.beacons.inventories]

    def _store(self, boot_id, sequence):
        self.beacons.stored = model.HostFacts(
            host=fakes.IDENTITY.host,
            inventory=model.GuestInventory(
                host=fakes.IDENTITY.host,
                boot_id=boot_id,
                guests=frozenset(),
                sequence=sequence,
            ),
        )

    def test_writes_each_collection_though_nothing_changes(self):
        for _ in range(3):
            self.assertTrue(self._collect().ok)
        self.assertEqual([1, 2, 3], self._sequences())
        written = self.beacons.inventories[-1]
        self.assertEqual({fakes.GUEST}, written.guests)
        self.assertEqual("boot-1", written.boot_id)

    def test_no_guests_is_an_answer(self):
        self.source.guests = frozenset()
        self._collect()
        self.assertEqual(frozenset(), self.beacons.inventories[0].guests)

    def test_not_knowing_writes_nothing_and_stops_the_sequence(self):
        self._collect()
        self.source.error = exception.GuestsUnknown("libvirt: gone")
        result = self._collect()
        self.assertFalse(result.ok)
        self.assertEqual("libvirt: gone", result.detail)
        self.assertEqual([1], self._sequences())
        self.source.error = None
        self._collect()
        self.assertEqual([1, 2], self._sequences())

    def test_a_write_of_unknown_outcome_is_repeated_with_its_number(self):
        self._collect()
        self.beacons.error = fakes.UNAVAILABLE
        self._collect()
        self.beacons.error = None
        self.source.guests = frozenset()
        self._collect()
        self.assertEqual([1, 2], self._sequences())
        self.assertEqual(frozenset(), self.beacons.inventories[-1].guests)

    def test_a_restarted_agent_repeats_the_number_that_it_finds(self):
        self._store("boot-1", 41)
        self._collect()
        self._collect()
        self.assertEqual([41, 42], self._sequences())

    def test_a_new_boot_counts_anew(self):
        self._store("boot-0", 41)
        self._collect()
        self.assertEqual([1], self._sequences())

    def test_an_unreadable_inventory_is_replaced(self):
        def facts():
            raise exception.PayloadError("agents/cmp1/guests", "not JSON")

        self.beacons.facts = facts
        self._collect()
        self.assertEqual([1], self._sequences())

    def test_without_a_beacon_nothing_is_written(self):
        self.present.clear()
        self.assertTrue(self._collect().ok)
        self.assertEqual([], self.beacons.calls)
