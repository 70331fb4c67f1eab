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

"""The real election, membership and lease, on the modelled ZooKeeper."""

from nova_ha import exception
from nova_ha.coordination import beacons
from nova_ha.coordination import election
from nova_ha.coordination import membership
from nova_ha.core import events
from nova_ha.core.model import Epoch
from tests.contract.coordination import coordinated
from tests.contract.coordination.coordinated import C1
from tests.unit.sim import in_time
from tests.unit.sim.in_time import TICK
from tests.unit.sim.in_time import T

LEASE = election.LEASE_SHARE * T


class Engine:
    """What an engine knows of the leadership and of the hosts."""

    def __init__(self, test: in_time.InTime, name: str) -> None:
        self.client = test.client(name)
        self.program = self.client.program
        self.sink = coordinated.Sink()
        clock, tree = self.program.clock, self.client.tree
        self.leadership = election.ZooKeeperLeadership(
            tree,
            test.paths,
            clock,
            engine=name,
            machine_id=f"machine-of-{name}",
            lease=LEASE,
        )
        self.membership = membership.ZooKeeperMembership(
            tree, test.paths, clock
        )
        self.leadership.start(self.sink)
        self.membership.start(self.sink)

    @property
    def epoch(self) -> Epoch | None:
        last = self.sink.last(events.LeadershipChanged)
        return None if last is None else last.epoch

    def may_act(self, epoch: Epoch | None) -> bool:
        try:
            self.leadership.check(epoch or Epoch(0))
        except exception.NotLeading:
            return False
        return self.program.alive and not self.program.frozen


class ElectionInTimeTest(in_time.InTime):
    def setUp(self) -> None:
        super().setUp()
        self.first = Engine(self, "e1")
        self.run_for(2.0)
        self.second = Engine(self, "e2")
        self.run_for(5.0)
        self.epoch = self.first.epoch
        self.kernel.after_step.append(self.never_two)

    def never_two(self) -> None:
        """The one rule of an election, after whatever happens."""
        acting = [
            engine
            for engine in (self.first, self.second)
            if engine.may_act(engine.epoch)
        ]
        self.assertLess(len(acting), 2)

    def leader(self) -> tuple[Epoch | None, Epoch | None]:
        return self.first.epoch, self.second.epoch

    def test_one_leads_and_the_truth_agrees(self) -> None:
        lowest = self.ensemble.lowest_child(self.paths.leader)
        assert lowest is not None
        self.assertEqual((lowest.created, None), self.leader())
        self.assertTrue(lowest.alive)
        self.assertTrue(self.first.may_act(self.epoch))

    def test_a_killed_leader_is_followed_after_expiry(self) -> None:
        self.first.program.kill()
        self.run_for(T - T / 3)
        self.assertIsNone(self.second.epoch)
        self.run_for(T / 3 + 2 * TICK)
        assert self.second.epoch is not None and self.epoch is not None
        self.assertGreater(self.second.epoch, self.epoch)
        self.assertTrue(self.second.may_act(self.second.epoch))

    def test_a_leader_that_slept_past_its_lease_may_not_act(self) -> None:
        asked: list[tuple[object, bool]] = []

        def work() -> None:
            """What the engine's threads do: check, act, and so on."""
            while True:
                told = self.first.epoch
                asked.append((told, self.first.may_act(told)))
                self.first.program.clock.sleep(0.01)

        self.first.program.spawn(work, "work")
        self.run_for(1.0)
        self.assertEqual((self.epoch, True), asked[-1])
        self.first.program.freeze()
        self.run_for(2 * T)
        self.assertTrue(self.second.may_act(self.second.epoch))
        asked.clear()
        self.first.program.thaw()
        self.run_for(3.0)
        # It woke up as the leader, so far as it had been told.
        self.assertEqual((self.epoch, False), asked[0])
        self.assertNotIn(True, [may for _, may in asked])
        self.assertIsNone(self.first.epoch)
        self.assertTrue(self.second.may_act(self.second.epoch))

    def test_a_leader_that_slept_before_the_answer_may_not_act(self) -> None:
        """What an old answer acknowledges is old."""
        program = self.first.program
        self.run_for(0.5)
        slept = self.freeze_before_the_answer()
        self.run_for(2 * T)
        self.assertTrue(slept)
        self.assertTrue(self.second.may_act(self.second.epoch))
        self.kernel.after_step.append(
            lambda: self.assertFalse(self.first.may_act(self.epoch))
        )
        program.thaw()
        self.run_for(3.0)

    def freeze_before_the_answer(self) -> list[float]:
        """Freeze the leader as soon as a renewal has reached the leader of
        the ensemble."""
        slept: list[float] = []
        tree = self.ensemble._quorum.tree
        zxid = tree.zxid

        def look() -> None:
            if tree.zxid != zxid and not slept:
                slept.append(self.kernel.now)
                self.first.program.freeze()

        self.kernel.after_step.append(look)
        return slept

    def test_a_leader_that_is_cut_off_ends_before_the_next_begins(
        self,
    ) -> None:
        self.cut(self.first.client)
        self.run_for(LEASE + 0.1)
        self.assertFalse(self.first.may_act(self.epoch))
        self.assertIsNone(self.second.epoch)
        self.run_for(T)
        self.assertTrue(self.second.may_act(self.second.epoch))
        self.join(self.first.client)
        self.run_for(T)
        self.assertFalse(self.first.may_act(self.first.epoch))

    def test_an_early_end_is_within_what_the_lease_leaves(self) -> None:
        """Its follower dies with its last reports, while it is asleep."""
        for seed in range(20):
            self.make(seed)
            self.first = Engine(self, "e1")
            self.second = Engine(self, "e2")
            self.run_for(5.0 + seed * 0.1)
            leader = self.first if self.first.epoch else self.second
            leader.program.freeze()
            self.ensemble.lose_followers()
            self.run_for(LEASE + 0.1)
            self.assertFalse(leader.may_act(leader.epoch))
            other = self.second if leader is self.first else self.first
            self.assertIsNone(other.epoch)
            self.run_for(T)
            self.assertTrue(other.may_act(other.epoch))

    def test_an_outage_changes_no_leader(self) -> None:
        self.ensemble.stop()
        self.run_for(3 * T)
        self.assertEqual((None, None), self.leader())
        self.ensemble.start()
        self.run_for(5.0)
        self.assertEqual((self.epoch, None), self.leader())


