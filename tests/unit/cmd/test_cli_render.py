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

"""Words, times and tables."""

import datetime

from nova_ha.cmd import render
from tests import base
from tests.unit.cmd import test_cli_samples as samples


class RenderTest(base.TestCase):
    def test_durations(self):
        for seconds, words in (
            (-3, "0.0 s"),
            (0.04, "0.0 s"),
            (3.25, "3.2 s"),
            (59.94, "59.9 s"),
            (59.97, "1 m 0 s"),
            (61, "1 m 1 s"),
            (3600, "1 h 0 m"),
            (3 * 86400 + 7200, "3 d 2 h"),
        ):
            with self.subTest(seconds=seconds):
                self.assertEqual(words, render.duration(seconds))

    def test_times_are_in_utc(self):
        zone = datetime.timezone(datetime.timedelta(hours=2))
        moment = samples.NOW.astimezone(zone)
        self.assertEqual("2026-03-01T12:00:00Z", render.utc(moment))
        self.assertEqual("2026-03-01T12:00:00Z", render.instant(moment))
        self.assertEqual("-", render.utc(None))
        self.assertIsNone(render.instant(None))

    def test_a_moment_and_its_age(self):
        self.assertEqual(
            "2026-03-01T11:58:00Z (2 m 0 s ago)",
            render.when(samples.ago(120), samples.NOW),
        )

    def test_a_bar_is_full_only_at_the_end(self):
        self.assertEqual("[....] 0/3", render.bar(0, 3, 4))
        self.assertEqual("[###.] 99/100", render.bar(99, 100, 4))
        self.assertEqual("[####] 3/3", render.bar(3, 3, 4))

    def test_names_do_not_steer_the_terminal(self):
        steering = "vm\x1b[2Jx\r\n\u202eend"
        self.assertEqual("vm?[2Jx? ?end", render.plain(steering))
        self.assertNotIn("\x1b", render.table(("Name",), [(steering,)]))

    def test_names_are_sorted_and_few(self):
        many = [f"cmp{number}" for number in range(9, 0, -1)]
        self.assertEqual("cmp1, cmp2 and 7 more", render.names(many, 2))
        self.assertEqual("a, b", render.names(["b", "a"]))
