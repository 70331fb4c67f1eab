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

"""Commands by way of an engine: a real engine, broker and ZooKeeper."""

import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import tempfile

from lab.services import base as services
from lab.services import rabbitmq
from tests import base
from tests import zookeeper_server

ROLES = ("engine", "agent", "scheduler", "operator")


class CommandsOverRabbitMQTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.server = zookeeper_server.ZooKeeperServer()
        self.addCleanup(self.server.destroy)
        self.server.start()
        site = services.Site.at(self.directory / "site")
        self.broker = rabbitmq.RabbitMQ(site)
        self.addCleanup(self._remove_broker, site)
        self._write("fencing.yaml", "devices: {}\nhosts: {}\n")
        for role in ROLES:
            self._write(role, f"{role}-0123456789abcdef\n")
            self._write(f"{role}.conf", self._conf(role))
        passwords = [
            f"--role-password-file={role}={self.directory}/{role}"
            for role in ROLES[:3]
        ]
        self._run("operator", "zk", "init", *passwords)

    def _remove_broker(self, site):
        self.broker.stop()
        # The port mapper is a daemon of its own.
        epmd = site.ports.get("epmd")
        subprocess.run(
            ["epmd", "-port", str(epmd), "-kill"],
            capture_output=True,
            check=False,
        )

    def _write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def _conf(self, role):
        return f"""
[DEFAULT]
transport_url = {self.broker.transport_url}
[zookeeper]
hosts = {self.server.hosts}
username = {role}
password_file = {self.directory}/{role}
tick = 0.1
[fencing]
topology_file = {self.directory}/fencing.yaml
[nova]
auth_type = none
endpoint_override = http://127.0.0.1:1
[rpc]
enabled = true
timeout = 5
auth_strategy = noauth
zookeeper_password_file = {self.directory}/operator
"""

    def _start_engine(self):
        log = open(self.directory / "engine.log", "ab")  # noqa: SIM115
        self.addCleanup(log.close)
        engine = subprocess.Popen(
            [
                *(sys.executable, "-m", "nova_ha.cmd.engine"),
                *("--config-file", str(self.directory / "engine.conf")),
            ],
            stdout=log,
            stderr=log,
        )
        self.addCleanup(engine.wait, 10)
        self.addCleanup(engine.kill)
        return engine

    def _log(self):
        return (self.directory / "engine.log").read_text()

    def _run(self, role, *arguments, status=0):
        """As the command of somebody with the configuration of a role."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "nova_ha.cmd.cli"),
                *("--config-file", str(self.directory / f"{role}.conf")),
                *arguments,
            ],
            capture_output=True,
            text=True,
            timeout=180,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stdout or done.stderr

    def _switches(self):
        # An engine's file will do: the command needs no password of its own.
        found = json.loads(
            self._run("engine", "status", "-f", "json", status=1)
        )
        return found["switches"]

    def _wait_for_log(self, words):
        zookeeper_server.wait_until(
            lambda: words in self._log(), 40, self._log
        )

    def test_with_the_bus_and_without(self):
        engine = self._start_engine()
        # There is no broker yet: the engine leads all the same.
        self._wait_for_log("engine.leading")
        self.broker.start()
        self._wait_for_log("Commands are served on the topic")
        self._commands_are_served()
        self._zookeeper_comes_back()
        self.broker.stop()
        self._pause_without_the_bus()
        self.broker.start()
        self._wait_for_answer()
        self.assertTrue(self._switches()["paused"])
        engine.send_signal(signal.SIGTERM)
        self.assertEqual(0, engine.wait(30), self._log())
        self.assertNotIn("0123456789abcdef", self._log())

    def _pause_without_the_bus(self):
        answer = self._run("engine", "pause", status=2)
        self.assertIn("no engine has answered over the message bus", answer)
        self.assertIn("--direct", answer)
        self.assertEqual(1, len(answer.splitlines()), answer)
        self._run("operator", "--direct", "pause")

    def _commands_are_served(self):
        self._run("engine", "--as", "jane", "arm", "--force")
        found = self._switches()
        self.assertEqual(
            (True, False, "jane"),
            (found["armed"], found["paused"], found["by"]),
        )
        self.assertIn("jane asks on the bus for switch", self._log())
        answer = self._run("engine", "host", "reserve", "cmp9", status=2)
        self.assertIn("cmp9", answer)

    def _zookeeper_comes_back(self):
        self.server.stop()
        self._run("engine", "status", status=2)
        self.server.start()
        self._wait_for_answer()

    def _wait_for_answer(self):
        zookeeper_server.wait_until(self._answers, 60, self._log)

    def _answers(self):
        with contextlib.suppress(AssertionError):
            return self._switches()["armed"]
        return False
