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

from nova_ha.core import heartbeat
from tests import base


class HeartbeatTestCase(base.TestCase):
    def test_there_and_back(self):
        one = heartbeat.Heartbeat(boot_id="boot-1", count=7, gap=2.5)
        self.assertEqual(one, heartbeat.decode(one.encode()))
        self.assertEqual("boot-1 7", one.sign.value)
        self.assertEqual(2.5, one.sign.gap)

    def test_what_is_none(self):
        for data in (
            b"",
            b"boot-1 7",
            b"boot-1 7 2.5 more",
            b"boot-1 x 2.5",
            b"boot-1 7 nan",
            b"boot-1 7 0",
            b"boot-1 7 60.1",
            b"\xff 7 2.5",
        ):
            self.assertIsNone(heartbeat.decode(data), data)

    def test_names(self):
        for host in ("cmp1", "a/b", "..", "cmp-1.example.org", "%41"):
            name = heartbeat.file_name(host)
            self.assertNotIn("/", name)
            self.assertEqual(host, heartbeat.host_of(name))
        for name in ("cmp1", ".beat", "%63mp1.beat", "cmp1.beat.new"):
            self.assertIsNone(heartbeat.host_of(name), name)
