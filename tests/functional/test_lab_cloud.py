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
"""The lab is what it claims: hosts that die, guests that write, real Nova.

Without nova_ha: recovery is done by hand here, so that a failure of these
tests is a failure of the stage and not of the play.
"""

import json
import os
import pathlib
import subprocess
import tempfile
from typing import Any

from lab import cloud as lab_cloud
from lab import guests
from lab import host as lab_host
from lab import proc
from lab import process
from lab import witness
from lab.bmc import servers
from tests import base

HOSTS = (
    lab_cloud.HostSpec("cmp1"),
    lab_cloud.HostSpec("cmp2"),
    lab_cloud.HostSpec("cmp3", "redfish"),
)


class PlainCloudTest(base.TestCase):
    """One cloud for all tests; each leaves its hosts as it found them."""

    cloud: lab_cloud.Cloud

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = tempfile.TemporaryDirectory(prefix="nova-ha-lab-")
        cls.addClassCleanup(directory.cleanup)
        cls.cloud = lab_cloud.Cloud(directory.name, HOSTS, nova_ha=False)
        cls.addClassCleanup(cls.cloud.down)
        cls.cloud.up()

    def boot(self, number: int, host: str) -> list[str]:
        """UUIDs of new servers on a host; they are deleted at the end."""
        booted = self.cloud.boot_servers(number, on_host=host)
        for server in booted:
            self.addCleanup(self.cloud.nova().servers.delete, server.id)
        return [server.id for server in booted]

    def wait(self, condition: Any, what: str, timeout: float = 30) -> None:
        process.wait_until(condition, timeout, what)

    def ipmitool(self, host: lab_host.Host, *words: str) -> str:
        device = host.bmc.device()
        done = subprocess.run(
            ["ipmitool", "-I", "lanplus", "-C", "3", "-E"]
            + ["-H", device["address"], "-p", str(device["port"])]
            + ["-U", servers.USER, *words],
            env=os.environ | {"IPMITOOL_PASSWORD": device["password"]},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def service_id(self, host: lab_host.Host) -> str:
        (service,) = self.cloud.nova().services.list(
            host=host.name, binary="nova-compute"
        )
        return str(service.id)

    def lines_of(self, guest: str) -> int:
        journal = self.cloud.journals / f"{guest}.journal"
        return len(journal.read_text().splitlines())

    def migrations(self, host: lab_host.Host) -> set[str]:
        found = self.cloud.nova().migrations.list(
            source_compute=host.name, migration_type="evacuation"
        )
        return {migration.status for migration in found}

    def test_fenced_evacuated_and_returned(self) -> None:
        nova = self.cloud.nova()
        victim = self.cloud.host("cmp1")
        moved = self.boot(3, victim.name)
        self.assertEqual(sorted(moved), victim.running_guests())
        boot_id = victim.machine.boot_id.read_text()

        self.ipmitool(victim, "power", "off")
        self.wait(lambda: not victim.machine.powered(), "power to go")
        self.assertIn("is off", self.ipmitool(victim, "power", "status"))
        self.assertEqual([], victim.processes())
        self.assertRaises(guests.RunnerUnavailable, victim.running_guests)
        silent = [self.lines_of(one) for one in moved]

        nova.services.force_down(self.service_id(victim), True)
        self.assertEqual(silent, [self.lines_of(one) for one in moved])
        for number, one in enumerate(moved):
            target = ("cmp2", "cmp3")[number % 2]
            nova.servers.evacuate(one, host=target)
        self.wait(
            lambda: self.migrations(victim) == {"done"}, "evacuations", 60
        )
        self.assertEqual(
            sorted(moved[::2]), self.cloud.host("cmp2").running_guests()
        )
        for one in moved:
            self.cloud.wait_server(one, "ACTIVE")

        self.ipmitool(victim, "power", "on")
        self.wait(
            lambda: self.migrations(victim) == {"completed"}, "clean-up", 60
        )
        self.assertEqual([], victim.running_guests())
        self.assertNotEqual(boot_id, victim.machine.boot_id.read_text())
        for one in moved:
            directory = self.cloud.site.shared / "instances" / one
            self.assertTrue(directory.exists(), "the disk must stay")
        nova.services.force_down(self.service_id(victim), False)
        self.cloud.wait_hosts_up([victim.name])

        report = witness.examine(self.cloud.journals)
        self.assertEqual((), report.overlaps)
        for one in moved:
            hosts = [run.host for run in report.runs_of(one)]
            self.assertEqual(2, len(hosts), hosts)
            self.assertEqual(victim.name, hosts[0])
        self.assert_calls_noted(moved)

    def assert_calls_noted(self, moved: list[str]) -> None:
        text = self.cloud.nova_services.call_log.read_text()
        calls = [json.loads(line) for line in text.splitlines()]
        evacuations = [one for one in calls if one["action"] == "evacuate"]
        paths = [one["path"] for one in evacuations]
        self.assertEqual([f"/v2.1/servers/{m}/action" for m in moved], paths)
        self.assertEqual({200}, {one["status"] for one in evacuations})
        self.assertNotIn(self.cloud.site.passwords.get("admin"), text)

    def test_crash_leaves_the_power_on(self) -> None:
        host = self.cloud.host("cmp2")
        (guest,) = self.boot(1, host.name)
        host.kill()
        self.assertEqual([], host.processes())
        self.assertTrue(host.machine.powered())
        self.assertIn("is on", self.ipmitool(host, "power", "status"))
        host.power_off()
        host.power_on()
        host.wait_booted()
        # Its definition is known, and nothing starts by itself.
        self.assertEqual([], host.running_guests())
        definitions = host.machine.directory / "guests.json"
        self.assertIn(guest, json.loads(definitions.read_text()))

    def test_guests_outlive_nova_compute(self) -> None:
        host = self.cloud.host("cmp2")
        (guest,) = self.boot(1, host.name)
        host.kill_compute()
        self.assertFalse(host.unit_alive(lab_host.COMPUTE))
        before = self.lines_of(guest)
        self.wait(lambda: self.lines_of(guest) > before + 2, "its lines")
        host.power_off()
        host.power_on()
        host.wait_booted()

    def test_frozen_host_writes_nothing_until_it_thaws(self) -> None:
        host = self.cloud.host("cmp2")
        (guest,) = self.boot(1, host.name)
        host.freeze()
        before = self.lines_of(guest)
        self.assertRaises(guests.RunnerUnavailable, host.running_guests)
        self.assertEqual(before, self.lines_of(guest))
        host.thaw()
        self.wait(lambda: self.lines_of(guest) > before, "its lines")
        self.assertEqual([guest], host.running_guests())

    def test_witness_sees_a_guest_started_twice(self) -> None:
        (guest,) = self.boot(1, "cmp2")
        # Not below the journals of the other tests.
        self.assertEqual([], self.overlaps_of(guest))
        other = self.cloud.host("cmp3")
        other.start_guest(guest)
        self.wait(lambda: self.overlaps_of(guest), "the witness")
        (overlap,) = self.overlaps_of(guest)
        self.assertEqual({"cmp2", "cmp3"}, set(overlap.hosts))
        other.stop_guest(guest)
        (self.cloud.journals / f"{guest}.journal").rename(
            self.cloud.journals / f"{guest}.double-on-purpose"
        )

    def overlaps_of(self, guest: str) -> list[witness.Overlap]:
        report = witness.examine(self.cloud.journals)
        return [one for one in report.overlaps if one.guest == guest]

    def test_spawn_fails_after_the_guest_started(self) -> None:
        host = self.cloud.host("cmp2")
        (guest,) = self.boot(1, "cmp1")
        host.machine.turn(spawn_failure="after")
        self.addCleanup(host.machine.turn, spawn_failure="")
        source = self.cloud.host("cmp1")
        source.power_off()
        nova = self.cloud.nova()
        nova.services.force_down(self.service_id(source), True)
        nova.servers.evacuate(guest, host=host.name)
        self.wait(
            lambda: "failed" in self.migrations(source), "the failure", 60
        )
        self.assertIn(guest, host.running_guests())
        host.stop_guest(guest)
        source.power_on()
        source.wait_booted()
        nova.services.force_down(self.service_id(source), False)
        self.cloud.wait_hosts_up([source.name])

    def test_down_leaves_nothing_and_can_be_repeated(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            marker = f"{process.CLOUD_MARKER}={directory}"
            server = process.Process(
                "sleeper",
                ["sleep", "1000"],
                run_dir=pathlib.Path(directory) / "run",
                log=pathlib.Path(directory) / "log",
                env=process.environment(pathlib.Path(directory)),
            )
            server.start()
            self.assertEqual(1, len(list(proc.marked(marker))))
            other = lab_cloud.Cloud(directory, HOSTS, nova_ha=False)
            other.down()
            self.assertFalse(server.alive())
            other.down()
        self.assertTrue(self.cloud.compute_states())

    def test_a_strange_directory_is_not_emptied(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            mine = pathlib.Path(directory, "mine")
            mine.touch()
            other = lab_cloud.Cloud(directory, HOSTS, nova_ha=False)
            self.assertRaises(process.LabError, other.up)
            self.assertTrue(mine.exists())
