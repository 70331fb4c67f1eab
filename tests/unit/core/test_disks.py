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


from nova_ha.core import disks
from nova_ha.core.disks import Disk
from nova_ha.core.rules import Rules
from nova_ha.core.storage import Storage
from tests import base
from tests.unit.core import builders as make

LOCAL = make.instance(image="img")
VOLUME = make.instance()
NFS = Storage(domain="nfs-1")


class DiskTestCase(base.TestCase):
    def test_a_volume_is_reached_from_everywhere(self):
        for shared in (Storage(), NFS):
            self.assertEqual(Disk(), disks.of(VOLUME, Rules(), shared))

    def test_what_is_beside_the_volume_is_not(self):
        instance = make.instance(ephemeral=True)
        disk = disks.of(instance, Rules(), Storage())
        self.assertEqual("", disk.lost)
        self.assertIn("ephemeral", disk.note)

    def test_shared_by_all(self):
        rules = Rules(shared_disks=True)
        for instance in (LOCAL, make.instance(ephemeral=True)):
            self.assertEqual(Disk(), disks.of(instance, rules, Storage()))

    def test_shared_by_some(self):
        self.assertEqual(Disk(domain="nfs-1"), disks.of(LOCAL, Rules(), NFS))

    def test_local(self):
        disk = disks.of(LOCAL, Rules(), Storage())
        self.assertIn("created anew from its image", disk.lost)
        disk = disks.of(LOCAL, Rules(recreate_disks=True), Storage())
        self.assertEqual("", disk.lost)
        self.assertIn("created anew from its image", disk.note)

    def test_agent_and_operator_disagree(self):
        doubtful = Storage(doubt="its agent proves nfs-1, not nfs-2")
        disk = disks.of(LOCAL, Rules(), doubtful)
        self.assertIn(doubtful.doubt, disk.lost)
        self.assertEqual("", disk.domain)

    def test_a_resize_renames_the_directory(self):
        moving = make.instance(image="img", task_state="resize_migrated")
        disk = disks.of(moving, Rules(), NFS)
        self.assertIn("a resize was moving its disk", disk.lost)
        self.assertEqual("", disk.domain)
        self.assertEqual(
            "", disks.of(moving, Rules(shared_disks=True), Storage()).lost
        )
