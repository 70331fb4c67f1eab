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

import os

from nova_ha import exception
from nova_ha.coordination import beacons
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import view as view_module
from tests.contract.coordination import coordinated
from tests.contract.coordination import view_contract
from tests.contract.coordination import zookeeper
from tests.contract.coordination.coordinated import C1
from tests.zookeeper_server import wait_until


class ViewTest(view_contract.ViewContract, zookeeper.ZooKeeperTest):
    pass


class LivenessViewTest(zookeeper.ZooKeeperTest):
    def setUp(self) -> None:
        super().setUp()
        self.opened = 0
        agent = beacons.ZooKeeperBeacons(self.open_agent(), self.paths, C1)
        self.put(self.operator, self.paths.host(C1), coordinated.host_record())
        agent.show(coordinated.beacon())
        self.view = view_module.LivenessView(self.scheduler, self.clock)
        self.addCleanup(self.view.close)

    def scheduler(self) -> settings_module.Settings:
        self.opened += 1
        return self.settings("scheduler")

    def knows(self) -> bool:
        return C1 in self.view.snapshot().hosts

    def test_nothing_happens_before_the_first_question(self) -> None:
        self.assertEqual(0, self.opened)
        self.assertEqual(0, len(self.view.snapshot().hosts))
        self.eventually(self.knows)
        self.assertTrue(self.view.snapshot().hosts[C1].schedulable)
        self.assertEqual(1, self.opened)

    def in_child(self) -> int:
        child = os.fork()
        if not child:
            try:
                wait_until(self.knows, 10)
            except BaseException:
                os._exit(1)
            os._exit(40 + self.opened)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_children_open_their_own(self) -> None:
        self.assertEqual(41, self.in_child())
        self.eventually(self.knows)
        self.assertEqual(42, self.in_child())
        self.assertEqual(42, self.in_child())
        self.assertEqual(1, self.opened)

    def test_settings_that_cannot_be_used(self) -> None:
        def wrong() -> settings_module.Settings:
            raise exception.ConfigError("[nova_ha] zookeeper_hosts", "empty")

        view = view_module.LivenessView(wrong, self.clock)
        for _ in range(2):
            snapshot = view.snapshot()
            self.assertFalse(snapshot.connected)
            self.assertEqual(float("inf"), snapshot.age)

    def test_close(self) -> None:
        self.eventually(self.knows)
        self.view.close()
        self.eventually(self.knows)
        self.assertEqual(2, self.opened)
