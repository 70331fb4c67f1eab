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

"""``nova-ha host list | show``: the hypervisors."""

import argparse
import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from nova_ha import exception
from nova_ha.assembly.operator import Picture
from nova_ha.cmd import render
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import devices
from nova_ha.cmd.commands import overview
from nova_ha.cmd.commands import recoveries
from nova_ha.core import model
from nova_ha.core.model import HostName

COLUMNS = (
    "Host",
    "State",
    "Reason",
    "Schedulable",
    "Agent",
    "Boot",
    "Guests",
    "Checks",
    "Fencing",
    "Flags",
    "Case",
)


class List(base.Lister):
    """List all hosts that are enrolled or have an agent."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        with self.context.store() as store:
            found = rows(store.picture())
        if not found:
            self.note("No host is known: no agent has ever run.")
        return COLUMNS, found


class Show(base.Report):
    """Show everything that is known of a host."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        host = HostName(parsed_args.host)
        with self.context.store() as store:
            picture = store.picture()
        known(picture, host)
        self.show(parsed_args, data(picture, host), text(picture, host))


def known(picture: Picture, host: HostName) -> None:
    """:raises CoordinationError: nothing is known of such a host."""
    names = overview.names(picture)
    if host in names:
        return
    near = [one for one in names if one.partition(".")[0] == host]
    hint = f"; do you mean {render.names(near)}?" if near else ""
    raise exception.CoordinationError(
        f"host {host!r} is not known{hint} (nova-ha host list; names are "
        "exactly as Nova spells them)"
    )


# -- the list ----------------------------------------------------------------


def rows(picture: Picture) -> list[tuple[Any, ...]]:
    """The cells of the list, sorted by host."""
    return [_row(picture, host) for host in overview.names(picture)]


def _row(picture: Picture, host: HostName) -> tuple[Any, ...]:
    known = overview.facts(picture, host)
    verdict = overview.judged(picture, host)
    case = picture.cases.get(host)
    beacon = known.beacon
    return (
        render.plain(host),
        overview.state(verdict),
        verdict.reason.value,
        base.Choice(overview.schedulable(picture, host).schedulable),
        base.Maybe(beacon and render.plain(beacon.agent_version)),
        base.Maybe(beacon and render.plain(beacon.boot_id[:8])),
        base.Maybe(overview.guests(known)),
        render.plain(overview.checks(beacon)),
        base.Maybe(devices.word(known.record)),
        base.Maybe(", ".join(flags(known.record))),
        base.Maybe(case and case.state.value),
    )


def flags(record: model.HostRecord | None) -> list[str]:
    """What sets a host apart."""
    if record is None:
        return ["not enrolled"]
    found = []
    if record.protected:
        found.append("protected")
    if record.maintenance:
        found.append("maintenance")
    if record.quarantine is not None:
        found.append("quarantine")
    if record.reserved:
        found.append("reserved")
    return found


# -- one host ----------------------------------------------------------------


def data(picture: Picture, host: HostName) -> dict[str, Any]:
    """Everything about a host as one object."""
    known = overview.facts(picture, host)
    verdict = overview.judged(picture, host)
    published = picture.verdicts.get(host)
    case = picture.cases.get(host)
    return {
        "host": host,
        "state": overview.state(verdict),
        "verdict": verdict.kind.value,
        "reason": verdict.reason.value,
        "explanation": recoveries.explain(verdict),
        "schedulable": overview.schedulable(picture, host).schedulable,
        "schedulable_reason": overview.schedulable(picture, host).reason,
        "published_at": render.instant(_published_at(picture, host)),
        "message": None if published is None else published.message,
        "case": None if case is None else case.id,
        "case_state": None if case is None else case.state.value,
        "record": _record(known.record),
        "fencing": _fencing(known.record),
        "agent": _agent(known.beacon),
        "goodbye": _goodbye(known.goodbye),
        "guests": _guests(known),
    }


def _published_at(
    picture: Picture, host: HostName
) -> datetime.datetime | None:
    published = picture.verdicts.get(host)
    return None if published is None else published.at


