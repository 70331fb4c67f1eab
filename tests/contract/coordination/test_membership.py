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

"""See the suite; here on a real server, and with what only that can do."""

import time

from testtools import content

from nova_ha.coordination import watching
from nova_ha.core import events
from tests.contract.coordination import coordinated
from tests.contract.coordination import membership_contract
from tests.contract.coordination import zookeeper
from tests.contract.coordination.coordinated import C1


class MembershipTest(
    membership_contract.MembershipContract, zookeeper.ZooKeeperTest
):
    def test_a_lost_beacon_is_told_at_once(self) -> None:
        """By a watch, and not by the complete read that comes later."""
        self.start()
        delays = []
        for _ in range(5):
            self.agent.show(coordinated.beacon())
            self.eventually(self.beacon_known)
            gone = time.monotonic()
            self.agent_tree.delete(self.paths.beacon(C1))
            while self.beacon_known() is not None:
                time.sleep(0.001)
            delays.append(time.monotonic() - gone)
        self.addDetail("delays", content.text_content(repr(delays)))
        self.assertLess(min(delays), watching.INTERVAL / 5)

    def test_touches_wake_nobody(self) -> None:
        self.agent.show(coordinated.beacon())
        self.start()
        self.sink.clear()
        for _ in range(10):
            self.agent.touch()
        self.agent.show(coordinated.beacon(agent_version="2"))
        self.eventually(lambda: self.sink.of(events.HostsRead))
        partial = [
            event
            for event in self.sink.of(events.HostsRead)
            if not event.complete
        ]
        self.assertEqual(1, len(partial))

    def test_a_server_that_restarts(self) -> None:
        self.agent.show(coordinated.beacon())
        self.start()
        self.server.stop()
        self.eventually(
            lambda: (
                self.sink.last(events.ConnectionChanged)
                == events.ConnectionChanged(connected=False)
            )
        )
        self.sink.clear()
        self.server.start()
        self.eventually(lambda: self.sink.of(events.HostsRead))
        # Sessions outlive a short outage: timers begin anew.
        (event, *_) = self.sink.of(events.HostsRead)
        self.assertTrue(event.complete)
        self.assertIsNotNone(event.hosts[C1].beacon)

    def test_a_host_that_dies(self) -> None:
        """Its session expires between T and T + tick after its last word."""
        self.agent.show(coordinated.beacon())
        self.start()
        died = time.monotonic()
        self.wire(self.agent_tree).block()
        self.eventually(lambda: self.beacon_known() is None)
        took = time.monotonic() - died
        self.assertGreater(took, 0.4 * zookeeper.TIMEOUT)
        self.assertLess(took, zookeeper.TIMEOUT + 1.0)
