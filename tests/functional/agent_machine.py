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

"""A machine that runs an agent: its files, and its process."""

import os
import pathlib
import re
import subprocess
import sys

T = 8.0
"""Session time-out: short, but granted by a server with a tick of 0.5 s."""

GUEST = "6f3c3a2c-58f7-4b43-9b9e-5a5c1ab4a001"

CONF = """
[DEFAULT]
host = cmp1
debug = true
[zookeeper]
hosts = {hosts}
namespace = test
session_timeout = {timeout}
username = agent
password_file = {directory}/password
host_password_file = {directory}/host_password
[agent]
machine_id_file = {directory}/machine_id
system_uuid_file = {directory}/system_uuid
boot_id_file = {directory}/boot_id
instances_path = {directory}/instances
compute_pid_file = {directory}/compute.pid
check_interval = 0.5
check_deadline = 0.5
guests_driver = command
guests_command = cat {directory}/guests
guests_interval = 0.5
guests_deadline = 0.5
colocated_services = none
allow_start_file = {directory}/allow
"""


class Machine:
    """What one agent runs on: its files, and its process."""

    def __init__(self, directory, hosts, password, host_password):
        self.directory = pathlib.Path(directory)
        self.conf = self.directory / "nova-ha.conf"
        self.log = self.directory / "agent.log"
        self.process = None
        (self.directory / "instances").mkdir()
        for name, secret in (
            ("password", password),
            ("host_password", host_password),
        ):
            self.write(name, secret)
            (self.directory / name).chmod(0o600)
        self.write("machine_id", f"machine-of-{self.directory.name}")
        self.write("system_uuid", "4C4C4544-0001")
        self.write("boot_id", "boot-1")
        self.write("compute.pid", str(os.getpid()))
        self.write("guests", f"{GUEST}\n")
        self.write(
            "nova-ha.conf",
            CONF.format(hosts=hosts, timeout=T, directory=self.directory),
        )

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def configure(self, option, value):
        text = self.conf.read_text()
        pattern = re.compile(f"^{option} = .*$", re.MULTILINE)
        self.conf.write_text(pattern.sub(f"{option} = {value}", text))

    def command(self, *arguments):
        return [
            sys.executable,
            "-m",
            "nova_ha.cmd.agent",
            "--config-file",
            str(self.conf),
            *arguments,
        ]

    def start(self, *arguments):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*arguments), stdout=log, stderr=log
            )
        return self.process

    def signal(self, number):
        self.process.send_signal(number)
        return self.process.wait(30)

    def clean_up(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def said(self):
        return self.log.read_text() if self.log.exists() else ""
