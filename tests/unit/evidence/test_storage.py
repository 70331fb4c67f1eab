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
from nova_ha import exception
from nova_ha.core import heartbeat
from nova_ha.core import sources
from nova_ha.evidence import base as evidence_base
from nova_ha.evidence import storage
from tests import base
from tests.fakes import cloud as fakes

DEADLINE = 10.0


class StorageHeartbeatsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.directory = self.path / heartbeat.DIRECTORY
        self.directory.mkdir()
        self.clock = fakes.FakeClock()
        self.source = storage.StorageHeartbeats(
            str(self.path), self.clock, 2.0
        )

    def write(self, host="a", count=1, content=None):
        one = heartbeat.Heartbeat(boot_id="boot-1", count=count, gap=2.0)
        name = heartbeat.file_name(host)
        (self.directory / name).write_bytes(content or one.encode())

    def test_a_look(self):
        self.write("a", 1)
        self.write("x/y", 2)
        event = self.source.look()
        self.assertEqual(sources.STORAGE, event.source)
        self.assertEqual(
            {"a": "boot-1 1", "x/y": "boot-1 2"},
            {host: one.sign.value for host, one in event.looks.items()},
        )
        self.assertEqual(self.clock.monotonic(), event.looks["a"].began)

    def test_what_is_no_heartbeat_is_left_out(self):
        self.write("a")
        self.write("b", content=b"x" * 10_000)
        (self.directory / "c.beat").symlink_to(self.directory / "a.beat")
        (self.directory / "d.beat").mkdir()
        os.mkfifo(self.directory / "e.beat")
        (self.directory / "a.beat.new").write_bytes(b"half")
        self.assertEqual({"a"}, set(self.source.look().looks))

    def test_a_storage_that_is_away_shows_nothing(self):
        self.directory.rmdir()
        self.assertEqual({}, self.source.look().looks)
        self.directory.mkdir()
        self.write()
        self.assertEqual({"a"}, set(self.source.look().looks))

    def test_a_question_is_answered_with_what_is_there_now(self):
        self.write(count=1)
        self.source = storage.StorageHeartbeats(
            str(self.path), clock.SystemClock(), 60.0
        )
        looked = threading.Event()
        self.source.start(lambda _: looked.set())
        self.addCleanup(self.source.stop)
        self.assertTrue(looked.wait(DEADLINE))
        self.write(count=2)
        with unittest.mock.patch.object(storage, "ANSWER", DEADLINE):
            began = clock.SystemClock().monotonic()
            self.assertEqual("boot-1 2", self.source.read("a").value)
            self.assertIsNone(self.source.read("b"))
            took = clock.SystemClock().monotonic() - began
        self.assertLess(took, DEADLINE)

    def test_a_question_to_a_hung_storage_is_given_up(self):
        """Nothing reads here at all."""
        self.write()
        before = self.clock.now
        self.assertIsNone(self.source.read("a"))
        self.assertEqual(storage.ANSWER, self.clock.now - before)

    def test_it_needs_a_path(self):
        error = self.assertRaises(
            exception.ConfigError,
            storage.StorageHeartbeats.from_surroundings,
            evidence_base.Surroundings(
                clock=self.clock,
                compute=fakes.Cloud(),
                settings={"storage_path": "", "interval": 2.0},
            ),
        )
        self.assertEqual("[evidence] storage_path", error.option)
