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

"""Failed evacuations: an operator decides what becomes of them.

Nova has been asked to move such an instance and has not. It is still booked on
its host, perhaps in ERROR, so that nova-compute does not start it there when
the host is back; and perhaps something of it is left where the attempt failed.
To put the host back into service as if nothing had happened would leave it
down without a word. What was left by a rule was decided before, and what was
never asked for has not failed: that is there again with its host.
"""

from nova_ha.core import model
from nova_ha.core import surveys
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState
from nova_ha.core.model import Severity
from nova_ha.core.work import Work

NAMED = 5
"""How many instances a message names."""


def undecided(case: model.RecoveryCase) -> tuple[Move, ...]:
    """The failed evacuations of a case that nobody has decided about."""
    return tuple(
        move
        for move in case.moves
        if move.state is MoveState.FAILED
        and move.attempts > 0
        and move.instance not in case.accepted
    )


def names(left: tuple[Move, ...]) -> str:
    """Who they are, as long as they are not too many to read."""
    text = ", ".join(move.name or move.instance for move in left[:NAMED])
    more = len(left) - NAMED
    return f"{text} and {more} more" if more > 0 else text


def take(work: Work) -> None:
    """Make an operator's decision part of the case, once. It is about what
    has failed until then: what fails later is another matter."""
    view = work.view
    record = None if view is None else view.facts.record
    word = None if record is None else record.acceptance
    if word is None or word.case != work.case.id:
        return
    if word == work.case.acceptance:
        return
    left = undecided(work.case)
    accepted = {*work.case.accepted, *(move.instance for move in left)}
    work.update(acceptance=word, accepted=tuple(sorted(accepted)))
    if left:
        work.tell("case.accepted", f"{word.by} leaves {names(left)} on it")


def keep_out(work: Work) -> bool:
    """Whether a returned host has to wait for a decision; says so, and looks
    from time to time whether somebody has moved or deleted what is left."""
    left = undecided(work.case)
    if not left:
        return False
    message = (
        f"{len(left)} failed evacuations: {names(left)}. It stays disabled "
        f"until they are gone from it, or `nova-ha host release "
        f"{work.case.host}` leaves them on it"
    )
    if message != work.case.message:
        work.wait_for(message)
        work.tell("case.undecided", message, Severity.ALARM)
    surveys.survey_if_due(work, slowly=True)
    return True
