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

"""The tree in memory keeps the contract of the real one."""

from nova_ha.coordination import znodes
from tests.contract.coordination import znodes_contract
from tests.fakes import znodes as fake


class FakeMixin(znodes_contract.ZnodesContract):
    def setUp(self) -> None:
        super().setUp()
        self.ensemble = fake.Ensemble()
        self.tree = self.connect()
        self.root = self.tree.create("/r")

    def connect(self) -> fake.FakeZnodes:
        return self.ensemble.client()

    def suspend(self, tree: znodes.Znodes) -> None:
        assert isinstance(tree, fake.FakeZnodes)
        tree.suspend()

    def resume(self, tree: znodes.Znodes) -> None:
        assert isinstance(tree, fake.FakeZnodes)
        tree.resume()

    def expire(self, tree: znodes.Znodes) -> None:
        assert isinstance(tree, fake.FakeZnodes)
        tree.expire()


class NodesTest(FakeMixin, znodes_contract.NodesContract):
    pass


class TransactionsTest(FakeMixin, znodes_contract.TransactionsContract):
    pass


class WatchesTest(FakeMixin, znodes_contract.WatchesContract):
    pass


class SessionsTest(FakeMixin, znodes_contract.SessionsContract):
    pass
