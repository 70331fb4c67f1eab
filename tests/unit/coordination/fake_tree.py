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

"""A tree in memory, as ``nova-ha zk init`` makes it."""

import contextlib
from collections.abc import Callable

from nova_ha.coordination import acl
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.core import codec
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.fakes import clock as fake_clock
from tests.fakes import znodes as fake
from tests.zookeeper_server import wait_until


class FakeTree(coordinated.Coordinated):
    def setUp(self) -> None:
        super().setUp()
        self.manual = self.clock = fake_clock.ManualClock()
        self.paths = paths_module.Paths()
        self.ensemble = fake.Ensemble()
        maker = self.ensemble.client()
        maker.create(paths_module.TOP)
        maker.create(self.paths.root)
        for name in acl.CONTAINERS:
            maker.create(f"{self.paths.root}/{name}")
        maker.set(self.paths.control, codec.encode(model.Control()))

    def open(self, role: str) -> fake.FakeZnodes:
        return self.ensemble.client()

    def open_agent(
        self, host: model.HostName = coordinated.C1
    ) -> fake.FakeZnodes:
        client = self.ensemble.client()
        with contextlib.suppress(znodes.NodeExists):
            client.create(self.paths.agent(host))
        return client

    def cut_off(self, session: fake.FakeZnodes) -> None:
        session.suspend()

    def reconnect(self, session: fake.FakeZnodes) -> None:
        session.resume()

    def expire(self, session: fake.FakeZnodes) -> None:
        session.expire()
        session.resume()

    def eventually(
        self, condition: Callable[[], object], timeout: float = 15
    ) -> None:
        wait_until(condition, timeout, interval=0.002)
