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

"""Words, times and tables for a terminal: what all commands render with."""

import argparse
import datetime
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cliff.formatters import table as cliff_table

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def plain(text: object) -> str:
    """Text that cannot steer a terminal, on one line.

    Names of instances are their owners' choice, and messages quote devices.
    """
    return "".join(
        " " if one in "\n\t" else "?" if _steers(one) else one
        for one in str(text)
    )


def _steers(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


def utc(moment: datetime.datetime | None) -> str:
    """A moment in UTC, to the second; ``-`` for none."""
    if moment is None:
        return "-"
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def duration(seconds: float) -> str:
    """A duration by its two largest units; below a minute to 0.1 s.

    Clocks of two machines differ: what is a little negative is no time.
    """
    seconds = max(0.0, seconds)
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    rest = round(seconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        amount, rest = divmod(rest, size)
        if amount or parts:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2])


def age(moment: datetime.datetime | None, now: datetime.datetime) -> str:
    """How long ago a moment was, in words; ``-`` for none."""
    if moment is None:
        return "-"
    return duration((now - moment).total_seconds())


def when(moment: datetime.datetime | None, now: datetime.datetime) -> str:
    """A moment and its age."""
    if moment is None:
        return "-"
    return f"{utc(moment)} ({age(moment, now)} ago)"


def bar(done: int, total: int, width: int = 20) -> str:
    """A progress bar; full only where everything is done."""
    filled = width if done >= total else done * width // total
    return f"[{'#' * filled}{'.' * (width - filled)}] {done}/{total}"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table, fitted to the terminal where there is one."""
    output = io.StringIO()
    cliff_table.TableFormatter().emit_list(
        list(columns),
        [tuple(plain(cell) for cell in row) for row in rows],
        output,
        argparse.Namespace(max_width=0, fit_width=False, print_empty=False),
    )
    return output.getvalue().rstrip("\n")


def fields(pairs: Mapping[str, object], indent: str = "") -> str:
    """Names and values in two columns."""
    width = max(map(len, pairs), default=0)
    return "\n".join(
        f"{indent}{name:<{width}}  {plain(value)}".rstrip()
        for name, value in pairs.items()
    )


def names(many: Iterable[str], most: int = 5) -> str:
    """Sorted names, the first few of many."""
    listed = sorted(many)
    shown = ", ".join(listed[:most])
    more = len(listed) - most
    return f"{shown} and {more} more" if more > 0 else shown


def instant(moment: datetime.datetime | None) -> str | None:
    """A moment as JSON and YAML show it: UTC, to the microsecond."""
    if moment is None:
        return None
    naive = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return naive.isoformat() + "Z"


def without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    """The pairs whose value says something."""
    return {
        name: value
        for name, value in values.items()
        if value not in (None, "", "-")
    }
