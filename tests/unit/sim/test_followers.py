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

"""Followers that lag behind show what was, and never go back."""

from tests.unit.sim import in_time


class LagTest(in_time.InTime):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.paths.control
        self.ensemble.write(self.path, b"0")
        self.clients = [self.client(f"c{number}") for number in range(12)]
        self.ensemble.lag(2.0)
        self.run_for(10.0)

    def read(self) -> list[bytes | None]:
        nodes = [one.tree.get(self.path) for one in self.clients]
        return [None if node is None else node.data for node in nodes]

    def test_followers_show_what_was(self) -> None:
        self.ensemble.write(self.path, b"1")
        # Some are attached to the leader.
        self.assertEqual({b"0", b"1"}, set(self.read()))
        self.run_for(2.0)
        self.assertEqual([b"1"] * 12, self.read())

    def test_children_and_lives_come_and_go_late(self) -> None:
        one, two = (f"{self.paths.hosts}/{name}" for name in ("a", "b"))
        self.ensemble.write(one, b"")
        self.run_for(3.0)
        self.ensemble.write(two, b"")
        self.ensemble.delete(one)
        self.assertEqual(
            {("a",), ("b",)},
            {tuple(c.tree.children(self.paths.hosts)) for c in self.clients},
        )
        self.run_for(2.0)
        for client in self.clients:
            self.assertEqual(["b"], client.tree.children(self.paths.hosts))

    def test_sync_and_own_writes_show_the_present(self) -> None:
        self.ensemble.write(self.path, b"1")
        for client in self.clients[:6]:
            client.tree.sync("/")
        for number, client in enumerate(self.clients[6:]):
            client.tree.create(f"{self.paths.cases}/h{number}")
        self.assertEqual([b"1"] * 12, self.read())

    def test_a_watch_on_what_is_old_already_fires(self) -> None:
        fired: list[list[float]] = []
        self.ensemble.write(self.path, b"1")
        began = self.kernel.now
        stale = 0
        for client in self.clients:
            at: list[float] = []
            fired.append(at)
            node = client.tree.get(
                self.path, lambda path, at=at: at.append(self.kernel.now)
            )
            assert node is not None
            stale += node.data == b"0"
        self.run_for(5.0)
        moments = [at[0] - began for at in fired if at]
        self.assertEqual(stale, len(moments))
        self.assertGreaterEqual(min(moments), 2.0)

    def test_what_was_seen_is_never_unseen(self) -> None:
        self.ensemble.lag(0.0)
        self.ensemble.write(self.path, b"1")
        self.assertEqual([b"1"] * 12, self.read())
        self.ensemble.lag(5.0)
        self.run_for(1.0)
        self.assertEqual([b"1"] * 12, self.read())
