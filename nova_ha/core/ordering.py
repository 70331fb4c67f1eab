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


"""Which instances go first, and which wait for others.

A priority is a number from 0 to 1000 in the metadata of an instance; the
highest goes first. Priorities can be cut into groups: nothing of a group is
sent before all of the groups above have come to rest.
"""

from collections.abc import Collection, Iterable

from nova_ha.core import model
from nova_ha.core import rules as rules_mod
from nova_ha.core.rules import Rules


def priority(instance: model.Instance, rules: Rules) -> tuple[int, str]:
    """The priority of an instance, and what is wrong with what it says."""
    text = instance.metadata.get(rules.priority_metadata)
    if text is None or not rules.priority_metadata:
        return rules.default_priority, ""
    word = text.strip()
    if word.isascii() and word.isdigit() and len(word) <= len("1000"):
        number = int(word)
        if number <= rules_mod.HIGHEST:
            return number, ""
    return rules.default_priority, (
        f"its {rules.priority_metadata} is no number from 0 to "
        f"{rules_mod.HIGHEST}"
    )


def arranged(moves: Iterable[model.Move]) -> tuple[model.Move, ...]:
    """The highest priority first; otherwise as they are."""
    return tuple(sorted(moves, key=lambda move: -move.priority))


def group(move: model.Move, rules: Rules) -> int:
    """The number of a move's group; 0 goes first."""
    return sum(move.priority < start for start in rules.priority_groups)


def sendable(
    moves: Collection[model.Move],
    restless: Collection[model.Move],
    rules: Rules,
) -> list[model.Move]:
    """Those of the moves whose turn it is.

    :param restless: those of them that have not come to rest.
    """
    turn = min(
        (group(move, rules) for move in restless),
        default=len(rules.priority_groups),
    )
    return [move for move in moves if group(move, rules) <= turn]
