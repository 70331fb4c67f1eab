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
import signal
import subprocess

from lab.services import base as services
from lab.services import rabbitmq
from tests import zookeeper_server
from tests.functional import programs


class CommandsOverRabbitMQTest(programs.ProgramsTestCase):
    def setUp(self):
        super().setUp()
        site = services.Site.at(self.directory / "site")
        self.broker = rabbitmq.RabbitMQ(site)
        self.addCleanup(self._remove_broker, site)
        self.write("fencing.yaml", "devices: {}\nhosts: {}\n")
        for role in programs.ROLES:
            self.write_conf(
                role,
                DEFAULT={"transport_url": self.broker.transport_url},
                zookeeper={"tick": 0.1},
                nova={
                    "auth_type": "none",
                    "endpoint_override": "http://127.0.0.1:1",
                },
                rpc={
                    "enabled": True,
                    "timeout": 5,
                    "auth_strategy": "noauth",
                    "zookeeper_password_file": self.directory / "operator",
                },
            )
        self.make_tree()

    def _remove_broker(self, site):
        self.broker.stop()
        # The port mapper is a daemon of its own.
        epmd = site.ports.get("epmd")
        subprocess.run(
            ["epmd", "-port", str(epmd), "-kill"],
            capture_output=True,
            check=False,
        )

    def _run(self, role, *arguments, status=0):
        done = self.call(role, *arguments, status=status)
        return done.stdout or done.stderr

    def _switches(self):
        # An engine's file will do: the command needs no password of its own.
        found = json.loads(
            self._run("engine", "status", "-f", "json", status=1)
        )
        return found["switches"]

    def test_with_the_bus_and_without(self):
        engine = self.start_engine()
        # There is no broker yet: the engine leads all the same.
        self.wait_for_log("engine.leading")
        self.broker.start()
        self.wait_for_log("Commands are served on the topic")
        self._commands_are_served()
        self._zookeeper_comes_back()
        self.broker.stop()
        self._pause_without_the_bus()
        self.broker.start()
        self._wait_for_answer()
        self.assertTrue(self._switches()["paused"])
        engine.send_signal(signal.SIGTERM)
        self.assertEqual(0, engine.wait(30), self.engine_log())
        self.assertNotIn("0123456789abcdef", self.engine_log())

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
        self.assertIn("jane asks on the bus for switch", self.engine_log())
        answer = self._run("engine", "host", "reserve", "cmp9", status=2)
        self.assertIn("cmp9", answer)

    def _zookeeper_comes_back(self):
        self.server.stop()
        self._run("engine", "status", status=2)
        self.server.start()
        self._wait_for_answer()

    def _wait_for_answer(self):
        zookeeper_server.wait_until(self._answers, 60, self.engine_log)

    def _answers(self):
        with contextlib.suppress(AssertionError):
            return self._switches()["armed"]
        return False
