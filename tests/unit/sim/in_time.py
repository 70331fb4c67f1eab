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

"""A ZooKeeper of the simulator, for the tests of this package."""

from collections.abc import Callable

from nova_ha.coordination import credentials
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination.znodes import ConnectionState
from nova_ha.core import model
from nova_ha.sim import journal as journal_module
from nova_ha.sim import kernel as kernel_module
from nova_ha.sim import network
from nova_ha.sim import zookeeper
from tests import base
from tests.contract.coordination import coordinated

T = 10.0
TICK = 0.5


class Client:
    """A program with a session, and what it has been told of it."""

    def __init__(
        self,
        ensemble: zookeeper.Ensemble,
        kernel: kernel_module.Kernel,
        name: str,
        user: str = "engine",
        host: str = "",
    ) -> None:
        self.kernel = kernel
        self.name = name
        self.program = kernel_module.Program(kernel, name)
        self.tree = ensemble.client(self.program, name, T, user, host)
        self.states: list[tuple[float, ConnectionState]] = []
        self.tree.listen(lambda state: self.states.append((kernel.now, state)))

    def told(self) -> list[ConnectionState]:
        return [state for _, state in self.states]

    def does(self, act: Callable[[], object]) -> list[object]:
        """Have a thread do it; its result, or error, will be in the list."""
        results: list[object] = []

        def body() -> None:
            try:
                results.append(act())
            except Exception as error:
                results.append(error)

        self.program.spawn(body, "test")
        return results


class InTime(base.TestCase):
    """An ensemble with the tree of a namespace, made by the real
    ``zk init``."""

    seed = 1

    def setUp(self) -> None:
        super().setUp()
        self.make(self.seed)

    def make(self, seed: int) -> None:
        self.kernel = kernel_module.Kernel(seed)
        self.addCleanup(self.kernel.close)
        self.networks = network.Networks()
        self.journal = journal_module.Journal(self.kernel)
        self.ensemble = zookeeper.Ensemble(
            self.kernel, self.networks, self.journal, tick=TICK
        )
        self.paths = paths_module.Paths()
        operator = self.client("operator", "operator")
        tree_module.init_tree(operator.tree, self.paths, zookeeper.IDS)
        self.operator = operator
        for host in (coordinated.C1, coordinated.C2):
            own = zookeeper.host_identity(host)
            credentials.enrol(operator.tree, self.paths, host, own)

    def client(self, name: str, user: str = "engine") -> Client:
        return Client(self.ensemble, self.kernel, name, user)

    def agent_of(self, host: model.HostName) -> Client:
        """With both credentials of the host's agent."""
        return Client(self.ensemble, self.kernel, host, "agent", host)

    def run_for(self, seconds: float) -> None:
        self.kernel.run(self.kernel.now + seconds)

    def result(self, client: Client, act: Callable[[], object]) -> object:
        """What a thread of the client gets for it."""
        results = client.does(act)
        self.run_for(1.0)
        (result,) = results
        return result

    def cut(self, client: Client) -> None:
        self.networks.cut(client.name, network.Network.MANAGEMENT)

    def join(self, client: Client) -> None:
        self.networks.join(client.name, network.Network.MANAGEMENT)

    def expired(self, name: str) -> list[float]:
        """When sessions of a program have ended on the servers."""
        return [
            entry.at
            for entry in self.journal.entries
            if (entry.who, entry.what) == (name, "zookeeper.expired")
        ]
