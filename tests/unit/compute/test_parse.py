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

"""JSON of Nova's API to nouns."""

import datetime

from nova_ha.compute import parse
from tests import base

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)

SERVER = {
    "id": "b0b3c5a9-2b4f-4d5e-9d33-0f7a6cf6a001",
    "name": "web",
    "status": "ERROR",
    "image": {"id": "i"},
    "flavor": {
        "vcpus": 2,
        "ram": 512,
        "disk": 10,
        "ephemeral": 1,
        "swap": 1025,
        "extra_specs": {},
    },
    "metadata": {"ha": "yes"},
    "fault": {"message": "No valid host was found."},
    "OS-EXT-SRV-ATTR:host": "cmp1",
    "OS-EXT-STS:vm_state": "error",
    "OS-EXT-STS:task_state": None,
    "OS-EXT-STS:power_state": 4,
    "OS-SRV-USG:launched_at": "2026-01-02T12:00:00.000000",
}


class TestTimestamp(base.TestCase):
    def test_spellings(self) -> None:
        for text in (
            "2026-01-02T12:00:00.000000",
            "2026-01-02T12:00:00Z",
            "2026-01-02T13:00:00+01:00",
        ):
            with self.subTest(text=text):
                self.assertEqual(NOON, parse.timestamp(text))

    def test_never(self) -> None:
        self.assertIsNone(parse.timestamp(None))


class TestInstance(base.TestCase):
    def test_server(self) -> None:
        found = parse.instance(SERVER)
        self.assertEqual("cmp1", found.host)
        self.assertEqual("error", found.vm_state)
        self.assertEqual("No valid host was found.", found.fault)
        self.assertEqual({"ha": "yes"}, found.metadata)
        self.assertTrue(found.launched)
        self.assertEqual(
            {"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 13}, found.resources
        )

    def test_never_launched_and_nowhere(self) -> None:
        found = parse.instance(
            SERVER
            | {"OS-SRV-USG:launched_at": None, "OS-EXT-SRV-ATTR:host": None}
        )
        self.assertFalse(found.launched)
        self.assertIsNone(found.host)

    def test_volume_backed(self) -> None:
        found = parse.instance(SERVER | {"image": ""})
        self.assertEqual(3, found.resources["DISK_GB"])

    def test_extra_specs(self) -> None:
        flavor = SERVER["flavor"] | {
            "extra_specs": {
                "hw:cpu_policy": "dedicated",
                "resources:MEMORY_MB": "0",
                "resources:CUSTOM_GPU": "1",
            }
        }
        self.assertEqual(
            {"PCPU": 2, "DISK_GB": 13, "CUSTOM_GPU": 1},
            parse.instance(SERVER | {"flavor": flavor}).resources,
        )


class TestMigration(base.TestCase):
    def test_record(self) -> None:
        found = parse.migration(
            {
                "id": 7,
                "instance_uuid": SERVER["id"],
                "migration_type": "evacuation",
                "status": "accepted",
                "source_compute": "cmp1",
                "dest_compute": None,
                "created_at": "2026-01-02T12:00:00.000000",
                "updated_at": None,
            }
        )
        self.assertEqual(
            (7, "cmp1", None), (found.id, found.source, found.dest)
        )
        self.assertEqual((NOON, None), (found.created_at, found.updated_at))
