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

"""Sessions, outages, lost answers and old reads, in virtual time."""

from nova_ha import exception
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.sim.ensemble import wire
from tests.contract.coordination.coordinated import C1
from tests.unit.sim import in_time
from tests.unit.sim.in_time import TICK
from tests.unit.sim.in_time import T

CONNECTED = ConnectionState.CONNECTED
SUSPENDED = ConnectionState.SUSPENDED
LOST = ConnectionState.LOST

MOMENT = 10 * wire.LATENCY[1]
"""Seconds that a few messages take, at most."""


class ExpiryTest(in_time.InTime):
    def test_between_t_and_a_tick_later(self) -> None:
        """After the last sign of life; a follower reports half a tick late.
        Over many phases of the leader's clock."""
        ages = []
        for seed in range(60):
            self.make(seed)
            self.run_for(seed * 0.37)
            client = self.client("c1")
            client.program.kill()
            began = self.kernel.now
            self.run_for(2 * T)
            (at,) = self.expired("c1")
            ages.append(at - began)
        self.assertGreater(min(ages), T)
        self.assertLessEqual(max(ages), T + TICK + TICK / 2)
        # Nothing of that range is left out.
        self.assertLess(min(ages), T + 0.2 * TICK)
        self.assertGreater(max(ages), T + 1.2 * TICK)

    def test_what_pings_lives(self) -> None:
        client = self.client("c1")
        session = client.tree.session
        self.run_for(600.0)
        self.assertEqual([], client.states)
        self.assertEqual(session, client.tree.session)

    def test_its_nodes_go_and_others_are_told(self) -> None:
        client, other = self.client("c1"), self.client("c2")
        path = f"{self.paths.leader}/c-1-"
        path = client.tree.create(path, ephemeral=True, sequence=True)
        fired: list[str] = []
        other.tree.get(path, fired.append)
        client.program.kill()
        self.run_for(T - 0.1)
        self.assertIsNotNone(self.ensemble.read(path))
        self.run_for(2.0)
        self.assertIsNone(self.ensemble.read(path))
        self.assertEqual([path], fired)
        self.assertNotIn(
            "c1", [one.program for one in self.ensemble.sessions()]
        )

    def test_a_server_grants_no_more_than_its_ticks_allow(self) -> None:
        for asked, granted in ((0.1, 2 * TICK), (5.0, 5.0), (99, 20 * TICK)):
            tree = self.ensemble.client(
                self.operator.program, "operator", asked, "operator"
            )
            self.assertEqual(granted, tree.session_timeout)

    def test_expired_by_hand(self) -> None:
        client = self.client("c1")
        session = client.tree.session
        self.ensemble.expire("c1")
        self.assertEqual((session, []), (client.tree.session, client.states))
        self.run_for(1.0)
        self.assertEqual([SUSPENDED, LOST, CONNECTED], client.told())
        self.assertNotEqual(session, client.tree.session)

    def test_what_a_follower_has_not_reported_dies_with_it(self) -> None:
        """The arithmetic of self-fencing has room for it: a session may end
        up to i + tick/2 before T is over, counted from its last write."""
        earliest = T
        for seed in range(60):
            self.make(seed)
            client = self.client("c1")
            for _ in range(5):
                self.run_for(1.0)
                client.tree.sync("/")
            client.program.freeze()
            self.ensemble.lose_followers()
            began = self.kernel.now
            self.run_for(2 * T)
            earliest = min(earliest, self.expired("c1")[0] - began)
        self.assertLess(earliest, T - 0.5)
        self.assertGreater(earliest, T - 1.0 - TICK / 2)


class FreezeTest(in_time.InTime):
    def test_a_sleeper_takes_itself_for_connected(self) -> None:
        client = self.client("c1")
        session = client.tree.session
        seen: list[object] = []

        def body() -> None:
            client.program.clock.sleep(1.0)
            seen.append((client.tree.state, client.tree.session))
            seen.append(client.tree.get("/"))

        client.does(body)
        self.run_for(0.5)
        client.program.freeze()
        self.run_for(2 * T)
        self.assertEqual(1, len(self.expired("c1")))
        self.assertEqual(([], []), (client.states, seen))
        client.program.thaw()
        self.run_for(1.0)
        self.assertEqual([(CONNECTED, session)], seen)
        self.assertEqual([SUSPENDED, LOST, CONNECTED], client.told())

    def test_a_nap_is_not_noticed(self) -> None:
        client = self.client("c1")
        client.program.freeze()
        self.run_for(T / 2)
        client.program.thaw()
        self.run_for(2 * T)
        self.assertEqual([], client.states)
        self.assertEqual([], self.expired("c1"))


