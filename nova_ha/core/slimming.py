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

"""A case that is too large for one znode: what can be left out.

A move takes some 480 bytes, so the limit is met by a host with more than
1,850 instances, and by histories full of texts. Nothing is left out that a
successor would need: the state, target and record of every move stay, and all
that is known of those that are not over.
"""

import dataclasses

from nova_ha import exception
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core import texts

WORDS = 200
"""Characters that are left of a text."""

ATTEMPTS = 5
"""Fence attempts that are left: the latest."""

LINES = 40
"""Lines of its story that are left: the latest."""


def encode(
    case: model.RecoveryCase, where: str, wanted: int = codec.MAX_BYTES
) -> bytes:
    """The payload of a case, whole if it fits into ``wanted`` bytes.

    :raises PayloadError: it is larger than :data:`codec.MAX_BYTES` even so.
    """
    try:
        whole = codec.encode(case, where)
    except exception.PayloadTooLarge:
        return codec.encode(slim(case), where)
    if len(whole) <= wanted:
        return whole
    return codec.encode(slim(case), where)


def slim(case: model.RecoveryCase) -> model.RecoveryCase:
    """The case without what only people read."""
    return dataclasses.replace(
        case,
        message=texts.clip(case.message, WORDS),
        doubt=texts.clip(case.doubt, WORDS),
        attempts=tuple(
            dataclasses.replace(one, result=texts.clip(one.result, WORDS))
            for one in case.attempts[-ATTEMPTS:]
        ),
        moves=tuple(_slim_move(move) for move in case.moves),
        story=case.story[-LINES:],
    )


def _slim_move(move: model.Move) -> model.Move:
    reason = texts.clip(move.reason, WORDS)
    if not move.final:
        return dataclasses.replace(move, reason=reason)
    good = move.state in (model.MoveState.DONE, model.MoveState.GONE)
    return dataclasses.replace(
        move,
        name="" if good else move.name,
        note="" if good else texts.clip(move.note, WORDS),
        was="",
        was_off=move.was_off and move.repair,
        reason="" if good else reason,
        resources={},
        requested_at=None,
        done_at=None,
    )
