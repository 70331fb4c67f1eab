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

"""``nova-ha case ...``: the recoveries."""

import argparse
import json
from collections.abc import Iterable, Sequence
from typing import Any

from nova_ha import exception
from nova_ha.assembly import operator as assembly
from nova_ha.cmd import render
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import case_report
from nova_ha.cmd.commands import recoveries
from nova_ha.core import codec
from nova_ha.core import model

COLUMNS = (
    "Case",
    "Host",
    "State",
    "Hold",
    "Opened",
    "Age",
    "Moved",
    "Message",
)


class List(base.Lister):
    """List the open recovery cases."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--all",
            action="store_true",
            help="Those in the history, too.",
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        with self.context.store() as store:
            picture = store.picture()
            closed = store.history() if parsed_args.all else ()
        known = {case.id: case for case in closed}
        known |= {case.id: case for case in picture.cases.values()}
        cases = recoveries.by_age(known.values())
        if not cases:
            self.note(
                "There is no case." if parsed_args.all else "No case is open."
            )
        return COLUMNS, [_row(case, picture) for case in cases]


def _row(
    case: model.RecoveryCase, picture: assembly.Picture
) -> tuple[Any, ...]:
    done, total = recoveries.moved(case)
    return (
        render.plain(case.id),
        render.plain(case.host),
        case.state.value,
        base.Maybe(case.hold and case.hold.value),
        render.utc(case.opened_at),
        render.age(case.opened_at, picture.at),
        base.Maybe(f"{done}/{total}" if case.moves else None),
        render.plain(case.message),
    )


class Show(base.Report):
    """Report on a recovery case, open or closed.

    With a host's name: its open case, or else its latest one.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("case", metavar="CASE_OR_HOST")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        policy = assembly.policy(self.context.conf)
        with self.context.store() as store:
            picture = store.picture()
            case = find(parsed_args.case, picture, store)
            deeds = recoveries.meanwhile(case, store.trail.read())
        self.show(
            parsed_args,
            data(case),
            case_report.text(case, deeds, picture.at, policy.soak_time),
        )


class Export(base.Command):
    """Write closed cases for an archive, one JSON object a line.

    All that the history holds, the oldest first, or those that are named.
    The history keeps the newest 200: whoever wants more exports them in time.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("cases", metavar="CASE", nargs="*")
        parser.add_argument(
            "-f",
            "--format",
            choices=("json",),
            default="json",
            help="json: one object a line, as 'case show -f json' shows it.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        with self.context.store() as store:
            closed = {case.id: case for case in store.history()}
        wanted = parsed_args.cases or closed
        missing = sorted(set(wanted) - closed.keys())
        if missing:
            raise exception.CoordinationError(
                f"no closed case is called {', '.join(missing)} (nova-ha case "
                "list --all)"
            )
        for case in recoveries.by_age(closed[name] for name in set(wanted)):
            self.say(json.dumps(data(case), separators=(",", ":")))


def find(
    name: str, picture: assembly.Picture, store: assembly.Store
) -> model.RecoveryCase:
    """The case that is called so, or that is the latest of a host.

    :raises CoordinationError: there is none.
    """
    for case in picture.cases.values():
        if name in (case.id, case.host):
            return case
    closed = [case for case in store.history() if name in (case.id, case.host)]
    if not closed:
        raise exception.CoordinationError(
            f"no case {name!r}, and none of such a host (nova-ha case list "
            "--all)"
        )
    return recoveries.by_age(closed)[-1]


def data(case: model.RecoveryCase) -> dict[str, Any]:
    """A case as one object, in the names in which it is stored."""
    values: dict[str, Any] = json.loads(codec.encode(case, case.id))
    values["format"] = values.pop("v")
    values["phases"] = [
        {
            "phase": name,
            "at": render.instant(at),
            "seconds": step,
            "since_opened": since,
        }
        for name, at, step, since in recoveries.phases(case)
    ]
    return values