class CutTest(in_time.InTime):
    def test_is_noticed_by_unanswered_pings(self) -> None:
        for moment in range(10):
            client = self.client(f"c{moment}")
            self.run_for(20.0 + moment * 0.4)
            self.cut(client)
            began = self.kernel.now
            self.run_for(T)
            at, state = client.states[0]
            self.assertIs(SUSPENDED, state)
            self.assertGreater(at - began, T / 3 - MOMENT)
            self.assertLess(at - began, 2 * T / 3 + MOMENT)

    def test_expiry_is_learnt_on_reconnecting(self) -> None:
        client = self.client("c1")
        self.cut(client)
        self.run_for(5 * T)
        self.assertEqual([SUSPENDED], client.told())
        self.assertEqual(1, len(self.expired("c1")))
        self.join(client)
        self.run_for(2.0)
        self.assertEqual([SUSPENDED, LOST, CONNECTED], client.told())

    def test_back_in_time(self) -> None:
        client = self.client("c1")
        session = client.tree.session
        self.cut(client)
        self.run_for(0.75 * T)
        self.join(client)
        self.run_for(T)
        self.assertEqual([SUSPENDED, CONNECTED], client.told())
        self.assertEqual(session, client.tree.session)

    def test_a_short_one_only_delays(self) -> None:
        """TCP repeats what was lost: watches, too."""
        client = self.client("c1")
        fired: list[str] = []
        client.tree.get(self.paths.control, fired.append)
        self.cut(client)
        self.ensemble.write(self.paths.control, b"{}")
        self.run_for(1.0)
        self.assertEqual([], fired)
        self.join(client)
        self.run_for(0.5)
        self.assertEqual([self.paths.control], fired)
        self.assertEqual([], client.states)

    def test_connects_when_it_can(self) -> None:
        self.ensemble.stop()
        client = self.client("c1")
        self.run_for(T)
        self.assertIs(LOST, client.tree.state)
        self.assertEqual(0, client.tree.session)
        self.ensemble.start()
        self.run_for(2.0)
        self.assertEqual([CONNECTED], client.told())


class RequestsTest(in_time.InTime):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.paths.control
        self.ensemble.write(self.path, b"0")

    def set(self) -> int:
        return self.operator.tree.set(self.path, b"1")

    def test_take_time(self) -> None:
        results = self.operator.does(self.set)
        self.kernel.run(self.kernel.now + wire.LATENCY[0])
        self.assertEqual([], results)
        self.run_for(MOMENT)
        self.assertEqual(1, len(results))

    def test_a_lost_answer_has_taken_effect(self) -> None:
        results = self.operator.does(self.set)

        def cut_when_done() -> None:
            if self.ensemble.read(self.path) == b"1":
                self.cut(self.operator)

        self.kernel.after_step.append(cut_when_done)
        began = self.kernel.now
        self.run_for(T / 2 - 0.1)
        self.assertEqual([], results)
        self.run_for(T)
        (error,) = results
        self.assertIsInstance(error, exception.CoordinationUnavailable)
        self.assertEqual(b"1", self.ensemble.read(self.path))
        self.assertGreater(self.kernel.now - began, T / 2)

    def test_one_may_take_effect_after_its_caller_gave_up(self) -> None:
        # Just after a ping was answered: the connection is given up late.
        self.run_for(T / 3 + 0.05)
        self.cut(self.operator)
        results = self.operator.does(self.set)
        self.run_for(T / 2 + 0.1)
        self.assertIsInstance(results[0], exception.CoordinationUnavailable)
        self.assertEqual(b"0", self.ensemble.read(self.path))
        self.join(self.operator)
        self.run_for(0.5)
        self.assertEqual(b"1", self.ensemble.read(self.path))

    def test_one_of_a_killed_program_lands_all_the_same(self) -> None:
        self.operator.does(self.set)
        self.kernel.run(self.kernel.now)
        self.operator.program.kill()
        self.run_for(MOMENT)
        self.assertEqual(b"1", self.ensemble.read(self.path))

    def test_fail_with_the_connection(self) -> None:
        self.ensemble.stop()
        results = self.operator.does(self.set)
        self.run_for(MOMENT)
        self.assertIsInstance(results[0], exception.CoordinationUnavailable)
        self.assertEqual(b"0", self.ensemble.read(self.path))

    def test_a_watch_comes_before_what_it_tells_of(self) -> None:
        """Whoever reads the new has been told that the old is gone."""
        for seed in range(30):
            self.make(seed)
            self.path = self.paths.control
            client = self.client("c1")
            fired: list[str] = []
            client.tree.get(self.path, fired.append)
            told: list[tuple[bool, bool]] = []

            def body(client=client, told=told, fired=fired) -> None:  # type: ignore[no-untyped-def]
                for _ in range(10):
                    node = client.tree.get(self.path)
                    told.append((node.data == b"1", bool(fired)))

            client.does(body)
            self.operator.does(self.set)
            self.run_for(1.0)
            self.assertIn((True, True), told)
            self.assertNotIn((True, False), told)

    def test_the_last_words_of_a_killed_program_are_not_heard(self) -> None:
        client = self.operator

        def body() -> None:
            try:
                client.program.clock.sleep(60.0)
            finally:
                self.set()

        client.does(body)
        self.run_for(1.0)
        client.program.kill()
        self.run_for(1.0)
        self.assertEqual(b"0", self.ensemble.read(self.path))

    def test_whoever_listens_is_told_the_truth_at_once(self) -> None:
        told: list[tuple[str, str, str, bytes | None]] = []
        self.ensemble.listeners.append(lambda *args: told.append(args))
        agent = self.agent_of(C1)
        parent = f"{self.paths.agents}/c1"
        agent.tree.create(f"{parent}/guests", b"g")
        agent.tree.create(f"{parent}/beacon", b"b", ephemeral=True)
        self.assertEqual(
            [
                ("c1", "agent", f"{parent}/guests", b"g"),
                ("c1", "agent", f"{parent}/beacon", b"b"),
            ],
            told,
        )
        told.clear()
        self.ensemble.expire("c1")
        self.assertEqual(
            [("zookeeper", "zookeeper", f"{parent}/beacon", None)], told
        )


