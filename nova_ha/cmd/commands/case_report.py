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

"""A recovery case as a report that people read."""

import datetime
from collections.abc import Iterable, Iterator

from nova_ha.cmd import render
from nova_ha.cmd.commands import advice
from nova_ha.cmd.commands import recoveries
from nova_ha.core import audit
from nova_ha.core import model

_OURS = {
    model.Ownership.NONE: "not set",
    model.Ownership.INTENDED: "being set by this case",
    model.Ownership.OURS: "set by this case",
    model.Ownership.FOREIGN: "set by somebody else: left alone",
}


def text(
    case: model.RecoveryCase,
    deeds: Iterable[audit.Entry],
    now: datetime.datetime,
    soak_time: float,
) -> str:
    """The whole report.

    :param deeds: what operators did to the host's power meanwhile.
    """
    return "\n\n".join(_parts(case, deeds, now, soak_time))


def _parts(
    case: model.RecoveryCase,
    deeds: Iterable[audit.Entry],
    now: datetime.datetime,
    soak_time: float,
) -> Iterator[str]:
    yield render.fields(_head(case, now, soak_time))
    yield "Times\n" + _times(case)
    if case.story:
        yield "Steps\n" + _story(case)
    yield _evidence(case)
    if case.attempts:
        yield "Questions and commands to devices\n" + _attempts(case)
    asked = sorted(deeds, key=lambda deed: deed.at)
    if asked:
        yield "Operators\n" + _deeds(asked)
    yield _instances(case)


def _head(
    case: model.RecoveryCase, now: datetime.datetime, soak_time: float
) -> dict[str, object]:
    over = case.state in (model.CaseState.CLOSED, model.CaseState.CANCELLED)
    head: dict[str, object] = {
        "Case": case.id,
        "Host": case.host,
        "State": f"{case.state.value} since {render.when(case.since, now)}",
        "Held": case.hold.value if case.hold else "-",
        "Says": case.message or "-",
        "To do": "nothing" if over else advice.for_case(case, now, soak_time),
        "Verdict": f"{case.verdict.kind.value} "
        f"({case.verdict.reason.value}): {recoveries.explain(case.verdict)}",
        "Boot lost": case.boot_id or "never seen",
        "Nova service": case.service_id or "-",
        "Forced down": _OURS[case.force_down],
        "Disabled": _OURS[case.disable],
        "Epoch": case.epoch,
    }
    if not case.hold:
        del head["Held"]
    return head


def _times(case: model.RecoveryCase) -> str:
    return render.table(
        ("Step", "Time", "After", "Since opened"),
        [
            (name, _clock(at), f"+{step:.3f} s", f"{since:.3f} s")
            for name, at, step, since in recoveries.phases(case)
        ],
    )


def _story(case: model.RecoveryCase) -> str:
    return render.table(
        ("Time", "Step", "Message"),
        [
            (_clock(line.at), line.code, line.message or "-")
            for line in case.story
        ],
    )


def _deeds(deeds: Iterable[audit.Entry]) -> str:
    return render.table(
        ("Time", "Who", "Did", "Result", "Why"),
        [
            (
                _clock(deed.at),
                deed.by,
                deed.deed.value,
                deed.result.value,
                deed.reason or "-",
            )
            for deed in deeds
        ],
    )


def _clock(at: datetime.datetime) -> str:
    return (
        at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    )


def _evidence(case: model.RecoveryCase) -> str:
    evidence = case.evidence
    if evidence is None:
        sent = "may have been sent" if case.off_sent else "was sent"
        none = "none: " + (
            "a power-off " if case.off_sent else "no power-off "
        )
        return f"Proof that the host is off: {none}{sent}"
    pairs = {
        "kind": evidence.kind.value,
        "by": evidence.by,
        "seen at": _clock(evidence.seen_at),
        "detail": evidence.detail,
    }
    lines = render.fields(render.without_nothing(pairs), indent="  ")
    return f"Proof that the host is off\n{lines}"


def _attempts(case: model.RecoveryCase) -> str:
    return render.table(
        ("Time", "Device", "Command", "Answer", "Took"),
        [
            (
                _clock(one.at),
                one.device,
                one.command,
                one.result,
                f"{one.seconds:.1f} s",
            )
            for one in case.attempts
        ],
    )


def _instances(case: model.RecoveryCase) -> str:
    if not case.moves:
        listed = "none" if case.surveyed else "not listed yet"
        return f"Instances: {listed}"
    moves = sorted(case.moves, key=lambda move: (move.name, move.instance))
    table = render.table(
        (
            "Name",
            "Id",
            "From",
            "To",
            "State",
            "Was",
            "Tries",
            "Done",
            "Reason",
        ),
        [
            (
                move.name or "-",
                move.instance,
                case.host,
                move.target or "-",
                move.state.value,
                move.was or "-",
                move.attempts,
                render.utc(move.done_at),
                move.reason or "-",
            )
            for move in moves
        ],
    )
    counts = recoveries.progress(case).partition(": ")
    return f"Instances: {counts[0].split()[0]} ({counts[2]})\n{table}"
