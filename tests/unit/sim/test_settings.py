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

"""Settings of a run, by the names of ``nova-ha.conf``."""

import pathlib
import tempfile

from nova_ha import exception
from nova_ha.core import policy
from nova_ha.fencing import document
from nova_ha.sim import script
from nova_ha.sim import settings
from tests import base


def of(text: str) -> settings.Settings:
    return settings.from_items(document.parse(text, "x.yaml").mapping())


class SettingsTest(base.TestCase):
    def test_the_defaults_are_those_of_the_options(self) -> None:
        made = settings.from_items({})
        self.assertEqual(policy.Policy(), made.policy)
        self.assertEqual(script.Intervals(), made.intervals)

    def test_options_and_what_is_no_option(self) -> None:
        made = of("{fence_rounds: 2, reminder: 50, call_timeout: 3}")
        self.assertEqual(2, made.policy.fence_rounds)
        self.assertEqual(50.0, made.policy.reminder)
        self.assertEqual(3.0, made.intervals.fence_call)

    def test_a_list_is_an_option_too(self) -> None:
        made = of("{drivers: [nova, storage], interval: 1, isolated: fence}")
        self.assertTrue(made.heartbeats)
        self.assertEqual(1.0, made.intervals.storage_poll)
        self.assertEqual(2.0, made.policy.patience)
        self.assertTrue(made.policy.fence_isolated)
        self.assertFalse(of("{drivers: nova}").heartbeats)

    def test_what_follows_from_others_does(self) -> None:
        self.assertEqual(12.0, of("session_timeout: 20").policy.leader_lease)
        text = "{session_timeout: 20, leader_lease: 5}"
        self.assertEqual(5.0, of(text).policy.leader_lease)

    def test_nothing_is_left_for_the_next_run(self) -> None:
        of("soak_time: 1")
        self.assertRaises(exception.ConfigError, of, "session_timeout: 2")
        self.assertEqual(policy.Policy(), of("{tick: 0.5}").policy)

    def test_what_matters_in_no_run_is_no_setting(self) -> None:
        for name in ("password", "topology_file", "check_interval", "host"):
            self.assertNotIn(name, settings.names())
            self.assertRaises(exception.ConfigError, of, f"{name}: x")

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
        for name in ("missing.yaml", "missing.conf", "binary.yaml"):
            error = self.assertRaises(
                exception.ConfigError, settings.from_file, str(folder / name)
            )
            self.assertIn(name, str(error))
