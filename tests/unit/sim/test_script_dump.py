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

"""What is written can be read again, and says the same."""

import dataclasses

from nova_ha.sim import script
from nova_ha.sim import script_dump
from tests import base
from tests.unit.sim import scripts
from tests.unit.sim import test_script_file


def without_lines(made: script.Script) -> script.Script:
    return dataclasses.replace(
        made,
        faults=tuple(dataclasses.replace(one, line=0) for one in made.faults),
        expect=tuple(dataclasses.replace(one, line=0) for one in made.expect),
    )


class DumpTest(base.TestCase):
    def _again(self, text: str) -> str:
        made = scripts.parse(text)
        dumped = script_dump.dump(made)
        again = scripts.parse(dumped)
        self.assertEqual(without_lines(made), without_lines(again))
        return dumped

    def test_everything_there_is(self) -> None:
        self._again(test_script_file.FULL)

    def test_as_little_as_there_can_be(self) -> None:
        dumped = self._again("cloud: {hosts: 2}")
        self.assertIn("hosts: 2", dumped)
        for word in ("policy", "faults", "armed", "zookeeper", "drift"):
            self.assertNotIn(word, dumped)

    def test_devices_keep_their_levels(self) -> None:
        self._again("cloud: {hosts: [{name: a, bmc: [{}, {mode: slow}]}]}")
        self._again("cloud: {hosts: [{name: a, bmc: [{mode: dead}]}, b]}")

    def test_storage_heartbeats(self) -> None:
        text = "cloud: {hosts: 1, heartbeats: true}\npolicy: {interval: 1}"
        self.assertIn("heartbeats: true", self._again(text))

    def test_instances_keep_their_names(self) -> None:
        text = "cloud: {hosts: 1, instances: [{name: x-7, host: host-1}]}"
        self.assertIn("x-7", self._again(text))

    def test_another_session_keeps_its_lease(self) -> None:
        self._again("cloud: {hosts: 1}\npolicy: {session_timeout: 20}")
        self._again(
            "cloud: {hosts: 1}\npolicy: {session_timeout: 20, leader_lease: 6}"
        )

    def test_numbers_are_written_as_people_write_them(self) -> None:
        text = f"{scripts.CLOUD}faults:\n- {{at: 30.0, crash: host-1}}\n"
        self.assertIn("{at: 30, crash: host-1}", self._again(text))
