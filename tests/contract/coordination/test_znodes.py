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

"""``Znodes`` by kazoo, on a real server."""

from nova_ha.coordination import acl
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import znodes
from tests.contract.coordination import znodes_contract
from tests.contract.coordination import zookeeper

OPEN = [znodes.Acl("world", "anyone", znodes.Perm.ALL)]


class RealMixin(zookeeper.ZooKeeperTest, znodes_contract.ZnodesContract):
    """Below a node that is open to all: access control has its own tests."""

    def setUp(self) -> None:
        super().setUp()
        self.tree = self.connect()
        self.root = f"{self.paths.root}/open"
        self.operator.create_guarded(self.root, b"", OPEN)

    def connect(self) -> kazoo_znodes.KazooZnodes:
        session = self.open(acl.Role.OPERATOR)
        session._acls = lambda tree, path: OPEN
        return session

    def suspend(self, tree: znodes.Znodes) -> None:
        assert isinstance(tree, kazoo_znodes.KazooZnodes)
        self.cut_off(tree)

    def resume(self, tree: znodes.Znodes) -> None:
        assert isinstance(tree, kazoo_znodes.KazooZnodes)
        self.reconnect(tree)

    def expire(self, tree: znodes.Znodes) -> None:
        assert isinstance(tree, kazoo_znodes.KazooZnodes)
        super().expire(tree)


class NodesTest(RealMixin, znodes_contract.NodesContract):
    pass


class TransactionsTest(RealMixin, znodes_contract.TransactionsContract):
    pass


class WatchesTest(RealMixin, znodes_contract.WatchesContract):
    pass


class SessionsTest(RealMixin, znodes_contract.SessionsContract):
    pass
