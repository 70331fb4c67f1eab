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


from nova_ha.core import storage
from nova_ha.core.storage import Storage
from tests import base
from tests.unit.core import builders as make


class OfTestCase(base.TestCase):
    def of(self, said="", kept=None, now=None, alive=True):
        record = make.record(storage_domain=said, proven_storage=kept)
        beacon = make.beacon(storage=now) if alive else None
        return storage.of(make.facts(record=record, beacon=beacon))

    def test_neither_says_anything(self):
        for now in (None, ""):
            self.assertEqual(Storage(), self.of(now=now))

    def test_an_operator_says_it_for_hosts_without_a_marker(self):
        for now in (None, ""):
            self.assertEqual(
                Storage(domain="nfs-1"), self.of(said="nfs-1", now=now)
            )

    def test_an_agent_proves_it(self):
        self.assertEqual(Storage(domain="nfs-1"), self.of(now="nfs-1"))

    def test_both_say_the_same(self):
        self.assertEqual(
            Storage(domain="nfs-1"), self.of(said="nfs-1", now="nfs-1")
        )

    def test_they_contradict_each_other(self):
        """A host dead or alive is then not shared."""
        for found in (
            self.of(said="nfs-2", now="nfs-1"),
            self.of(said="nfs-2", kept="nfs-1", alive=False),
        ):
            self.assertEqual("", found.domain)
            self.assertIn("proves storage domain nfs-1", found.doubt)
            self.assertIn("nfs-2", found.doubt)

    def test_a_dead_host_is_known_by_what_it_has_proven(self):
        self.assertEqual(
            Storage(domain="nfs-1"), self.of(kept="nfs-1", alive=False)
        )

    def test_what_is_read_now_counts_for_more(self):
        self.assertEqual(Storage(), self.of(kept="nfs-1", now=""))
        self.assertEqual(
            Storage(domain="nfs-2"), self.of(kept="nfs-1", now="nfs-2")
        )
        # A hung mount has not moved the disks.
        self.assertEqual(
            Storage(domain="nfs-1"), self.of(kept="nfs-1", now=None)
        )

    def test_what_no_agent_can_have_read_proves_nothing(self):
        for now in ("a b", "x" * 129, "nfs\n1", "näs"):
            self.assertEqual(Storage(), self.of(now=now))

    def test_a_host_that_is_not_enrolled(self):
        facts = make.facts(record=None, beacon=make.beacon(storage="nfs-1"))
        self.assertEqual(Storage(domain="nfs-1"), storage.of(facts))


class MarkerTestCase(base.TestCase):
    def test_there_and_back(self):
        for name in ("nfs-1", "6f3c3a2c-58f7-4b43-9b9e-5a5c1ab4a001", "a:/b"):
            self.assertTrue(storage.is_name(name))
            self.assertEqual(
                name, storage.decode_marker(storage.encode_marker(name))
            )

    def test_what_is_no_marker(self):
        for data in (b"", b"\n", b"two words\n", b"a\nb\n", b"\xff\xfe"):
            self.assertIsNone(storage.decode_marker(data), data)
