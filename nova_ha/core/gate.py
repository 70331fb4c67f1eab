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

"""The start gate: may a returned host start nova-compute and its guests?

After a fence the host's instances are on their way to other hosts. Were
nova-compute (or libvirt-guests) to start them here meanwhile, they would run
twice; and nova-compute flips migration records of evacuations that are still
in flight. So the start waits until every instance's fate is settled.
"""

from nova_ha.core.model import CaseState
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import RecoveryCase

_OVER = frozenset({CaseState.CLOSED, CaseState.CANCELLED})

# Why each of these forbids the start, and what the operator can expect.
_FORBIDS = {
    CaseState.SUSPECTED: "the engine still has to judge whether this host "
    "was lost; it cancels the case by itself once it sees this host's agent "
    "(is nova-ha-agent running here?)",
    CaseState.FENCING: "this host is being fenced: it may be powered off at "
    "any moment",
    CaseState.FENCE_FAILED: "fencing this host has failed and is tried "
    "again: repair its fence device, or confirm by hand",
    CaseState.FENCED: "this host was fenced, and its instances are about to "
    "be evacuated",
    CaseState.EVACUATING: "instances of this host are being evacuated",
}

_UNSETTLED = {
    MoveState.PENDING: "not moved yet",
    MoveState.REQUESTED: "evacuation requested",
    MoveState.RUNNING: "being evacuated",
    MoveState.RETRY: "evacuation to be tried again",
    MoveState.HELD: "held",
}

_SHOWN = 3
"""Instances named in a message; the case itself names all."""


def may_start(case: RecoveryCase | None) -> tuple[bool, str]:
    """Tell whether nova-compute and guests may start, and why (not).

    :param case: the open case of this host, None where there is none.
    """
    if case is None:
        return True, "no recovery case is open for this host"
    if case.state in _OVER:
        return True, f"recovery case {case.id} is {case.state}"
    if case.state in _FORBIDS:
        return False, _explain(case, _FORBIDS[case.state])
    unsettled = [move for move in case.moves if not move.state.final]
    if unsettled:
        return False, _explain(case, _describe(unsettled))
    return True, (
        f"recovery case {case.id} is {case.state}, and every instance of "
        "this host is accounted for"
    )


def _explain(case: RecoveryCase, why: str) -> str:
    held = f"; it is on hold: {case.hold}" if case.hold else ""
    message = f"; it says: {case.message}" if case.message else ""
    return (
        f"recovery case {case.id} of {case.host} is {case.state}: "
        f"{why}{held}{message}. See 'nova-ha case show {case.id}'"
    )


def _describe(moves: list[Move]) -> str:
    shown = ", ".join(
        f"{move.name or move.instance} ({_UNSETTLED[move.state]})"
        for move in moves[:_SHOWN]
    )
    more = len(moves) - _SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return f"{len(moves)} of its instances are not settled: {shown}{rest}"
