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

"""Where the stories are, and what their golden traces show."""

import itertools
import pathlib
import re
from collections.abc import Iterator

import yaml

from nova_ha.core.model import CaseState

HERE = pathlib.Path(__file__).parent

Change = tuple[CaseState, CaseState]

_TOLD = re.compile(
    r" *[\d.]+  (?P<engine>\S+) +case\.(?P<code>\w+) (?P<host>\S+):"
)
_STATES = {state.value.replace("-", "_"): state for state in CaseState}
_BEGINNING = "opened"
_INTERRUPTED = "taken_over"


def folders() -> list[pathlib.Path]:
    """One for each scenario, by name."""
    return sorted(path.parent for path in HERE.glob("*/script.yaml"))


def changes(folder: pathlib.Path) -> set[Change]:
    """The changes of cases' states that a scenario's trace tells of."""
    found: set[Change] = set()
    states: dict[str, CaseState | None] = {}
    for code, host in _told(folder):
        if code in (_BEGINNING, _INTERRUPTED):
            # Whose predecessor has died may have been told of too little.
            begins = code == _BEGINNING
            states[host] = CaseState.SUSPECTED if begins else None
            continue
        before, after = states.get(host), _STATES.get(code)
        if after is not None:
            states[host] = after
            if before is not None:
                found.add((before, after))
    return found


def _told(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Each code of a case, without its group, and the host."""
    text = (folder / "trace.txt").read_text(encoding="utf-8")
    for match in filter(None, map(_TOLD.match, text.splitlines())):
        yield match["code"], match["host"]


def invariants() -> dict[int, list[str]]:
    """Which scenarios show each invariant, as the file INVARIANTS says."""
    text = (HERE / "INVARIANTS").read_text(encoding="utf-8")
    return {
        int(title.split()[0]): names
        for title, names in yaml.safe_load(text).items()
    }


def all_changes() -> set[Change]:
    """Those of all scenarios."""
    return set(itertools.chain.from_iterable(map(changes, folders())))
