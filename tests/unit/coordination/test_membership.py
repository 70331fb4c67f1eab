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

"""See the suite; here on a tree in memory."""

import logging
from typing import Any

import fixtures

from nova_ha import exception
from nova_ha.coordination import beacons
from nova_ha.coordination import watching
from nova_ha.core import events
from tests.contract.coordination import coordinated
from tests.contract.coordination import membership_contract
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2
from tests.unit.coordination import fake_tree


class MembershipTest(
    membership_contract.MembershipContract, fake_tree.FakeTree
):
    def test_a_missed_edge_is_found(self) -> None:
        self.agent.show(coordinated.beacon())
        self.start()
        # Nobody says so, and the connection stays.
        self.ensemble.forget(self.tree)
        self.agent.close()
        self.manual.advance(watching.INTERVAL - 0.1)
        self.assertIsNotNone(self.beacon_known())
        self.manual.advance(0.2)
        self.eventually(lambda: self.beacon_known() is None)

    def test_what_was_read_in_two_connections_is_not_told(self) -> None:
        self.agent.show(coordinated.beacon())
        get_many = self.tree.get_many

        def interrupted(*args: Any) -> Any:
            found = get_many(*args)
            del self.tree.get_many
            self.tree.suspend()
            self.agent.close()
            self.tree.resume()
            return found

        self.tree.get_many = interrupted  # type: ignore[method-assign]
        self.start()
        (event, *_) = self.sink.of(events.HostsRead)
        self.assertIsNone(event.hosts[C1].beacon)

    def test_half_of_an_exchange_is_read_whole(self) -> None:
        """Of two watches that one transaction fires, one comes first."""
        self.agent.show(coordinated.beacon())
        self.start()
        self.ensemble.forget(self.tree)
        self.agent.goodbye(coordinated.goodbye())
        self.members._watcher._watch(self.paths.goodbye(C1))
        self.eventually(lambda: self.sink.facts(C1).goodbye)
        for event in self.sink.of(events.HostsRead):
            facts = event.hosts[C1]
            self.assertNotEqual(bool(facts.beacon), bool(facts.goodbye))

    def test_an_exchange_between_two_reads(self) -> None:
        self.agent.goodbye(coordinated.goodbye())
        get = self.tree.get

        def between(path: str, *args: Any) -> Any:
            if path == self.paths.goodbye(C1):
                del self.tree.get
                self.agent.show(coordinated.beacon())
            return get(path, *args)

        self.tree.get = between  # type: ignore[method-assign]
        facts = self.members.read_host(C1)
        self.assertIsNotNone(facts.beacon)

    def test_it_is_complete_every_few_seconds(self) -> None:
        self.start()
        for _ in range(3):
            self.sink.clear()
            self.manual.advance(watching.INTERVAL)
            self.eventually(lambda: self.sink.of(events.ContendersRead))
            (event,) = self.sink.of(events.HostsRead)
            self.assertTrue(event.complete)

    def test_a_node_is_decoded_once_and_told_of_once(self) -> None:
        logs = self.useFixture(fixtures.FakeLogger(level=logging.ERROR))
        self.put(self.operator_tree, self.paths.host(C1), b"rubbish")
        self.start()
        for _ in range(3):
            self.sink.clear()
            self.manual.advance(watching.INTERVAL)
            self.eventually(lambda: self.sink.of(events.ContendersRead))
        self.assertEqual(1, logs.output.count("Unreadable"))
        path = self.paths.host(C1)
        self.put(self.operator_tree, path, b"other rubbish")
        self.put(self.operator_tree, path, coordinated.host_record())
        self.eventually(self.record_known)
        self.assertEqual(1, logs.output.count("Unreadable"))
        self.put(self.operator_tree, path, b"rubbish again")
        self.eventually(lambda: logs.output.count("Unreadable") == 2)

    def test_what_changes_does_not_wait_for_a_complete_read(self) -> None:
        """Of a large fleet: the last host of many is yet to be read."""
        other = beacons.ZooKeeperBeacons(self.open_agent(C2), self.paths, C2)
        self.agent.show(coordinated.beacon())
        other.show(coordinated.beacon(host=C2))
        self.useFixture(
            fixtures.MonkeyPatch("nova_ha.coordination.watching.PART", 1)
        )
        self.start()
        self.eventually(lambda: self.sink.facts(C2))
        get_many = self.tree.get_many

        def interrupted(*args: Any) -> Any:
            found = get_many(*args)
            del self.tree.get_many
            self.agent.close()
            return found

        self.sink.clear()
        self.tree.get_many = interrupted  # type: ignore[method-assign]
        self.manual.advance(watching.INTERVAL)
        self.eventually(lambda: self.sink.of(events.ContendersRead))
        first, complete = self.sink.of(events.HostsRead)
        self.assertEqual({C1}, first.hosts.keys())
        self.assertIsNone(first.hosts[C1].beacon)
        self.assertEqual({C1, C2}, complete.hosts.keys())
        self.assertIsNone(complete.hosts[C1].beacon)

    def test_a_host_that_goes_during_a_complete_read(self) -> None:
        other = self.open_agent(C2)
        self.useFixture(
            fixtures.MonkeyPatch("nova_ha.coordination.watching.PART", 1)
        )
        self.start()
        get_many = self.tree.get_many

        def interrupted(*args: Any) -> Any:
            found = get_many(*args)
            del self.tree.get_many
            other.delete(self.paths.agent(C2))
            return found

        self.sink.clear()
        self.tree.get_many = interrupted  # type: ignore[method-assign]
        self.manual.advance(watching.INTERVAL)
        self.eventually(lambda: self.sink.of(events.ContendersRead))
        (*_, complete) = self.sink.of(events.HostsRead)
        self.assertEqual({C1}, complete.hosts.keys())

    def record_known(self) -> bool:
        return any(
            facts.record is not None and not facts.record.protected
            for event in self.sink.of(events.HostsRead)
            for facts in event.hosts.values()
        )

    def test_a_failing_server_is_asked_again(self) -> None:
        self.start()
        self.agent.show(coordinated.beacon())
        self.eventually(self.beacon_known)

        def broken(*args: object) -> None:
            raise exception.CoordinationUnavailable("no answer")

        self.tree.sync = broken  # type: ignore[method-assign]
        self.sink.clear()
        self.manual.advance(watching.INTERVAL)
        self.agent.close()
        del self.tree.sync
        self.eventually(lambda: self.beacon_known() is None)

    def test_a_sink_that_fails_does_not_end_it(self) -> None:
        self.start()
        good, self.members._watcher._sink = self.members._watcher._sink, fail
        self.agent.show(coordinated.beacon())
        self.members._watcher._sink = good
        self.eventually(self.beacon_known)


def fail(event: events.Event) -> None:
    raise RuntimeError("a sink must not fail")