def _record(record: model.HostRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "service_id": record.service_id,
        "machine_id": record.machine_id,
        "system_uuid": record.system_uuid,
        "failure_domain": record.failure_domain,
        "storage_domain": record.storage_domain,
        "proven_storage": record.proven_storage,
        "protected": record.protected,
        "maintenance": record.maintenance,
        "reserved": record.reserved,
        "quarantine": None
        if record.quarantine is None
        else record.quarantine.reason,
        "deaths": [render.instant(one) for one in record.incidents],
        "enrolled_at": render.instant(record.enrolled_at),
    }


def _fencing(record: model.HostRecord | None) -> dict[str, Any] | None:
    return None if record is None else devices.of_record(record)


def _agent(beacon: model.Beacon | None) -> dict[str, Any] | None:
    if beacon is None:
        return None
    return {
        "version": beacon.agent_version,
        "boot_id": beacon.boot_id,
        "machine_id": beacon.machine_id,
        "system_uuid": beacon.system_uuid,
        "colocated": sorted(beacon.colocated),
        "session": f"{beacon.session:#x}",
        "checks": [
            {"name": check.name, "ok": check.ok, "detail": check.detail}
            for check in sorted(beacon.checks, key=lambda check: check.name)
        ],
    }


def _goodbye(goodbye: model.Goodbye | None) -> dict[str, Any] | None:
    if goodbye is None:
        return None
    return {
        "reason": goodbye.reason.value,
        "said_at": render.instant(goodbye.said_at),
        "ttl": goodbye.ttl,
    }


def _guests(known: model.HostFacts) -> dict[str, Any] | None:
    inventory = known.inventory
    if inventory is None:
        return None
    return {
        "current": overview.guests(known) is not None,
        "boot_id": inventory.boot_id,
        "sequence": inventory.sequence,
        "ids": sorted(inventory.guests),
    }


def text(picture: Picture, host: HostName) -> str:
    """Everything about a host as people read it."""
    known = overview.facts(picture, host)
    verdict = overview.judged(picture, host)
    published = picture.verdicts.get(host)
    case = picture.cases.get(host)
    judged = overview.schedulable(picture, host)
    words = "yes" if judged.schedulable else "no"
    head = {
        "Host": host,
        "State": f"{overview.state(verdict)}: {recoveries.explain(verdict)}",
        "Schedulable": f"{words}: {judged.reason}" if judged.reason else words,
        "Case": f"{case.id}: {case.state.value}" if case else "none open",
        "Says": published.message if published else "-",
        "Published": render.when(_published_at(picture, host), picture.at),
    }
    parts = [
        render.fields(head),
        _section("Enrolment", _record(known.record), "not enrolled"),
        _section("Fencing", _fencing(known.record), ""),
        _section("Agent", _agent(known.beacon), "no beacon"),
        _checks(known.beacon),
        _section("Goodbye", _goodbye(known.goodbye), ""),
        _guest_list(known),
    ]
    return "\n\n".join(part for part in parts if part)


def _section(title: str, values: dict[str, Any] | None, none: str) -> str:
    if values is None:
        return f"{title}: {none}" if none else ""
    shown = {
        name.replace("_", " "): ", ".join(value)
        if isinstance(value, list)
        else value
        for name, value in values.items()
        if name != "checks"
    }
    lines = render.fields(render.without_nothing(shown), indent="  ")
    return f"{title}\n{lines}"


def _checks(beacon: model.Beacon | None) -> str:
    if beacon is None or not beacon.checks:
        return ""
    return render.table(
        ("Check", "Result", "Detail"),
        [
            (check.name, "ok" if check.ok else "FAILED", check.detail)
            for check in sorted(beacon.checks, key=lambda check: check.name)
        ],
    )


def _guest_list(known: model.HostFacts) -> str:
    inventory = known.inventory
    if inventory is None:
        return "Guests: not known"
    if overview.guests(known) is None:
        title = "Guests, as last reported (not current)"
    else:
        title = "Guests that run there now"
    ids = "\n".join(f"  {one}" for one in sorted(inventory.guests))
    return f"{title}: {len(inventory.guests)}" + (f"\n{ids}" if ids else "")
