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

"""What the audience sees: plain lines, each with the seconds of its act."""

import sys
import time
from collections.abc import Iterable, Sequence


class Screen:
    """Prints lines; a countdown redraws its line on a terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._drawn = False

    def act(self, title: str) -> None:
        """Begin a new act: the clock of the lines starts at zero."""
        self._end_line()
        print(f"\n=== {title} " + "=" * max(0, 72 - len(title)), flush=True)
        self._began = time.monotonic()

    def restart_clock(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        self._end_line()
        print(f"{self._stamp()}  {text}", flush=True)

    def count(self, text: str) -> None:
        """A line that the next one replaces, where there is a terminal;
        elsewhere nothing, so that a log stays short."""
        if sys.stdout.isatty():
            print(f"\r{self._stamp()}  {text:<70}", end="", flush=True)
            self._drawn = True

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> None:
        self._end_line()
        lines = [list(head), *map(list, rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for number, line in enumerate(lines):
            cells = zip(line, widths, strict=True)
            print("    " + "  ".join(f"{c:<{w}}" for c, w in cells).rstrip())
            if number == 0:
                print("    " + "  ".join("-" * w for w in widths))
        sys.stdout.flush()

    def _stamp(self) -> str:
        return f"{time.monotonic() - self._began:+7.1f} s"

    def _end_line(self) -> None:
        if self._drawn:
            print()
            self._drawn = False