class OutageTest(in_time.InTime):
    def test_nothing_expires_and_time_outs_are_counted_anew(self) -> None:
        for seed in range(10):
            self.make(seed)
            dead, alive = self.client("dead"), self.client("alive")
            session = alive.tree.session
            dead.program.kill()
            self.run_for(T - 1)
            self.ensemble.stop()
            self.run_for(5 * T)
            self.assertEqual([], self.expired("dead"))
            self.assertEqual([SUSPENDED], alive.told())
            self.ensemble.start()
            began = self.kernel.now
            self.run_for(2 * T)
            self.assertEqual([SUSPENDED, CONNECTED], alive.told())
            self.assertEqual(session, alive.tree.session)
            (at,) = self.expired("dead")
            self.assertGreater(at - began, T)
            self.assertLessEqual(at - began, T + TICK)

    def test_election(self) -> None:
        client = self.client("c1")
        self.ensemble.elect(3.0)
        self.run_for(MOMENT)
        self.assertEqual([SUSPENDED], client.told())
        self.run_for(3.0 + 1.1)
        self.assertEqual([SUSPENDED, CONNECTED], client.told())
        self.assertEqual(
            ["zookeeper.election", "zookeeper.elected"],
            [entry.what for entry in self.journal.entries],
        )

    def test_an_election_does_not_end_an_outage(self) -> None:
        self.ensemble.elect(3.0)
        self.ensemble.stop()
        self.run_for(T)
        self.assertFalse(self.ensemble.serving)


class DeterminismTest(in_time.InTime):
    def story(self, seed: int) -> list[object]:
        self.make(seed)
        clients = [self.client(f"c{number}") for number in range(5)]
        for number, client in enumerate(clients):
            path = f"{self.paths.leader}/c-{number}-"
            client.does(
                lambda client=client, path=path: client.tree.create(
                    path, ephemeral=True, sequence=True
                )
            )
        self.run_for(3.0)
        clients[0].program.kill()
        self.cut(clients[1])
        clients[2].program.freeze()
        self.run_for(2 * T)
        self.join(clients[1])
        clients[2].program.thaw()
        self.ensemble.elect(2.0)
        self.run_for(2 * T)
        told = [client.states for client in clients]
        return [told, self.journal.entries, self.kernel.steps]

    def test_a_run_is_a_function_of_its_seed(self) -> None:
        self.assertEqual(self.story(3), self.story(3))
        self.assertNotEqual(self.story(3), self.story(4))
