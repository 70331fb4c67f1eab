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

"""Three controllers, each with a ZooKeeper member, a broker and an engine, of
which one after another loses something in the middle of a recovery."""

import os
import pathlib
import re
from collections.abc import Iterator

from lab import process
from tests.functional import recovery_cloud


class ThreeControllersTest(recovery_cloud.RecoveryTestCase):
    CONTROLLERS = {"engines": 3, "zookeepers": 3, "brokers": 3}

    def test_recovery_survives_them_one_by_one(self) -> None:
        victim = self.cloud.host("cmp1")
        servers = self.boot(6, victim)
        engine: process.Process = self.wait_for(self.leader, "a leader")
        self.turn_all(spawn_delay=6.0)
        victim.kill()
        first = self.wait_in_the_middle(victim)

        # The engines' sessions outlive the election of a new leader.
        self.kill(self.cloud.zookeeper.leader())
        # Each request that nova-conductor had taken is in a queue of all.
        self.kill(self.broker_of(engine))
        engine.kill()

        case = self.wait_recovered(victim)
        self.assertNotEqual(first.epoch, case.epoch)
        self.assert_moved_once(servers)
        self.assert_sound()
        # What is left is a cloud that works, and can be repaired.
        self.boot(1, self.cloud.host("cmp2"))
        self.assert_sound()

    def kill(self, member: process.Process | None) -> None:
        assert member is not None
        member.kill()

    def broker_of(self, engine: process.Process) -> process.Process | None:
        """The broker that a process talks to."""
        brokers = self.cloud.rabbitmq
        ports = {
            brokers.port(number): member
            for number, member in enumerate(brokers.members, 1)
        }
        identity = engine.identity()
        assert identity is not None
        for port in _connected_to(identity.pid):
            if port in ports:
                return ports[port]
        return None


def _connected_to(pid: int) -> Iterator[int]:
    """The remote ports of a process's TCP connections (proc(5))."""
    descriptors = pathlib.Path(f"/proc/{pid}/fd")
    links = (os.readlink(one) for one in descriptors.iterdir())
    sockets = {
        found.group(1)
        for link in links
        if (found := re.fullmatch(r"socket:\[(\d+)\]", link))
    }
    table = pathlib.Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii")
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[9] in sockets:
            yield int(fields[2].rpartition(":")[2], 16)
