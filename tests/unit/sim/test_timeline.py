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

"""A run, drawn."""

from nova_ha.sim import journal
from nova_ha.sim import timeline
from tests import base
from tests.unit.sim.test_trace import entry
from tests.unit.sim.test_trace import told

MARGIN = len("zookeeper") + len("  machine  ")

STORY = [
    entry(-60.0, "host-1", "guest.started", "one"),
    entry(-60.0, "host-10", "guest.started", "two"),
    entry(-59.0, "engine-1", "engine.started"),
    entry(-50.0, "engine-1", "engine.leading"),
    entry(30.0, "host-1", "machine.crashed"),
    entry(30.0, "host-1", "guest.stopped", "one"),
    told(45.0, "case.opened", ""),
    told(45.2, "case.fencing", ""),
    entry(45.5, "host-1", "machine.power-off"),
    told(45.6, "case.evacuating", ""),
    entry(48.0, "host-10", "guest.started", "one"),
    told(50.0, "case.evacuated", ""),
]


class TimelineTest(base.TestCase):
    def _drawn(
        self, entries: list[journal.Entry], width: int = 80
    ) -> list[str]:
        return timeline.Timeline(entries, 120.0, width).lines

    def _row(self, lines: list[str], number: int) -> str:
        """What is right of the names in a row of the drawing."""
        return lines[number][MARGIN:]

    def test_each_host_has_its_rows(self) -> None:
        lines = self._drawn(STORY)
        names = [line.split()[0] for line in lines[2:8]]
        self.assertEqual(
            ["engine-1", "host-1", "case", "guests", "host-10", "guests"],
            names,
        )

    def test_states_are_where_they_belong(self) -> None:
        lines = self._drawn(STORY, MARGIN + 60)
        self.assertEqual("L" * 60, self._row(lines, 2))
        self.assertEqual("=" * 15 + "x" * 7 + "_" * 38, self._row(lines, 3))
        self.assertEqual("1" * 15 + "0" * 45, self._row(lines, 5))
        self.assertEqual("1" * 24 + "2" * 36, self._row(lines, 7))

    def test_the_most_remarkable_of_a_span_is_shown(self) -> None:
        case = self._row(self._drawn(STORY, MARGIN + 60), 4)
        self.assertEqual(" " * 22 + "FEE" + "e" * 35, case)

    def test_it_fits_into_its_width(self) -> None:
        for width in (40, 60, 80, 200):
            for line in self._drawn(STORY, width):
                self.assertLessEqual(len(line), width)

    def test_the_axis_tells_the_time(self) -> None:
        labels, ticks, *_ = self._drawn(STORY, MARGIN + 60)
        self.assertEqual(["0s", "30s", "1m", "1m30s"], labels.split())
        self.assertEqual(labels.index("1m"), MARGIN + 30)
        self.assertEqual("|", ticks[MARGIN + 30])

    def test_the_legend_explains_every_sign(self) -> None:
        text = " ".join(self._drawn(STORY, 60))
        for words in ("x crashed", "! fence-failed", "L leads", "v elects"):
            self.assertIn(words, text)

    def test_an_outage_of_zookeeper_has_a_row(self) -> None:
        outage = entry(60.0, "zookeeper", "zookeeper.stopped")
        self.assertEqual([], self._ensemble(STORY))
        (row,) = self._ensemble([*STORY, outage])
        self.assertIn("=_", row)

    def _ensemble(self, entries: list[journal.Entry]) -> list[str]:
        lines = self._drawn(entries)
        return [one for one in lines if one.startswith("zookeeper ")]

    def test_many_guests_are_a_plus(self) -> None:
        many = [entry(-1.0, "a", "guest.started", str(n)) for n in range(10)]
        self.assertIn("+++", "".join(self._drawn(many)))

    def test_nothing_has_happened(self) -> None:
        self.assertTrue(self._drawn([]))
