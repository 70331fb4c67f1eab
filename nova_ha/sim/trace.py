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

"""A run as people read it, and as it is compared with an earlier one.

One line an entry of the journal, with what an operator would want to see.
Ids that mean nothing are left out: a line changes only where the story does.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from nova_ha.sim import about
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import verbs

WORDS = {
    "machine.power-off": "power goes off",
    "machine.power-on": "power goes on",
    "machine.crashed": "crashed",
    "machine.booted": "has booted",
    "machine.frozen": "frozen",
    "machine.thawed": "goes on",
    "guest.started": "starts to run",
    "guest.stopped": "runs no more",
    "agent.started": "agent started",
    "agent.stopped": "agent stopped",
    "compute.started": "nova-compute started",
    "compute.stopped": "nova-compute stopped",
    "bmc.off-sent": "sends a power-off",
    "bmc.on-sent": "sends a power-on",
    "zookeeper.stopped": "no quorum",
    "zookeeper.started": "quorum again",
    "zookeeper.election": "elects a leader",
    "zookeeper.elected": "has a leader",
    "zookeeper.expired": "its ZooKeeper session has expired",
    "engine.started": "started",
    "engine.killed": "killed",
    "engine.frozen": "frozen",
    "engine.thawed": "goes on",
    "engine.leading": "leads",
}
"""What happens, in words; anything else is told by its code."""

_TOLD_BY_WORDS = "engine."
"""What these say is in the words; in which epoch an engine leads is a number
that means nothing to a reader."""

NOISE = frozenset(
    [
        "bmc.read",
        "bmc.off-done",
        "host.enrolled",
        "nova.evacuate-refused",
        "nova.evacuate-sent",
        "nova.evacuation-conducted",
    ]
)
"""What is for the checker only, or told by another entry."""

QUIET_STATUSES = frozenset(
    ["accepted", "pre-migrating", "queued", "preparing", "running", "done"]
)
"""Statuses of a migration record that the guests' own story tells."""

MARK = "!!!!"

_UUID = re.compile(
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b"
)

_GROUPED = frozenset(["guest.started", "guest.stopped"])


class Trace:
    """The lines of one run.

    :param entries: all of it; what was before its beginning is left out.
    :param marks: further lines, each with its moment, to stand out.
    """

    def __init__(
        self,
        entries: Iterable[journal_mod.Entry],
        marks: Iterable[tuple[float, str]] = (),
    ) -> None:
        shown = [one for one in entries if one.at >= 0.0 and _shown(one)]
        self._cases = _case_ids(shown)
        self._width = max((len(one.who) for one in shown), default=0)
        told = [(group[0].at, self._line(group)) for group in _groups(shown)]
        marked = [(at, f"{at:8.1f}  {MARK} {text}") for at, text in marks]
        both = sorted([*told, *marked], key=lambda pair: pair[0])
        self.lines = [line for _, line in both]

    def _line(self, group: Sequence[journal_mod.Entry]) -> str:
        first = group[0]
        words = [self._plain(_text(first))]
        words += [self._plain(one.message) for one in group[1:]]
        text = ", ".join(words)
        return f"{first.at:8.1f}  {first.who:<{self._width}}  {text}".rstrip()

    def _plain(self, text: str) -> str:
        """On one line, without ids."""
        for case, host in self._cases.items():
            text = text.replace(case, f"of {host}")
        return " ".join(_UUID.sub("<id>", text).split())


def _shown(entry: journal_mod.Entry) -> bool:
    if entry.what in NOISE:
        return False
    if entry.what == "nova.migration":
        return entry.details.get("status") not in QUIET_STATUSES
    group, _, name = entry.what.partition(".")
    verb = verbs.VERBS.get(name) if group == "fault" else None
    return verb is None or not verb.told


def _case_ids(entries: Iterable[journal_mod.Entry]) -> dict[str, str]:
    """The host of each case that an engine has told of; the longest ids
    first, since one can be the beginning of another."""
    found: dict[str, str] = {}
    for entry in entries:
        told = about.event(entry)
        if told is not None and told.case and told.host:
            found[told.case] = told.host
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _groups(
    entries: Iterable[journal_mod.Entry],
) -> Iterator[Sequence[journal_mod.Entry]]:
    """What happens to several guests of one host at the same time is one
    line."""
    for (_, _, what), group in itertools.groupby(
        entries, lambda one: (f"{one.at:.1f}", one.who, one.what)
    ):
        if what in _GROUPED:
            yield list(group)
        else:
            yield from ([one] for one in group)


def _text(entry: journal_mod.Entry) -> str:
    words = WORDS.get(entry.what)
    if words is None:
        return f"{entry.what} {entry.message}"
    if entry.what.startswith(_TOLD_BY_WORDS) or not entry.message:
        return words
    return f"{words}: {entry.message}"
