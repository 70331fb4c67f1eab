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

import pathlib
import socket
import tempfile
import unittest.mock

from nova_ha.agent import command
from nova_ha.agent import systemd
from tests import base


class TestServiceManager(base.TestCase):
    def _listen(self, address):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.settimeout(10)
        listener.bind(address)
        return listener

    def test_tells_a_socket_with_a_path(self):
        path = str(
            pathlib.Path(
                self.enterContext(tempfile.TemporaryDirectory()), "notify"
            )
        )
        listener = self._listen(path)
        systemd.ServiceManager(path).tell("READY=1", "WATCHDOG=1")
        self.assertEqual(b"READY=1\nWATCHDOG=1", listener.recv(100))

    def test_tells_an_abstract_socket(self):
        name = f"nova-ha-test-{id(self)}"
        listener = self._listen("\0" + name)
        systemd.ServiceManager("@" + name).tell("STOPPING=1")
        self.assertEqual(b"STOPPING=1", listener.recv(100))

    def test_nobody_listens(self):
        systemd.ServiceManager("").tell("READY=1")
        systemd.ServiceManager("/no/such/socket").tell("READY=1")


class TestShuttingDown(base.TestCase):
    def _answer(self, **answer):
        with unittest.mock.patch.object(command.Command, "run", **answer):
            return systemd.shutting_down()

    def test_the_machine_goes_down(self):
        jobs = (
            "4711 nova-ha-agent.service stop running\n"
            "4605 shutdown.target       start waiting\n"
        )
        self.assertTrue(self._answer(return_value=(0, jobs)))

    def test_only_the_service_is_stopped(self):
        for jobs in (
            "",
            "No jobs running.\n",
            "4711 nova-ha-agent.service restart running\n",
            # An operator has thought better of it.
            "4605 shutdown.target stop waiting\n",
        ):
            self.assertFalse(self._answer(return_value=(0, jobs)), jobs)

    def test_no_systemd(self):
        self.assertFalse(
            self._answer(side_effect=command.CommandFailed("no systemctl"))
        )
