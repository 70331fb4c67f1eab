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

"""What a recovery case has to say: from its record to words. No I/O."""

import collections
import datetime
from collections.abc import Iterable

from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.core import verdict as verdict_mod


def explain(verdict: model.Verdict) -> str:
    """A verdict as a sentence."""
    text = verdict_mod.EXPLAIN[verdict.reason]
    return f"{text} ({verdict.detail})" if verdict.detail else text


def case_message(case: model.RecoveryCase) -> str:
    """What is going on in a case, in one line."""
    held = f"held ({case.hold.value}): " if case.hold else ""
    text = case.message or explain(case.verdict)
    moves = progress(case)
    return f"{held}{text}" + (f"; {moves}" if moves else "")


def moved(case: model.RecoveryCase) -> tuple[int, int]:
    """Instances that run elsewhere by now, and all that had to move."""
    left = (
        model.MoveState.GONE,
        model.MoveState.SKIPPED,
        model.MoveState.EXCLUDED,
    )
    wanted = [move for move in case.moves if move.state not in left]
    done = [move for move in wanted if move.state is model.MoveState.DONE]
    return len(done), len(wanted)


def progress(case: model.RecoveryCase) -> str:
    """How far the instances are, in words; empty where none are listed."""
    if not case.moves:
        return ""
    counts = collections.Counter(move.state.value for move in case.moves)
    parts = ", ".join(
        f"{counts[one.value]} {one.value}"
        for one in model.MoveState
        if counts[one.value]
    )
    return f"{len(case.moves)} instances: {parts}"


def phases(
    case: model.RecoveryCase,
) -> list[tuple[str, datetime.datetime, float, float]]:
    """The steps of a case in the order of their times: name, time, seconds
    since the step before, seconds since it was opened."""
    steps = sorted(case.times.items(), key=lambda step: step[1])
    found = []
    before = case.opened_at
    for name, at in [("opened", case.opened_at), *steps]:
        found.append(
            (
                name,
                at,
                (at - before).total_seconds(),
                (at - case.opened_at).total_seconds(),
            )
        )
        before = at
    return found


def soak_left(
    case: model.RecoveryCase, now: datetime.datetime, soak_time: float
) -> float | None:
    """Seconds until a returned host is back in service; None while it does
    not soak."""
    if case.state is not model.CaseState.SOAKING:
        return None
    return max(0.0, soak_time - (now - case.since).total_seconds())


def by_age(cases: Iterable[model.RecoveryCase]) -> list[model.RecoveryCase]:
    """Cases, the oldest first."""
    return sorted(cases, key=lambda case: (case.opened_at, case.id))


def meanwhile(
    case: model.RecoveryCase, deeds: Iterable[audit.Entry]
) -> list[audit.Entry]:
    """What operators did to the power of a case's host while it was open."""
    over = model.CaseState.CLOSED, model.CaseState.CANCELLED
    ended = case.since if case.state in over else None
    return [
        deed
        for deed in deeds
        if deed.host == case.host
        and case.opened_at <= deed.at
        and (ended is None or deed.at <= ended)
    ]
