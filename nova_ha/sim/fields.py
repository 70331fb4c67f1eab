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

"""Reads typed values out of a script's YAML; every error says where."""

import math
import re
from collections.abc import Collection

from nova_ha.fencing import document

_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?"
    r"(?:(?P<m>\d+(?:\.\d+)?)m)?"
    r"(?:(?P<s>\d+(?:\.\d+)?)s?)?"
)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}

MOST_SECONDS = 7 * 86400.0
"""No run is longer."""


class Fields:
    """The keys of one mapping, each to be taken once: what is left over at
    the end is a mistake."""

    def __init__(self, item: document.Item) -> None:
        """:raises ConfigError: it is no mapping."""
        self.item = item
        self._left = dict(item.mapping())
        self._known: list[str] = []

    def take(self, key: str) -> document.Item | None:
        self._known.append(key)
        return self._left.pop(key, None)

    def needed(self, key: str) -> document.Item:
        """:raises ConfigError: it is missing."""
        item = self.take(key)
        if item is None:
            raise self.item.place.error(
                f"{key} is missing", f"add '{key}: ...'"
            )
        return item

    def left(self) -> dict[str, document.Item]:
        """What has not been taken."""
        return dict(self._left)

    def finish(self) -> None:
        """:raises ConfigError: a key has not been taken."""
        for item in self._left.values():
            known = ", ".join(sorted(set(self._known)))
            raise item.place.error("is not known here", f"known: {known}")

    # -- typed; each raises ConfigError for a value of another kind --

    def text(self, key: str, default: str = "") -> str:
        item = self.take(key)
        return default if item is None else text(item)

    def number(self, key: str, default: float) -> float:
        item = self.take(key)
        return default if item is None else number(item)

    def seconds(self, key: str, default: float) -> float:
        item = self.take(key)
        return default if item is None else seconds(item)

    def count(self, key: str, default: int, *, least: int = 0) -> int:
        item = self.take(key)
        return default if item is None else count(item, least=least)

    def flag(self, key: str, default: bool) -> bool:
        item = self.take(key)
        return default if item is None else flag(item)

    def texts(self, key: str) -> tuple[str, ...]:
        item = self.take(key)
        return () if item is None else texts(item)


def text(item: document.Item) -> str:
    """A name or a sentence. A number is meant as text where it stands."""
    value = item.value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise item.place.error("must be text", "quote it")
    if value == "":
        raise item.place.error("must not be empty")
    return str(value)


def number(item: document.Item) -> float:
    value = item.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise item.place.error("must be a number")
    if not math.isfinite(value):
        raise item.place.error("must be a finite number")
    return float(value)


def count(item: document.Item, *, least: int = 0) -> int:
    value = item.value
    if isinstance(value, bool) or not isinstance(value, int):
        raise item.place.error("must be a whole number")
    if value < least:
        raise item.place.error(f"must be at least {least}")
    return value


def seconds(item: document.Item) -> float:
    """Seconds as a number, or hours, minutes and seconds: ``1m30s``."""
    value = _duration(item) if isinstance(item.value, str) else number(item)
    if not 0.0 <= value <= MOST_SECONDS:
        raise item.place.error(
            f"must be between 0 and {MOST_SECONDS:g} seconds"
        )
    return value


def _duration(item: document.Item) -> float:
    found = _DURATION.fullmatch(str(item.value))
    if not item.value or found is None:
        raise item.place.error(
            "is no duration", "write seconds (90), or 1m30s"
        )
    return sum(
        float(amount) * _UNITS[unit]
        for unit, amount in found.groupdict().items()
        if amount
    )


def flag(item: document.Item) -> bool:
    if not isinstance(item.value, bool):
        raise item.place.error("must be true or false")
    return item.value


def texts(item: document.Item) -> tuple[str, ...]:
    """One, or a list of them; nothing is an empty list."""
    if item.value is None:
        return ()
    if isinstance(item.value, list):
        return tuple(text(one) for one in item.value)
    return (text(item),)


def one_of(
    item: document.Item, value: str, known: Collection[str], what: str
) -> str:
    """:raises ConfigError: it is none of these."""
    if value not in known:
        raise item.place.error(
            f"{value!r} is no {what}",
            f"there are: {', '.join(known) or 'none'}",
        )
    return value
