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
import subprocess
import tempfile
import unittest.mock

from nova_ha import clock
from nova_ha import exception
from nova_ha.agent import command
from nova_ha.agent.checks import compute_service
from nova_ha.agent.checks import instances_path
from nova_ha.agent.checks import libvirt
from tests import base
from tests.unit.agent import test_guests


class TestComputeServiceByUnit(base.TestCase):
    def setUp(self):
        super().setUp()
        self.check = compute_service.ComputeServiceCheck(
            unit="nova-compute.service", deadline=5.0
        )

    def _run(self, **answer):
        with unittest.mock.patch.object(command.Command, "run", **answer):
            return self.check.run()

    def test_active(self):
        self.assertTrue(self._run(return_value=(0, "active\n")).ok)

    def test_any_other_state_fails_and_is_named(self):
        result = self._run(return_value=(3, "activating\n"))
        self.assertFalse(result.ok)
        self.assertEqual("nova-compute.service is activating", result.detail)

    def test_no_systemd(self):
        result = self._run(side_effect=command.CommandFailed("no systemctl"))
        self.assertFalse(result.ok)
        self.assertIn("no systemctl", result.detail)


class TestComputeServiceByPid(base.TestCase):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory()), "pid"
        )
        self.check = compute_service.ComputeServiceCheck(
            unit="ignored", pid_file=str(self.file), deadline=5.0
        )

    def test_a_live_process(self):
        self.file.write_text(f"{os.getpid()}\n")
        self.assertTrue(self.check.run().ok)

    def test_a_dead_process_reaped_or_not(self):
        process = subprocess.Popen(["true"])
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.file.write_text(str(process.pid))
        self.assertFalse(self.check.run().ok)
        process.wait()
        result = self.check.run()
        self.assertFalse(result.ok)
        self.assertIn("is gone", result.detail)

    def test_bad_files(self):
        self.assertIn("No such file", self.check.run().detail)
        for content in (b"", b"-1", b"nova", b"\xff\xfe", "\u0663".encode()):
            self.file.write_bytes(content)
            result = self.check.run()
            self.assertFalse(result.ok, content)
            self.assertIn(str(self.file), result.detail)


class TestInstancesPath(base.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.enterContext(tempfile.TemporaryDirectory())

    def _check(self, deadline=10.0, host="cmp1"):
        return instances_path.InstancesPathCheck(
            path=self.path,
            host=host,
            deadline=deadline,
            clock=clock.SystemClock(),
        )

    def test_writable_and_nothing_is_left(self):
        self.assertTrue(self._check().run().ok)
        self.assertEqual([], os.listdir(self.path))

    def test_a_leftover_of_a_crash_does_not_matter(self):
        pathlib.Path(self.path, ".nova-ha-check-cmp1").write_text("old")
        self.assertTrue(self._check().run().ok)
        self.assertEqual([], os.listdir(self.path))

    def test_a_host_name_cannot_leave_the_path(self):
        self.assertTrue(self._check(host="../../evil").run().ok)

    def test_missing(self):
        self.path += "/missing"
        result = self._check().run()
        self.assertFalse(result.ok)
        self.assertIn("No such file", result.detail)

    def test_hanging(self):
        # Opening a pipe for writing blocks until somebody reads.
        pipe = pathlib.Path(self.path, ".nova-ha-check-cmp1")
        os.mkfifo(pipe)
        result = self._check(deadline=0.05).run()
        self.assertFalse(result.ok)
        self.assertIn("no answer within 0.05 s", result.detail)
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))

    def test_settings(self):
        self.assertRaises(
            exception.ConfigError,
            instances_path.InstancesPathCheck.from_settings,
            {"instances_path": "relative"},
            clock.SystemClock(),
        )


class TestLibvirt(base.TestCase):
    def _check(self, library):
        return libvirt.LibvirtCheck(
            library=library,
            uri="qemu:///system",
            deadline=10.0,
            clock=clock.SystemClock(),
        )

    def test_answers(self):
        self.assertTrue(self._check(test_guests.fake_libvirt()).run().ok)

    def test_an_error_fails(self):
        library = test_guests.fake_libvirt(error="no socket")
        result = self._check(library).run()
        self.assertFalse(result.ok)
        self.assertEqual("qemu:///system: no socket", result.detail)

    def test_is_left_out_where_not_configured(self):
        self.assertIsNone(
            libvirt.LibvirtCheck.from_settings(
                {"libvirt_uri": ""}, clock.SystemClock()
            )
        )
