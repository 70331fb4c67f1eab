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

import json
import pathlib
import signal
import subprocess
import sys
import threading
import time

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import election
from nova_ha.coordination import store as store_module
from tests.contract.coordination import coordinated
from tests.contract.coordination import election_contract
from tests.contract.coordination import leader_process
from tests.contract.coordination import zookeeper
from tests.contract.coordination.election_contract import Engine

TICK = 0.1


class ElectionTest(
    election_contract.ElectionContract, zookeeper.ZooKeeperTest
):
    def acting(self, engine: Engine, stop: threading.Event) -> list[float]:
        """Times at which an engine was still sure of its right."""
        times: list[float] = []

        def run() -> None:
            while not stop.is_set():
                now = time.monotonic()
                if engine.may_act(self.epoch):
                    times.append(now)
                time.sleep(0.005)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        return times

    def test_a_leader_in_a_silent_network_stops_before_the_next(self) -> None:
        """It is told nothing: only its own clock can know."""
        second = self.second_stands()
        stop = threading.Event()
        acted = self.acting(self.first, stop)
        self.wire(self.first.tree).block()
        self.eventually(lambda: second.epoch)
        led = time.monotonic()
        stop.set()
        # What remains of T after the lease, less a touch at the wrong time.
        self.assertGreater(led - acted[-1], 0.2 * zookeeper.TIMEOUT)
        lease = election.LEASE_SHARE * zookeeper.TIMEOUT
        began = led - zookeeper.TIMEOUT - 3 * TICK
        self.assertLess(acted[-1] - began, lease + 1)

    def test_a_deposed_leader_saves_nothing(self) -> None:
        store = store_module.ZooKeeperCaseStore(self.first.tree, self.paths)
        case = coordinated.case(epoch=self.epoch)
        version = store.save(case, None)
        second = self.second_stands()
        self.expire(self.first.tree)
        self.leads(second)
        self.assertRaises(exception.NotLeading, store.save, case, version)

    def test_a_server_that_restarts(self) -> None:
        session = self.first.tree.session
        self.server.stop()
        self.eventually(lambda: self.first.epoch is None)
        self.assertFalse(self.first.may_act(self.epoch))
        self.server.start()
        epoch = self.leads(self.first)
        # A machine that was slow to connect again is in a new session.
        kept = self.first.tree.session == session
        self.assertEqual(kept, epoch == self.epoch)


class KilledLeaderTest(zookeeper.ZooKeeperTest):
    """The leader is another process, and dies like one."""

    def start_leader(self) -> subprocess.Popen[str]:
        settings = {
            "hosts": self.server.hosts,
            "namespace": self.paths.namespace,
            "password": zookeeper.PASSWORDS[acl.Role.ENGINE],
            "timeout": zookeeper.TIMEOUT,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", leader_process.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=pathlib.Path(__file__).parents[3],
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        assert process.stdin is not None and process.stdout is not None
        self.addCleanup(process.stdout.close)
        with process.stdin as stdin:
            json.dump(settings, stdin)
        return process

    def failover(self, number: int) -> float:
        leader = self.start_leader()
        assert leader.stdout is not None
        epoch = int(leader.stdout.readline())
        follower = Engine(self, "e2")
        self.eventually(
            lambda: len(self.operator.children(self.paths.leader)) == 2
        )
        leader.send_signal(number)
        began = time.monotonic()
        self.eventually(lambda: follower.epoch)
        took = time.monotonic() - began
        assert follower.epoch is not None
        self.assertGreater(follower.epoch, epoch)
        return took

    def test_killed(self) -> None:
        took = self.failover(signal.SIGKILL)
        # Not before the dead one's lease is over, whatever it did last.
        self.assertGreater(took, 0.5 * zookeeper.TIMEOUT)
        self.assertLess(took, zookeeper.TIMEOUT + 3 * TICK + 1.5)

    def test_frozen(self) -> None:
        took = self.failover(signal.SIGSTOP)
        self.assertGreater(took, 0.5 * zookeeper.TIMEOUT)

    def test_asked_to_stop(self) -> None:
        self.assertLess(self.failover(signal.SIGTERM), zookeeper.TIMEOUT / 2)
