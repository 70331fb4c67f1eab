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
"""The lab's BMCs cut the power for real, and fail in the ways of real ones.

No Nova: the machines run their guests and nothing else.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import uuid
from typing import Any

import requests

from lab import boot
from lab import guests
from lab import machine as lab_machine
from lab import proc
from lab import process
from lab.bmc import faults
from lab.bmc import servers
from lab.services import base as lab_base
from tests import base

GUEST = "6c1f0ad1-55d7-44ff-a31d-8a9a7b1ff0e5"


class Refused(Exception):
    """The device did not accept or did not answer."""


class BmcCases:
    """What holds for every kind; subclasses talk to theirs."""

    kind: str

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        directory = tempfile.TemporaryDirectory(prefix="nova-ha-lab-")
        self.addCleanup(directory.cleanup)
        state = pathlib.Path(directory.name)
        marker = f"{process.CLOUD_MARKER}={state}"
        self.addCleanup(proc.kill_marked, marker)
        site = lab_base.Site.at(state)
        (site.shared / "guests").mkdir(parents=True)
        self.machine = lab_machine.Machine(state / "hosts" / "cmp1")
        self.machine.directory.mkdir(parents=True)
        # One that a test has switched on by itself carries no marker.
        self.addCleanup(self.machine.power_off)
        runner = [sys.executable, "-S", "-m", "lab.guests", "run"]
        boot.write_units(
            self.machine,
            [
                boot.Unit("runner", [*runner, str(self.machine.directory)]),
                # Leaves a child behind that is nobody's any more.
                boot.Unit("stray", ["sh", "-c", "sleep 1000 & sleep 1001"]),
            ],
        )
        self.uuid = uuid.uuid4()
        self.bmc = servers.KINDS[self.kind](
            site, self.machine.directory, self.uuid
        )
        self.bmc.start()
        self.device = self.bmc.device()
        self.power("on")
        self.runner = guests.Runner(self.machine)
        self.wait(self.boots, "the boot")
        self.runner.start(GUEST)

    # Each kind's own.

    def power(self, verb: str) -> None:
        """Request "on" or "off"; raises Refused."""
        raise AssertionError(verb)

    def status(self) -> str:
        """ "on" or "off", as the device says; raises Refused."""
        raise AssertionError

    def identity(self) -> uuid.UUID:
        """The system UUID that the device reports."""
        raise AssertionError

    # For all.

    def wait(self, condition: Any, what: str) -> None:
        process.wait_until(condition, 20, what, interval=0.02)

    def boots(self) -> bool:
        try:
            return self.runner.running() is not None
        except guests.RunnerUnavailable:
            return False

    def survivors(self) -> list[proc.Identity]:
        return list(proc.marked(self.machine.marker))

    def transcript(self) -> list[dict[str, Any]]:
        text = self.bmc.controller.transcript.read_text()
        return [json.loads(line) for line in text.splitlines()]

    def test_off_leaves_no_process_and_on_is_a_new_boot(self) -> None:
        before = self.machine.boot_id.read_text()
        self.assertEqual("on", self.status())
        # Long enough for the question to come before the power goes.
        self.bmc.controller.set_faults(faults.Faults(off_delay=3.0))
        self.power("off")
        # Accepted is not done: the status has to be asked for.
        self.assertEqual("on", self.status())
        self.wait(lambda: self.status() == "off", "the power to go")
        self.assertEqual([], self.survivors())
        self.assertFalse(self.machine.powered())
        self.power("off")
        self.assertEqual("off", self.status())
        self.power("on")
        self.assertEqual("on", self.status())
        self.wait(self.boots, "the boot")
        self.assertEqual([], self.runner.running())
        self.assertNotEqual(before, self.machine.boot_id.read_text())

    def test_reports_the_identity_of_its_machine(self) -> None:
        self.assertEqual(self.uuid, self.identity())

    def test_off_reaches_a_frozen_machine(self) -> None:
        proc.signal_marked(self.machine.marker, 19)
        self.power("off")
        self.wait(lambda: self.status() == "off", "the power to go")
        self.assertEqual([], self.survivors())

    def test_off_is_for_the_boot_that_it_was_sent_to(self) -> None:
        self.power("off")
        self.machine.power_off()
        self.machine.power_on()
        chassis = self.machine.chassis()
        self.wait(
            lambda: "powered off" in str(self.transcript()), "the late off"
        )
        self.assertEqual(chassis, self.machine.chassis())

    def test_ignores_while_it_accepts(self) -> None:
        self.bmc.misbehave("ignore", off_delay=0)
        self.power("off")
        self.assertEqual("on", self.status())
        self.assertEqual([GUEST], self.runner.running())
        self.bmc.misbehave("", off_delay=0)
        self.power("off")
        self.wait(lambda: self.status() == "off", "the power to go")

    def test_refuses(self) -> None:
        self.bmc.misbehave("refuse", off_delay=0)
        self.assertRaises(Refused, self.power, "off")  # type: ignore[attr-defined]
        self.assertEqual("on", self.status())
        self.assertTrue(self.machine.powered())

    def test_lies(self) -> None:
        self.bmc.misbehave("lie", off_delay=0)
        self.assertEqual("on", self.status())
        self.power("off")
        self.assertEqual("off", self.status())
        self.assertEqual([GUEST], self.runner.running())

    def test_hangs(self) -> None:
        self.bmc.hang()
        self.assertRaises(Refused, self.status)  # type: ignore[attr-defined]
        self.bmc.unhang()
        self.wait(self.answers, "an answer")
        self.assertEqual("on", self.status())

    def answers(self) -> bool:
        try:
            return bool(self.status())
        except Refused:
            return False

    def test_dies_without_its_machine(self) -> None:
        self.bmc.stop()
        self.assertRaises(Refused, self.status)  # type: ignore[attr-defined]
        self.assertEqual([GUEST], self.runner.running())
        self.bmc.start()
        self.assertEqual("on", self.status())
        self.assertEqual([GUEST], self.runner.running())

    def test_does_not_take_the_old_password(self) -> None:
        self.bmc.change_password("another")
        self.assertRaises(Refused, self.status)  # type: ignore[attr-defined]
        self.bmc.stop()
        self.bmc.start()
        self.assertEqual("on", self.status())

    def test_notes_what_it_was_asked(self) -> None:
        self.status()
        self.power("off")
        self.wait(lambda: self.status() == "off", "the power to go")
        text = self.bmc.controller.transcript.read_text()
        self.assertNotIn(self.device["password"], text)
        self.wait(
            lambda: "powered off" in str(self.transcript()), "the last line"
        )
        (gone,) = [
            entry
            for entry in self.transcript()
            if entry["answer"] == "powered off"
        ]
        self.assertEqual(0, gone["survivors"])
        (asked,) = [
            entry
            for entry in self.transcript()
            if entry["request"] == "set power 0"
            or entry.get("reset") == "ForceOff"
        ]
        self.assertEqual("received", asked["answer"])
        self.assertLess(asked["monotonic"], gone["monotonic"])


class IpmiTest(BmcCases, base.TestCase):
    kind = "ipmi"

    def ipmitool(self, *words: str) -> str:
        device = self.device
        done = subprocess.run(
            ["ipmitool", "-I", "lanplus", "-C", "3", "-E"]
            + ["-N", "1", "-R", "1", "-H", device["address"]]
            + ["-p", str(device["port"]), "-U", device["username"], *words],
            env=os.environ | {"IPMITOOL_PASSWORD": device["password"]},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout

    def power(self, verb: str) -> None:
        self.ipmitool("power", verb)

    def status(self) -> str:
        return self.ipmitool("power", "status").split()[-1]

    def identity(self) -> uuid.UUID:
        octets = self.ipmitool("raw", "0x06", "0x37").split()
        return uuid.UUID(bytes=bytes.fromhex("".join(octets)))


class RedfishTest(BmcCases, base.TestCase):
    kind = "redfish"

    def request(self, method: str, path: str, **more: Any) -> Any:
        url = self.device["address"] + self.device["system"] + path
        user = (self.device["username"], self.device["password"])
        try:
            answer = requests.request(
                method, url, auth=user, timeout=2, **more
            )
        except requests.RequestException as error:
            raise Refused(str(error)) from error
        if not answer.ok:
            raise Refused(str(answer.status_code))
        return answer

    def power(self, verb: str) -> None:
        reset = {"on": "On", "off": "ForceOff"}[verb]
        path = "/Actions/ComputerSystem.Reset"
        self.request("POST", path, json={"ResetType": reset})

    def status(self) -> str:
        return str(self.request("GET", "").json()["PowerState"]).lower()

    def identity(self) -> uuid.UUID:
        return uuid.UUID(self.request("GET", "").json()["UUID"])
