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

"""The programs of nova_ha as processes, on a ZooKeeper of their own."""

import pathlib
import subprocess
import sys
import tempfile

from tests import base
from tests import zookeeper_server

ROLES = ("engine", "agent", "scheduler", "operator")


class ProgramsTestCase(base.TestCase):
    """Each test has a ZooKeeper and a directory with passwords."""

    def setUp(self):
        super().setUp()
        self.server = zookeeper_server.ZooKeeperServer()
        self.addCleanup(self.server.destroy)
        self.server.start()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        for role in ROLES:
            self.write(role, f"{role}-0123456789abcdef\n")

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def write_conf(self, role, **sections):
        """Configuration of a role; further options by section."""
        sections = {
            **sections,
            "zookeeper": {
                "hosts": self.server.hosts,
                "username": role,
                "password_file": self.directory / role,
                **sections.get("zookeeper", {}),
            },
            "fencing": {"topology_file": self.directory / "fencing.yaml"},
        }
        lines = []
        for section, options in sections.items():
            lines.append(f"[{section}]")
            lines += [f"{name} = {value}" for name, value in options.items()]
        return self.write(f"{role}.conf", "\n".join(lines) + "\n")

    def command(self, role, *arguments):
        """The command line of somebody with the configuration of a role."""
        conf = self.directory / f"{role}.conf"
        program = [sys.executable, "-m", "nova_ha.cmd.cli"]
        return [*program, "--config-file", str(conf), *arguments]

    def call(self, role, *arguments, status=0):
        """Run a command; returns what it has written."""
        done = subprocess.run(
            self.command(role, *arguments),
            capture_output=True,
            text=True,
            timeout=180,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done

    def make_tree(self, role="operator", roles=ROLES):
        """``nova-ha zk init``."""
        passwords = [
            f"--role-password-file={one}={self.directory / one}"
            for one in roles
        ]
        return self.call(role, "zk", "init", *passwords).stdout

    def start_engine(self):
        log = open(self.directory / "engine.log", "ab")  # noqa: SIM115
        self.addCleanup(log.close)
        conf = self.directory / "engine.conf"
        program = [sys.executable, "-m", "nova_ha.cmd.engine"]
        engine = subprocess.Popen(
            [*program, "--config-file", str(conf)], stdout=log, stderr=log
        )
        self.addCleanup(engine.wait, 10)
        self.addCleanup(engine.kill)
        return engine

    def engine_log(self):
        return (self.directory / "engine.log").read_text()

    def wait_for_log(self, words):
        zookeeper_server.wait_until(
            lambda: words in self.engine_log(), 40, self.engine_log
        )
