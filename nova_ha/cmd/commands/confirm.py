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

"""``nova-ha confirm-fenced``: an operator vouches that a host is off."""

import argparse

from nova_ha import exception
from nova_ha.assembly.operator import Picture
from nova_ha.cmd import render
from nova_ha.cmd.commands import advice
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import host as host_module
from nova_ha.cmd.commands import overview
from nova_ha.cmd.commands import recoveries
from nova_ha.core import model
from nova_ha.core.model import HostName

_MEANING = """\
You assert that {host} is POWERED OFF, and that no guest of it can write to
its disks any more. Its instances will be started on other hosts at once.
If it is not off, disks WILL be corrupted."""


class ConfirmFenced(base.Command):
    """Vouch that a host is off, where no device can prove it.

    Good for the open case of that host and for the boot that was lost, and
    used up by it. Refused where no case waits for a proof, or where the host's
    agent shows that it is alive.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        parser.add_argument(
            "--comment",
            default="",
            help="How you know; kept with the case as its evidence.",
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Do not ask for the host's name again.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        host = HostName(parsed_args.host)
        with self.context.store() as store:
            picture = store.picture()
            case = confirmable(picture, host)
            self.note(explain(case, picture))
            if not (parsed_args.yes or self._asked(host)):
                return self.refuse(
                    f"that is not {host}: nothing has been confirmed"
                )
            store.confirm(
                case, by=self.context.by, comment=parsed_args.comment
            )
        self.say(
            f"Confirmed by {self.context.by}: {host} is off. The leading "
            f"engine goes on with case {case.id}; see nova-ha case show {host}"
        )
        return 0

    def _asked(self, host: HostName) -> bool:
        if not base.interactive():
            raise exception.ConfigError(
                "--yes",
                "nobody is there to be asked",
                "give it if you are sure",
            )
        print(f"Type {host} to confirm: ", end="", file=self.app.stderr)
        self.app.stderr.flush()
        return self.app.stdin.readline().strip() == host


def confirmable(picture: Picture, host: HostName) -> model.RecoveryCase:
    """The case that an operator's word is wanted for.

    :raises CoordinationError: there is none.
    """
    host_module.known(picture, host)
    case = picture.cases.get(host)
    why = advice.why_not_confirm(
        host,
        case,
        overview.facts(picture, host).beacon,
        lambda at: render.when(at, picture.at),
    )
    if why or case is None:
        raise exception.CoordinationError(f"refused: {why}")
    return case


def explain(case: model.RecoveryCase, picture: Picture) -> str:
    """What is about to be confirmed, and what it means."""
    since = render.when(case.since, picture.at)
    head = {
        "Case": case.id,
        "State": f"{case.state.value} since {since}",
        "Says": recoveries.case_message(case),
        "Verdict": recoveries.explain(case.verdict),
    }
    return f"{render.fields(head)}\n\n{_MEANING.format(host=case.host)}\n"
