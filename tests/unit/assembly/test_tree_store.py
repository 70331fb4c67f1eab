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

"""What an operator changes in the tree."""

import dataclasses
from unittest import mock

from nova_ha import exception
from nova_ha.assembly import tree_store
from nova_ha.core import codec
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.unit.coordination import fake_tree

C1 = coordinated.C1

SICK = model.Quarantine(reason="3 deaths", since=coordinated.NOW)


class RecordCase(fake_tree.FakeTree):
    """Changes of a host's record."""

    def setUp(self) -> None:
        super().setUp()
        tree = self.open("operator")
        self.path = self.paths.host(C1)
        self.tree = tree
        self.store = tree_store.TreeStore(tree, self.paths, self.clock)


class DomainsTest(RecordCase):
    def test_each_is_set_by_itself(self) -> None:
        self.put(self.tree, self.path, coordinated.host_record())
        self.store.domains(C1, failure="rack-1", storage="pool-1")
        self.store.domains(C1, failure="rack-2")
        kept = self.store.domains(C1, storage="")
        self.assertEqual(
            ("rack-2", ""), (kept.failure_domain, kept.storage_domain)
        )
        data = self.tree.get(self.path).data
        self.assertEqual(kept, codec.decode(model.HostRecord, data, self.path))

    def test_of_a_host_that_is_not_enrolled(self) -> None:
        self.assertRaises(
            exception.CoordinationError, self.store.domains, C1, failure="r"
        )


class ReserveTest(RecordCase):
    def test_on_and_off(self) -> None:
        self.put(self.tree, self.path, coordinated.host_record())
        self.assertTrue(self.store.reserve(C1, True).reserved)
        self.assertFalse(self.store.reserve(C1, False).reserved)


class RequestTest(RecordCase):
    ASKED = model.EvacuationRequest(host=C1, by="me", at=coordinated.NOW)

    def test_a_newer_one_takes_the_place_of_the_older(self) -> None:
        self.store.request(self.ASKED)
        self.assertEqual({C1: self.ASKED}, self.store.requests())
        newer = dataclasses.replace(self.ASKED, servers=("s1", "s2"))
        self.store.request(newer)
        self.assertEqual({C1: newer}, self.store.requests())

    def test_a_tree_of_an_older_release(self) -> None:
        self.tree.delete(self.paths.requests)
        error = self.assertRaises(
            exception.ConfigError, self.store.request, self.ASKED
        )
        self.assertIn("nova-ha zk init", str(error))


class ReleaseTest(RecordCase):
    def test_release(self) -> None:
        sick = coordinated.host_record(
            quarantine=SICK, incidents=(coordinated.NOW,), maintenance="RAM"
        )
        self.put(self.tree, self.path, sick)
        self.assertEqual(SICK, self.store.release(C1, by="me"))
        data = self.tree.get(self.path).data
        self.assertEqual(
            coordinated.host_record(maintenance="RAM"),
            codec.decode(model.HostRecord, data, self.path),
        )
        version = self.tree.get(self.path).version
        self.assertIsNone(self.store.release(C1, by="me"))
        self.assertEqual(version, self.tree.get(self.path).version)

    def test_release_of_a_host_that_is_not_enrolled(self) -> None:
        self.assertRaises(
            exception.CoordinationError, self.store.release, C1, by="me"
        )

    def test_failed_evacuations_are_decided_about(self) -> None:
        self.put(self.tree, self.path, coordinated.host_record())
        failed = model.Move(
            instance=model.InstanceId("i1"),
            state=model.MoveState.FAILED,
            attempts=1,
        )
        case = coordinated.case(host=C1, moves=(failed,))
        self.put(self.tree, self.paths.case(C1), case)
        self.store.release(C1, by="me")
        record = self.store.picture().hosts[C1].record
        assert record is not None
        self.assertEqual(
            model.Acceptance(case=case.id, by="me", at=mock.ANY),
            record.acceptance,
        )
