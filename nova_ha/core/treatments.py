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


"""What is done with an instance by its vm_state and its task_state.

Nova evacuates what is active, stopped or in error, and looks at no task. A
state that it refuses is only a word in its database, which an administrator
can change (os-resetState). That is done where the disk of the instance is
whole and nothing but memory is lost; everything else is left and reported.
"""

import enum

from nova_ha.core import model
from nova_ha.core.model import record
from nova_ha.core.rules import Rules

ANY = "any"


class Way(enum.StrEnum):
    """How an instance is treated."""

    EVACUATE = "evacuated"
    RESET = "reset to active, then evacuated"
    LEAVE = "left, reported"


@record
class Row:
    """One row of the matrix; the first that fits counts."""

    vm_states: tuple[str, ...]
    task_states: tuple[str, ...] = (ANY,)
    way: Way
    reason: str

    def fits(self, instance: model.Instance) -> bool:
        return _in(instance.vm_state, self.vm_states) and _in(
            instance.task_state or "none", self.task_states
        )


def _in(state: str, states: tuple[str, ...]) -> bool:
    return states == (ANY,) or state in states


MATRIX = (
    Row(
        vm_states=(ANY,),
        task_states=("deleting", "soft-deleting"),
        way=Way.LEAVE,
        reason="it is being deleted",
    ),
    Row(
        vm_states=("deleted", "soft-delete", "soft_deleted"),
        way=Way.LEAVE,
        reason="it has been deleted, and could at most be restored",
    ),
    Row(
        vm_states=("building",),
        way=Way.LEAVE,
        reason="it has never been started, so nothing of it is lost: boot it "
        "anew",
    ),
    Row(
        vm_states=("active",),
        way=Way.EVACUATE,
        reason="it is started again; a task under way has ended with its host",
    ),
    Row(
        vm_states=("stopped",),
        way=Way.EVACUATE,
        reason="it comes back stopped; a task under way has ended with its "
        "host",
    ),
    Row(
        vm_states=("error",),
        way=Way.EVACUATE,
        reason="Nova starts it, whatever it was; one that was off is stopped "
        "again",
    ),
    Row(
        vm_states=("paused",),
        way=Way.RESET,
        reason="its memory is lost with its host; its disk is whole, and it "
        "is started from that",
    ),
    Row(
        vm_states=("rescued",),
        way=Way.RESET,
        reason="its own disk is whole, and it is started from that; the "
        "rescue system is gone",
    ),
    Row(
        vm_states=("suspended",),
        way=Way.RESET,
        reason="its saved memory is on its host, and lost if it is started "
        "elsewhere",
    ),
    Row(
        vm_states=("resized",),
        way=Way.LEAVE,
        reason="its resize is neither confirmed nor reverted, and its former "
        "host still has its former disk",
    ),
    Row(
        vm_states=("shelved", "shelved_offloaded"),
        way=Way.LEAVE,
        reason="it is shelved: nothing of it runs, and it can be unshelved "
        "once its host is back",
    ),
)
"""Checked against ``doc/source/concepts/instances.rst`` by a test."""

UNKNOWN = Row(
    vm_states=(ANY,),
    way=Way.LEAVE,
    reason="nova_ha does not know this state",
)

NEVER_STARTED = "it has never been started"
"""Nova refuses these in every state."""


def row_for(instance: model.Instance) -> Row:
    """The row that tells what is done with an instance."""
    return next((row for row in MATRIX if row.fits(instance)), UNKNOWN)


def left(instance: model.Instance, rules: Rules) -> str:
    """Why its state keeps an instance from being evacuated; empty if it does
    not."""
    row = row_for(instance)
    if row.way is Way.LEAVE:
        return f"{instance.vm_state}: {row.reason}"
    if row.way is Way.RESET and instance.vm_state not in rules.reset_states:
        return f"{instance.vm_state}: {row.reason}"
    return "" if instance.launched else NEVER_STARTED


def to_be_reset(instance: model.Instance) -> bool:
    """Whether Nova refuses its state, which :func:`left` does not mind."""
    return row_for(instance).way is Way.RESET
