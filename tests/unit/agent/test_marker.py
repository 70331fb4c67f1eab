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
from nova_ha.agent import marker
from tests import base

LOG = "nova_ha.agent.marker.LOG"


class MarkerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = self.path / ".nova-ha-storage"


class MarkTestCase(MarkerTestCase):
    def test_a_storage_is_marked_once(self):
        self.assertEqual("nfs-1", marker.mark(str(self.path), "nfs-1"))
        self.assertEqual("nfs-1", marker.mark(str(self.path), "nfs-2"))
        self.assertEqual("nfs-1", marker.read(str(self.path)))
        self.assertEqual([self.file], list(self.path.iterdir()))

    def test_whoever_mounts_it_may_read_it(self):
        self.addCleanup(os.umask, os.umask(0o077))
        marker.mark(str(self.path), "nfs-1")
        self.assertEqual(0o644, self.file.stat().st_mode & 0o777)

    def test_a_name_that_cannot_be_used(self):
        error = self.assertRaises(
            exception.ConfigError, marker.mark, str(self.path), "a b"
        )
        self.assertIn("--domain", str(error))
        self.assertEqual([], list(self.path.iterdir()))

    def test_what_is_not_mounted_is_not_made(self):
        path = self.path / "not-there"
        error = self.assertRaises(
            exception.ConfigError, marker.mark, str(path), "nfs-1"
        )
        self.assertIn(f"{path} cannot be marked", str(error))
        self.assertFalse(path.exists())

    def test_what_is_there_and_is_no_marker_stays(self):
        self.file.write_text("")
        error = self.assertRaises(
            exception.ConfigError, marker.mark, str(self.path), "nfs-1"
        )
        self.assertIn(f"{self.file} does not hold", str(error))
        self.assertEqual("", self.file.read_text())

    def test_a_failure_leaves_nothing_behind(self):
        with unittest.mock.patch("os.link", side_effect=OSError(1, "no")):
            self.assertRaises(
                exception.ConfigError, marker.mark, str(self.path), "nfs-1"
            )
        self.assertEqual([], list(self.path.iterdir()))


class ReadTestCase(MarkerTestCase):
    def marker(self, path=None, deadline=5.0):
        return marker.Marker(
            str(path or self.path),
            interval=5.0,
            deadline=deadline,
            clock=clock.SystemClock(),
        )

    def test_it_is_not_known_before_it_was_read(self):
        self.assertIsNone(self.marker().domain)

    def test_it_is_read_again_and_again(self):
        found = self.marker()
        found.refresh()
        self.assertEqual("", found.domain)
        marker.mark(str(self.path), "nfs-1")
        found.refresh()
        self.assertEqual("nfs-1", found.domain)
        self.file.unlink()
        found.refresh()
        self.assertEqual("", found.domain)

    def test_it_is_known_once_it_has_started(self):
        marker.mark(str(self.path), "nfs-1")
        found = self.marker()
        found.start()
        self.addCleanup(found.stop)
        self.assertEqual("nfs-1", found.domain)

    def test_a_path_that_is_not_there_proves_nothing(self):
        found = self.marker(self.path / "not-there")
        found.refresh()
        self.assertEqual("", found.domain)

    def test_what_is_no_marker_proves_nothing(self):
        def link():
            (self.path / "other").write_text("nfs-1\n")
            self.file.symlink_to(self.path / "other")

        for make in (
            lambda: self.file.write_text("two words"),
            lambda: self.file.write_text("nfs-1" + " " * 300),
            self.file.mkdir,
            lambda: os.mkfifo(self.file),
            link,
        ):
            make()
            found = self.marker()
            with unittest.mock.patch(LOG) as log:
                found.refresh()
                found.refresh()
            self.assertEqual("", found.domain)
            self.assertEqual(1, log.warning.call_count)
            if self.file.is_dir():
                self.file.rmdir()
            else:
                self.file.unlink()

    def test_an_error_leaves_what_is_known(self):
        """Stale handles and the like tell nothing about the disks."""
        marker.mark(str(self.path), "nfs-1")
        found = self.marker()
        found.refresh()
        with unittest.mock.patch("os.open", side_effect=OSError(116, "stale")):
            with unittest.mock.patch(LOG) as log:
                found.refresh()
        self.assertEqual("nfs-1", found.domain)
        log.warning.assert_called_once()

    def test_a_mount_that_hangs_leaves_what_is_known(self):
        marker.mark(str(self.path), "nfs-1")
        release, began = threading.Event(), []

        def hang(*_):
            began.append(1)
            release.wait(30)
            raise OSError(5, "input/output error")

        self.addCleanup(release.set)
        found = self.marker(deadline=0.05)
        found.refresh()
        with unittest.mock.patch("os.open", hang):
            with unittest.mock.patch(LOG) as log:
                found.refresh()
                found.refresh()
        self.assertEqual(("nfs-1", [1]), (found.domain, began))
        self.assertEqual(1, log.warning.call_count)