class MembershipInTimeTest(in_time.InTime):
    def setUp(self) -> None:
        super().setUp()
        self.agent = self.agent_of(C1)
        self.beacons = beacons.ZooKeeperBeacons(
            self.agent.tree, self.paths, C1
        )
        self.agent.does(lambda: self.beacons.show(coordinated.beacon()))
        self.engine = Engine(self, "e1")
        self.run_for(6.0)

    def beacon(self) -> object:
        facts = self.engine.sink.facts(C1)
        return facts and facts.beacon

    def test_a_beacon_is_seen(self) -> None:
        session = self.agent.tree.session
        self.assertEqual(coordinated.beacon(session=session), self.beacon())

    def test_a_dead_host_is_seen_with_the_end_of_its_session(self) -> None:
        self.agent.program.kill()
        gone: list[float] = []
        self.kernel.after_step.append(
            lambda: self.beacon() or gone.append(self.kernel.now)
        )
        self.run_for(T + 3 * TICK)
        (expired,) = self.expired("c1")
        # The watch tells it, not the next complete read.
        self.assertLess(gone[0] - expired, 0.05)

    def test_an_outage_is_told_and_nothing_is_lost_by_it(self) -> None:
        self.ensemble.stop()
        self.run_for(1.0)
        told = self.engine.sink.last(events.ConnectionChanged)
        self.assertEqual(events.ConnectionChanged(connected=False), told)
        self.agent.program.kill()
        self.run_for(3 * T)
        self.ensemble.start()
        self.run_for(T / 2)
        told = self.engine.sink.last(events.ConnectionChanged)
        self.assertEqual(events.ConnectionChanged(connected=True), told)
        # Its session has been counted anew.
        self.assertIsNotNone(self.beacon())
        self.run_for(T)
        self.assertIsNone(self.beacon())
