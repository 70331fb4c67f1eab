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

"""See the suite; here on a tree in memory, with time in our hands."""

from typing import Any

from nova_ha import exception
from nova_ha.coordination import contenders
from nova_ha.coordination import election
from nova_ha.coordination import reading
from nova_ha.core import codec
from nova_ha.core import model
from tests.contract.coordination import election_contract
from tests.unit.coordination import fake_tree


class ElectionTest(election_contract.ElectionContract, fake_tree.FakeTree):
    lease = election.LEASE_SHARE * 10.0

    def renewed(self) -> None:
        """Wait until a renewal has been acknowledged from now on."""
        writes = self.first.tree.writes
        self.eventually(lambda: self.first.tree.writes > writes + 1)

    def test_the_right_ends_with_the_lease(self) -> None:
        self.first.tree.fail_writes = True
        self.manual.advance(self.lease - 0.01)
        self.assertTrue(self.first.may_act(self.epoch))
        self.manual.advance(0.02)
        error = self.assertRaises(
            exception.NotLeading, self.first.leadership.check, self.epoch
        )
        self.assertIn("ran out", str(error))

    def test_an_unrenewed_leader_is_told_and_renewed_again(self) -> None:
        self.first.tree.fail_writes = True
        self.manual.advance(self.lease + 1)
        self.eventually(lambda: self.first.epoch is None)
        self.first.tree.fail_writes = False
        self.assertEqual(self.epoch, self.leads(self.first))

    def test_renewals_extend_it(self) -> None:
        for _ in range(5):
            self.manual.advance(self.lease - 1)
            self.renewed()
            self.assertTrue(self.first.may_act(self.epoch))

    def test_a_smaller_lease_of_the_policy_counts(self) -> None:
        self.first.leadership._lease = 2.0
        self.first.tree.fail_writes = True
        self.manual.advance(2.1)
        self.assertFalse(self.first.may_act(self.epoch))

    def test_the_lease_counts_from_before_the_question(self) -> None:
        """An answer that took long is no proof for the time it took."""
        commit = self.first.tree.commit

        def slow(operations: Any) -> Any:
            self.manual.advance(self.lease + 1)
            return commit(operations)

        self.first.tree.commit = slow
        self.eventually(lambda: self.first.epoch is None)
        self.assertFalse(self.first.may_act(self.epoch))
        del self.first.tree.commit
        self.leads(self.first)

    def test_a_creation_whose_answer_was_lost(self) -> None:
        """No second node: the first would block the election for ever."""
        tree = self.ensemble.client()
        create = tree.create

        def lossy(*args: Any, **kwargs: Any) -> str:
            create(*args, **kwargs)
            tree.create = create  # type: ignore[method-assign]
            raise exception.CoordinationUnavailable("answer lost")

        tree.create = lossy  # type: ignore[method-assign]
        second = election_contract.Engine.__new__(election_contract.Engine)
        opened, self.open = self.open, lambda role: tree  # type: ignore
        second.__init__(self, "e2")  # type: ignore[misc]
        self.open = opened  # type: ignore[method-assign]
        self.eventually(lambda: self.seen() == ["e1", "e2"])
        self.first.leadership.stop()
        self.leads(second)
        self.assertEqual(["e2"], self.seen())

    def test_renewals_change_nothing(self) -> None:
        node = self.leader_node()
        self.renewed()
        self.assertEqual(node, self.leader_node())

    def leader_node(self) -> Any:
        (name,) = self.witness.children(self.paths.leader)
        return self.witness.get(f"{self.paths.leader}/{name}")


class QuietLeaderTest(fake_tree.FakeTree):
    """A leader's session outlives it: somebody goes on with it."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.open("engine")
        self.epoch = self.stand(self.first, "e1")
        self.renew()
        self.second = election.ZooKeeperLeadership(
            self.open("engine"),
            self.paths,
            self.clock,
            engine="e2",
            machine_id="m2",
            lease=6.0,
        )
        self.second.step()

    def renew(self) -> None:
        self.put(self.first, self.paths.lease, model.Lease(epoch=self.epoch))

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.second.step()
            self.manual.advance(1.0)
        self.second.step()

    def leading(self) -> str:
        return contenders.read(self.first, self.paths, reading.Decoder())[
            0
        ].engine

    def test_it_is_replaced(self) -> None:
        self.pass_time(int(election.QUIET) - 1)
        self.assertEqual("e1", self.leading())
        self.pass_time(1)
        self.assertEqual("e2", self.leading())

    def test_a_renewal_is_enough(self) -> None:
        for _ in range(4):
            self.pass_time(int(election.QUIET) - 1)
            self.renew()
        self.assertEqual("e1", self.leading())

    def test_a_longer_session_is_waited_for(self) -> None:
        self.second._tree._timeout = 40.0  # type: ignore[attr-defined]
        self.pass_time(79)
        self.assertEqual("e1", self.leading())
        self.pass_time(1)
        self.assertEqual("e2", self.leading())

    def test_what_was_not_seen_does_not_count(self) -> None:
        self.pass_time(20)
        self.manual.advance(election.BREAK + 1.0)
        self.pass_time(20)
        self.assertEqual("e1", self.leading())

    def test_a_renewal_at_the_last_moment(self) -> None:
        self.pass_time(int(election.QUIET) - 1)
        commit = self.second._tree.commit

        def late(operations: Any) -> Any:
            self.renew()
            return commit(operations)

        self.second._tree.commit = late  # type: ignore[method-assign]
        self.pass_time(1)
        self.assertEqual("e1", self.leading())

    def test_one_that_writes_no_lease_is_left_alone(self) -> None:
        for lease in (
            b"{",
            codec.encode(model.Lease(epoch=model.Epoch(self.epoch - 1))),
        ):
            self.put(self.first, self.paths.lease, lease)
            self.pass_time(3 * int(election.QUIET))
        self.first.delete(self.paths.lease)
        self.pass_time(3 * int(election.QUIET))
        self.assertEqual("e1", self.leading())


class NoLeaseTest(fake_tree.FakeTree):
    """Somebody has deleted the node."""

    def test_somebody_leads(self) -> None:
        self.open("operator").delete(self.paths.lease)
        engine = election_contract.Engine(self, "e1")
        self.eventually(lambda: engine.epoch)
        self.manual.advance(3.0)
        self.eventually(lambda: engine.may_act(engine.epoch))
