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
"""The lab's ZooKeeper: an ensemble that loses a member and comes back."""

import pathlib
import tempfile

from lab import proc
from lab import process
from lab.services import base as lab_base
from lab.services import zookeeper
from tests import base


class EnsembleTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix="nova-ha-lab-")
        self.addCleanup(directory.cleanup)
        state = pathlib.Path(directory.name)
        marker = f"{process.CLOUD_MARKER}={state}"
        self.addCleanup(proc.kill_marked, marker)
        self.site = lab_base.Site.at(state)
        self.zookeeper = zookeeper.ZooKeeper(self.site, 3)
        self.zookeeper.start()

    def serving(self) -> list[bool]:
        addresses = self.zookeeper.hosts.split(",")
        ports = [int(address.rpartition(":")[2]) for address in addresses]
        return [zookeeper.serves(port) for port in ports]

    def test_two_of_three_serve_and_one_does_not(self) -> None:
        self.assertEqual([True, True, True], self.serving())
        self.zookeeper.members[0].kill()
        process.wait_until(
            lambda: self.serving() == [False, True, True], 20, "a quorum"
        )
        self.zookeeper.members[1].kill()
        process.wait_until(
            lambda: not any(self.serving()), 20, "the quorum's end"
        )
        self.zookeeper.start()
        self.assertEqual([True, True, True], self.serving())
        self.zookeeper.stop()
        self.assertEqual([False, False, False], self.serving())
