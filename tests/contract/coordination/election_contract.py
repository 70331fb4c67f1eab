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

"""``ports.Leadership``: one leads, and knows when it no longer may."""

from typing import Any

from nova_ha import exception
from nova_ha.coordination import contenders
from nova_ha.coordination import election
from nova_ha.coordination import reading
from nova_ha.core import events
from nova_ha.core.model import Epoch
from tests.contract.coordination import coordinated


class Engine:
    """One engine's part in the election."""

    def __init__(self, test: coordinated.Coordinated, name: str) -> None:
        self.tree: Any = test.open("engine")
        self.sink = coordinated.Sink()
        self.leadership = election.ZooKeeperLeadership(
            self.tree,
            test.paths,
            test.clock,
            engine=name,
            machine_id=f"machine-of-{name}",
            lease=60.0,
        )
        self.leadership.start(self.sink)
        test.addCleanup(self.leadership.stop)

    @property
    def epoch(self) -> Epoch | None:
        """As told last."""
        last = self.sink.last(events.LeadershipChanged)
        return None if last is None else last.epoch

    @property
    def epochs(self) -> list[Epoch | None]:
        return [
            event.epoch for event in self.sink.of(events.LeadershipChanged)
        ]

    def may_act(self, epoch: Epoch) -> bool:
        try:
            self.leadership.check(epoch)
        except exception.NotLeading:
            return False
        return True


class ElectionContract(coordinated.Coordinated):
    def setUp(self) -> None:
        super().setUp()
        self.witness = self.open("operator")
        self.first = Engine(self, "e1")
        self.epoch = self.leads(self.first)

    def leads(self, engine: Engine) -> Epoch:
        self.eventually(lambda: engine.epoch)
        epoch = engine.epoch
        assert epoch is not None
        engine.leadership.check(epoch)
        return epoch

    def seen(self) -> list[str]:
        """The contenders, as others see them; the leader first."""
        return [
            one.engine
            for one in contenders.read(
                self.witness, self.paths, reading.Decoder()
            )
        ]

    def second_stands(self) -> Engine:
        second = Engine(self, "e2")
        self.eventually(lambda: self.seen() == ["e1", "e2"])
        return second

    def test_one_of_two_leads(self) -> None:
        second = self.second_stands()
        self.assertTrue(self.first.may_act(self.epoch))
        self.assertEqual([], second.epochs)
        self.assertFalse(second.may_act(self.epoch))

    def test_the_epoch_is_that_of_the_node(self) -> None:
        (leader,) = contenders.read(
            self.witness, self.paths, reading.Decoder()
        )
        self.assertEqual(
            ("e1", "machine-of-e1", self.epoch, True),
            (leader.engine, leader.machine_id, leader.epoch, leader.leading),
        )

    def test_another_epoch_is_no_right(self) -> None:
        for epoch in (self.epoch - 1, self.epoch + 1, 0):
            self.assertFalse(self.first.may_act(Epoch(epoch)))

    def test_leaving_lets_the_next_one_lead_at_once(self) -> None:
        second = self.second_stands()
        self.first.leadership.stop()
        self.assertEqual([self.epoch, None], self.first.epochs)
        self.assertFalse(self.first.may_act(self.epoch))
        self.assertGreater(self.leads(second), self.epoch)

    def test_the_end_of_a_session(self) -> None:
        second = self.second_stands()
        self.first.tree.close()
        self.assertGreater(self.leads(second), self.epoch)
        self.assertFalse(self.first.may_act(self.epoch))
        self.assertEqual([self.epoch, None], self.first.epochs)

    def test_an_interruption_ends_the_right_at_once(self) -> None:
        self.cut_off(self.first.tree)
        self.assertEqual([self.epoch, None], self.first.epochs)
        self.assertFalse(self.first.may_act(self.epoch))
        # Back in the same session: the node has stayed, and the epoch.
        self.reconnect(self.first.tree)
        self.assertEqual(self.epoch, self.leads(self.first))
        self.assertEqual([self.epoch, None, self.epoch], self.first.epochs)

    def test_an_expired_session_stands_again_behind_the_others(self) -> None:
        second = self.second_stands()
        self.expire(self.first.tree)
        later = self.leads(second)
        self.eventually(lambda: self.seen() == ["e2", "e1"])
        self.assertEqual([self.epoch, None], self.first.epochs)
        second.leadership.stop()
        self.assertGreater(self.leads(self.first), later)

    def test_a_deleted_node(self) -> None:
        second = self.second_stands()
        leader = contenders.nodes(self.witness, self.paths)[0]
        self.first.tree.delete(leader.path)
        self.leads(second)
        self.eventually(lambda: not self.first.may_act(self.epoch))
        self.eventually(lambda: self.seen() == ["e2", "e1"])

    def test_the_end_of_a_follower_changes_nothing(self) -> None:
        second = self.second_stands()
        third = Engine(self, "e3")
        self.eventually(lambda: len(self.seen()) == 3)
        second.leadership.stop()
        self.eventually(lambda: self.seen() == ["e1", "e3"])
        self.assertEqual([self.epoch], self.first.epochs)
        self.first.leadership.stop()
        self.leads(third)
