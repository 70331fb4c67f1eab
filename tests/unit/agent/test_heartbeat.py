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

import os
import pathlib
import threading
import unittest.mock

import fixtures

from nova_ha import clock
from nova_ha.agent import heartbeat
from nova_ha.core import heartbeat as core_heartbeat
from tests import base
from tests.unit.agent import fakes

BEAT = "nova_ha.agent.heartbeat.LOG"


class HeartbeatWriterTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = self.path / ".nova-ha" / "cmp1.beat"

    def writer(self, path=None, interval=5.0):
        return heartbeat.HeartbeatWriter(
            fakes.IDENTITY,
            path=str(path or self.path),
            interval=interval,
            clock=clock.SystemClock(),
        )

    def test_it_moves(self):
        writer, seen = self.writer(), []
        for _ in range(2):
            writer.beat()
            seen.append(core_heartbeat.decode(self.file.read_bytes()))
        self.assertEqual({("boot-1", 5.0)}, {(b.boot_id, b.gap) for b in seen})
        self.assertLess(seen[0].count, seen[1].count + 1)
        self.assertEqual([self.file], list(self.file.parent.iterdir()))

    def test_it_never_makes_the_path_itself(self):
        """It may be a mount point without its mount."""
        with unittest.mock.patch(BEAT) as log:
            writer = self.writer(self.path / "not-mounted")
            writer.beat()
            writer.beat()
        self.assertEqual(1, log.warning.call_count)
        self.assertFalse((self.path / "not-mounted").exists())

    def test_no_link_is_followed(self):
        writer = self.writer()
        writer.beat()
        victim = self.path / "disk"
        victim.write_text("precious")
        os.symlink(victim, self.file.with_name("cmp1.beat.new"))
        with unittest.mock.patch(BEAT) as log:
            writer.beat()
        self.assertEqual("precious", victim.read_text())
        log.warning.assert_called_once()

    def test_a_hung_storage_is_told_and_not_waited_for(self):
        release, began = threading.Event(), []

        def hang(*_):
            began.append(1)
            release.wait(30)

        self.addCleanup(release.set)
        writer = self.writer(interval=0.05)
        with unittest.mock.patch("os.mkdir", hang):
            with unittest.mock.patch(BEAT) as log:
                writer.beat()
                writer.beat()
        self.assertEqual(([1], 1), (began, log.warning.call_count))
