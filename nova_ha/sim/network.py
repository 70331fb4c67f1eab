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

"""Who can reach whom, on networks that fail apart from each other."""

import enum


class Network(enum.StrEnum):
    """The networks that every node is attached to."""

    MANAGEMENT = "management"  # ZooKeeper, Nova, the message queue
    STORAGE = "storage"  # the shared instances path
    TENANT = "tenant"  # guests' own traffic; no evidence of anything
    BMC = "bmc"  # fence devices


class Server(enum.StrEnum):
    """What nodes talk to."""

    ZOOKEEPER = "zookeeper"
    NOVA = "nova"
    QUEUE = "queue"
    STORAGE = "storage"
    BMC = "bmc"


_NETWORK = {
    Server.ZOOKEEPER: Network.MANAGEMENT,
    Server.NOVA: Network.MANAGEMENT,
    Server.QUEUE: Network.MANAGEMENT,
    Server.STORAGE: Network.STORAGE,
    Server.BMC: Network.BMC,
}


class Networks:
    """What is cut. A node is a host or an engine, by its name."""

    def __init__(self) -> None:
        self._networks: set[tuple[str, Network]] = set()
        self._links: set[tuple[str, Server]] = set()

    def cut(self, node: str, network: Network) -> None:
        """Detach a node from a network."""
        self._networks.add((node, network))

    def join(self, node: str, network: Network) -> None:
        self._networks.discard((node, network))

    def cut_link(self, node: str, server: Server) -> None:
        """Keep a node from one server only."""
        self._links.add((node, server))

    def join_link(self, node: str, server: Server) -> None:
        self._links.discard((node, server))

    def join_all(self) -> None:
        """Nothing is cut any more."""
        self._networks.clear()
        self._links.clear()

    def reaches(self, node: str, server: Server) -> bool:
        return (node, server) not in self._links and (
            node,
            _NETWORK[server],
        ) not in self._networks
