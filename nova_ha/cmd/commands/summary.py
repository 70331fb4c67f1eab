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

"""The status as text and as one object."""

import datetime
from typing import Any

from nova_ha.cmd import render
from nova_ha.cmd.commands import devices
from nova_ha.cmd.commands import recoveries
from nova_ha.cmd.commands import reserve
from nova_ha.cmd.commands.overview import Overview
from nova_ha.cmd.commands.overview import Row
from nova_ha.core import model

# -- for people --------------------------------------------------------------


def text(summary: Overview) -> str:
    """The status as people read it."""
    parts = [render.fields(head(summary))]
    parts += [_problems(summary)] if summary.problems else []
    parts += [_rows(summary)] if summary.rows else []
    if summary.well:
        parts.append("All is well.")
    return "\n\n".join(parts)


def head(summary: Overview) -> dict[str, str]:
    """The summary, line by line."""
    return {
        "Time": render.utc(summary.picture.at),
        "Switches": switches(summary.picture.control, summary.picture.at),
        "Engines": engines_in_words(summary),
        "Hosts": _hosts(summary),
        "Brake": _brake(summary),
        "Cases": _cases(summary),
        "Fencing": devices.line(summary.picture),
        "Quarantine": _quarantine(summary) or "none",
        "Reserve": reserve.line(summary.picture) or "none",
    }


def switches_in_words(control: model.Control) -> str:
    """The operator's switches alone."""
    words = "ARMED" if control.armed else "DISARMED"
    return f"{words}, PAUSED" if control.paused else words


def switches(control: model.Control, now: datetime.datetime) -> str:
    """The operator's switches, by whom and when."""
    words = switches_in_words(control)
    if control.by:
        words += f"; by {control.by}"
    if control.at is not None:
        words += f", {render.when(control.at, now)}"
    if control.reason:
        words += f": {control.reason}"
    return words


def engines_in_words(summary: Overview) -> str:
    """Who leads, and who stands by."""
    leader = summary.leader
    words = f"{leader.engine} leads" if leader else "NONE LEADS"
    standby = render.names(one.engine for one in summary.standby)
    return f"{words}; standing by: {standby or 'none'}"


def _hosts(summary: Overview) -> str:
    counts = ", ".join(
        f"{count} {state}"
        for state, count in sorted(
            summary.by_state.items(), key=lambda item: (-item[1], item[0])
        )
    )
    total = sum(summary.by_state.values())
    return f"{total}" + (f": {counts}" if counts else "")


def _brake(summary: Overview) -> str:
    words = (
        f"{summary.counted} of {summary.load.monitored} hosts suspect, in "
        f"recovery or just switched off, {summary.limit} allowed at a time"
    )
    if not summary.storm:
        return words
    held = "; ".join(
        f"{rule}: {render.names(hosts)}"
        for rule, hosts in summary.held.items()
    )
    names = render.names(summary.load.counted)
    return f"STORM: nothing new is fenced; held by {held}; {words} ({names})"


def _quarantine(summary: Overview) -> str:
    return "; ".join(
        f"{host}: {one.reason}" for host, one in summary.quarantined.items()
    )


def _cases(summary: Overview) -> str:
    cases = recoveries.by_age(summary.picture.cases.values())
    if not cases:
        return "none open"
    hosts = render.names(case.host for case in cases)
    return f"{len(cases)} open: {hosts}"


def _problems(summary: Overview) -> str:
    lines = [f"  ! {one.what}\n    -> {one.todo}" for one in summary.problems]
    return "\n".join(["Needs attention:", *map(_plain_lines, lines)])


def _plain_lines(lines: str) -> str:
    return "\n".join(map(render.plain, lines.split("\n")))


def _rows(summary: Overview) -> str:
    now = summary.picture.at
    return render.table(
        (
            "Host",
            "Verdict",
            "Reason",
            "Case",
            "For",
            "What is going on",
            "What to do",
        ),
        [
            (
                row.host,
                row.verdict.kind.value,
                row.verdict.reason.value,
                _state_of_case(row.case),
                render.age(row.since, now),
                row.message,
                row.todo,
            )
            for row in summary.rows
        ],
    )


def _state_of_case(case: model.RecoveryCase | None) -> str:
    if case is None:
        return "-"
    return case.state.value + (" (held)" if case.hold else "")


# -- for programs ------------------------------------------------------------


def data(summary: Overview) -> dict[str, Any]:
    """The same as one object."""
    picture = summary.picture
    control = picture.control
    return {
        "at": render.instant(picture.at),
        "well": summary.well,
        "switches": {
            "armed": control.armed,
            "paused": control.paused,
            "by": control.by,
            "at": render.instant(control.at),
            "reason": control.reason,
        },
        "engines": {
            "leader": None
            if summary.leader is None
            else summary.leader.engine,
            "epoch": None if summary.leader is None else summary.leader.epoch,
            "standby": sorted(one.engine for one in summary.standby),
        },
        "hosts": {
            "total": sum(summary.by_state.values()),
            "by_state": dict(sorted(summary.by_state.items())),
        },
        "brake": {
            "monitored": summary.load.monitored,
            "counted": summary.counted,
            "allowed": summary.limit,
            "suspect": sorted(summary.load.suspects),
            "in_recovery": sorted(summary.load.busy),
            "switched_off": sorted(summary.load.fenced),
            "storm": summary.storm,
            "held": dict(summary.held),
        },
        "quarantined": _quarantined(summary),
        "reserve": reserve.data(picture),
        "fencing": devices.data(picture),
        "open_cases": len(picture.cases),
        "problems": [
            {"what": one.what, "what_to_do": one.todo}
            for one in summary.problems
        ],
        "attention": [_row_data(row) for row in summary.rows],
    }


def _quarantined(summary: Overview) -> list[dict[str, Any]]:
    return [
        {
            "host": host,
            "reason": one.reason,
            "since": render.instant(one.since),
        }
        for host, one in summary.quarantined.items()
    ]


def _row_data(row: Row) -> dict[str, Any]:
    case = row.case
    return {
        "host": row.host,
        "verdict": row.verdict.kind.value,
        "reason": row.verdict.reason.value,
        "case": None if case is None else case.id,
        "case_state": None if case is None else case.state.value,
        "hold": None if case is None or case.hold is None else case.hold.value,
        "since": render.instant(row.since),
        "message": row.message,
        "what_to_do": row.todo,
        "urgent": row.urgent,
    }
