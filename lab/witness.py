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
"""Judges from the guests' journals whether one ever ran on two hosts.

    python -m lab.witness DIRECTORY

reads every ``*.journal`` below the directory, prints what it saw as JSON
and exits with 1 when a guest was active on two hosts at the same time, with
2 when there was nothing to judge by. It knows nothing of Nova and nothing
of nova_ha: it reads what the writers left on the shared storage.

A run lasts from its first line to its last one. A frozen host's guest is
taken for running all along: when it thaws it goes on writing with whatever
it had in memory, which is what corrupts disks.
"""

import dataclasses
import itertools
import json
import pathlib
import sys
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """A guest on one host, from its first line to its last (seconds)."""

    guest: str
    host: str
    boot: str
    run: str
    first: float
    last: float
    lines: int


@dataclasses.dataclass(frozen=True, slots=True)
class Overlap:
    """The same guest active on two hosts, for ``seconds``."""

    guest: str
    hosts: tuple[str, str]
    runs: tuple[str, str]
    begin: float
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What the journals say."""

    runs: tuple[Run, ...]
    overlaps: tuple[Overlap, ...]

    def runs_of(self, guest: str) -> list[Run]:
        """The runs of one guest in the order they began."""
        return [run for run in self.runs if run.guest == guest]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "guests": len({run.guest for run in self.runs}),
            "double_active": [dataclasses.asdict(o) for o in self.overlaps],
            "runs": [dataclasses.asdict(run) for run in self.runs],
        }


def read_runs(journal: pathlib.Path) -> list[Run]:
    """The runs in one guest's journal, in the order they began.

    A line that was cut short by a crash is left out.
    """
    found: dict[tuple[str, str, str], list[float]] = {}
    text = journal.read_text(encoding="ascii", errors="replace")
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) != 5:
            continue
        try:
            moment = float(words[0])
        except ValueError:
            continue
        found.setdefault((words[1], words[2], words[3]), []).append(moment)
    runs = [
        Run(journal.stem, *key, min(times), max(times), len(times))
        for key, times in found.items()
    ]
    return sorted(runs, key=lambda run: run.first)


def overlaps(runs: list[Run]) -> list[Overlap]:
    """Every pair of runs on different hosts that share a moment."""
    found = []
    for one, other in itertools.combinations(runs, 2):
        begin = max(one.first, other.first)
        seconds = min(one.last, other.last) - begin
        if one.host != other.host and seconds >= 0:
            found.append(
                Overlap(
                    one.guest,
                    (one.host, other.host),
                    (one.run, other.run),
                    begin,
                    round(seconds, 4),
                )
            )
    return found


def examine(directory: pathlib.Path) -> Report:
    """Read all journals below a directory."""
    runs: list[Run] = []
    double: list[Overlap] = []
    for journal in sorted(directory.rglob("*.journal")):
        of_one = read_runs(journal)
        runs += of_one
        double += overlaps(of_one)
    return Report(tuple(runs), tuple(double))


def main(arguments: list[str]) -> int:
    """Print the report; returns the exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    report = examine(pathlib.Path(arguments[0]))
    print(json.dumps(report.as_json(), indent=1))
    if not report.runs:
        return 2
    return 1 if report.overlaps else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
