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

"""The modelled ZooKeeper keeps the contract of the real one.

Each test runs as a thread of a program, so that its calls take their time;
what it does to the connection, it does to the networks and the ensemble.
"""

from collections.abc import Callable

from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.sim import journal
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import network
from nova_ha.sim import zookeeper
from nova_ha.sim.ensemble import tree
from tests.contract.coordination import znodes_contract


class SimMixin(znodes_contract.ZnodesContract):
    def setUp(self) -> None:
        super().setUp()
        self.kernel = kernel_mod.Kernel(seed=1)
        self.addCleanup(self.kernel.close)
        self.networks = network.Networks()
        self.ensemble = zookeeper.Ensemble(
            self.kernel, self.networks, journal.Journal(self.kernel)
        )
        self.program = kernel_mod.Program(self.kernel, "test")
        self.nodes: dict[int, str] = {}
        self.tree = self.connect()
        self.root = self.tree.create("/r")
        self._begin(getattr(self, self._testMethodName))

    def _begin(self, method: Callable[[], None]) -> None:
        """Have the runner call the test method in virtual time."""

        def run() -> None:
            thread = self.program.spawn(method, "test")
            self.kernel.run(600.0)
            self.assertTrue(thread.dead)

        setattr(self, self._testMethodName, run)

    def connect(self) -> zookeeper.SimZnodes:
        name = f"node-{len(self.nodes)}"
        session = self.ensemble.client(
            self.program, name, acl_of=tree.open_to_all
        )
        self.nodes[id(session)] = name
        return session

    def suspend(self, tree: znodes.Znodes) -> None:
        self.networks.cut(self.nodes[id(tree)], network.Network.MANAGEMENT)
        self.eventually(lambda: tree.state is not ConnectionState.CONNECTED)

    def resume(self, tree: znodes.Znodes) -> None:
        self.networks.join(self.nodes[id(tree)], network.Network.MANAGEMENT)
        self.eventually(lambda: tree.state is ConnectionState.CONNECTED)

    def expire(self, tree: znodes.Znodes) -> None:
        old = tree.session
        self.suspend(tree)
        self.eventually(
            lambda: old not in [one.id for one in self.ensemble.sessions()]
        )
        self.networks.join(self.nodes[id(tree)], network.Network.MANAGEMENT)
        self.eventually(lambda: tree.session not in (0, old))

    def eventually(self, condition: Callable[[], object]) -> None:
        for _ in range(3000):
            if condition():
                return
            self.program.clock.sleep(0.01)
        self.fail("it never came to be")


class NodesTest(SimMixin, znodes_contract.NodesContract):
    pass


class TransactionsTest(SimMixin, znodes_contract.TransactionsContract):
    pass


class WatchesTest(SimMixin, znodes_contract.WatchesContract):
    pass


class SessionsTest(SimMixin, znodes_contract.SessionsContract):
    pass
