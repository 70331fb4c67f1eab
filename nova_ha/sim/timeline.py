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

"""What happened to each host over time, drawn with characters.

Three rows a host: the machine, its recovery case, and how many guests it
runs. A column is a span of time; of the states that fall into one, the most
remarkable is shown, so that nothing short is lost.
"""

import enum
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from nova_ha.sim import journal as journal_mod
from nova_ha.sim import tracks

MIN_WIDTH = 40
MANY = "+"
"""For more than nine guests."""

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600)
"""Seconds between two labels of the time axis."""

_LABEL = 8
"""Columns that a label needs."""

LEGEND: Sequence[tuple[str, type[enum.Enum]]] = (
    ("machine", tracks.Machine),
    ("case", tracks.Case),
    ("engine", tracks.Engine),
    ("zookeeper", tracks.Ensemble),
)

S = TypeVar("S", bound=enum.Enum)


class Timeline:
    """The drawing of one run.

    :param entries: all of the run.
    :param seconds: how long it lasted.
    :param width: columns of the terminal.
    """

    def __init__(
        self,
        entries: Iterable[journal_mod.Entry],
        seconds: float,
        width: int = 80,
    ) -> None:
        self._tracks = tracks.Tracks(entries)
        self._seconds = max(seconds, 1.0)
        names = [*self._tracks.hosts, *self._tracks.engines, "zookeeper"]
        self._margin = max(map(len, names)) + len("  machine  ")
        self._columns = max(width, MIN_WIDTH) - self._margin

    @property
    def lines(self) -> list[str]:
        found = self._axis()
        found += self._servers()
        for name in sorted(self._tracks.hosts, key=_natural):
            found += self._host(name)
        return [*found, "", *_legend(self._margin + self._columns)]

    # -- rows --

    def _row(self, name: str, what: str, cells: str) -> str:
        left = f"{name:<{self._margin - 9}}{what:<7}  "
        return f"{left}{cells}".rstrip()

    def _host(self, name: str) -> list[str]:
        host = self._tracks.hosts[name]
        rows = [self._row(name, "machine", self._drawn(host.machine))]
        if len(host.case.states) > 1:
            rows.append(self._row("", "case", self._drawn(host.case)))
        rows.append(self._row("", "guests", self._guests(host.guests)))
        return rows

    def _servers(self) -> list[str]:
        rows = [
            self._row(name, "engine", self._drawn(track))
            for name, track in sorted(self._tracks.engines.items())
        ]
        ensemble = self._tracks.zookeeper
        if len(ensemble.states) > 1:
            rows.append(self._row("zookeeper", "", self._drawn(ensemble)))
        return rows

    def _drawn(self, track: tracks.Track[S]) -> str:
        order = list(type(track.now))
        return "".join(
            max(track.between(begin, end), key=order.index).value
            for begin, end in self._spans()
        )

    def _guests(self, track: tracks.Track[int]) -> str:
        counts = (track.between(*span)[-1] for span in self._spans())
        return "".join(str(n) if n < 10 else MANY for n in counts)

    def _spans(self) -> Iterator[tuple[float, float]]:
        """Beginning and end of each column, in seconds."""
        span = self._seconds / self._columns
        for column in range(self._columns):
            yield column * span, (column + 1) * span

    # -- the axis --

    def _axis(self) -> list[str]:
        per_column = self._seconds / self._columns
        step = next(
            (one for one in _STEPS if one >= _LABEL * per_column), _STEPS[-1]
        )
        labels, ticks = "", ""
        for moment in range(0, int(self._seconds) + 1, step):
            column = round(moment / per_column)
            text = _moment(moment)
            if column + len(text) <= self._columns:
                labels = labels.ljust(column) + text
                ticks = ticks.ljust(column) + "|"
        margin = " " * self._margin
        return [margin + labels, margin + ticks]


def _moment(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest}s"
    return f"{minutes}m{rest:02}s" if rest else f"{minutes}m"


def _legend(width: int) -> list[str]:
    found: list[str] = []
    for name, states in LEGEND:
        words = "  ".join(
            f"{state.value}\xa0{state.name.lower().replace('_', '-')}"
            for state in states
            if state.value != " "
        )
        found += textwrap.wrap(
            f"{name}:  {words}", width, subsequent_indent=" " * 4
        )
    return [line.replace("\xa0", " ") for line in found]


def _natural(name: str) -> list[tuple[int, str]]:
    """So that host-10 comes after host-9."""
    return [
        (int(part), "") if part.isdigit() else (0, part)
        for part in re.split(r"(\d+)", name)
    ]
