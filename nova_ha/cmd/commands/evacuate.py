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

"""``nova-ha evacuate``: an operator says that a host is dead."""

import argparse
import threading

from nova_ha import exception
from nova_ha.assembly import operator as assembly
from nova_ha.cmd import process
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import dry_run
from nova_ha.cmd.commands import host as host_module
from nova_ha.cmd.commands import overview
from nova_ha.cmd.commands import recoveries
from nova_ha.core import by_hand
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import HostName
from nova_ha.core.model import InstanceId

INTERVAL = 2.0
"""Seconds between two looks with ``--wait``."""

_OVER = frozenset(
    [
        CaseState.PARTIAL,
        CaseState.EVACUATED,
        CaseState.RETURNING,
        CaseState.SOAKING,
        CaseState.CLOSED,
        CaseState.CANCELLED,
    ]
)
"""States in which nothing more is moved."""


class Evacuate(base.Report):
    """Have a host recovered that you know to be dead.

    For a host that nova_ha leaves alone, as its nova-compute was disabled or
    its agent has said goodbye; and for a case that has given instances up:
    they are tried again. The way is the usual one: the host is fenced, or
    somebody vouches for it (nova-ha confirm-fenced). Refused while the host's
    agent is alive. With --dry-run nothing is asked for: what would become of
    each instance is shown, of any enrolled host. Exit status: 0: asked for;
    with --wait or --dry-run, all instances have moved, or would; 1: not all,
    or the dry run would be refused; 2: refused, or an error.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        parser.add_argument(
            "--target",
            metavar="HOST",
            help="Where its instances go, reserved or not; others are taken "
            "when it refuses or has no room.",
        )
        parser.add_argument(
            "--server",
            metavar="ID",
            action="append",
            default=[],
            dest="servers",
            help="Move this server only; may be repeated.",
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="Show the progress until nothing more is moved. Ctrl-C ends "
            "the show, not the evacuation.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Change nothing: ask Nova and Placement, and show what would "
            "become of each instance and why (-f is for this alone).",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        with self.context.store() as store:
            picture = store.picture()
            request = self._request(picture, parsed_args)
            why = _refusal(picture, request)
            if parsed_args.dry_run:
                return self._rehearse(picture, request, why, parsed_args)
            if why:
                raise exception.CoordinationError(f"refused: {why}")
            self._warn(picture)
            request = store.request(request)
            self.say(
                f"The leading engine is asked to evacuate {request.host}; see "
                f"nova-ha case show {request.host}"
            )
            if parsed_args.wait:
                return _Progress(self, store, request).follow()
        return 0

    def _request(
        self, picture: assembly.Picture, parsed_args: argparse.Namespace
    ) -> model.EvacuationRequest:
        host, target = HostName(parsed_args.host), parsed_args.target
        host_module.known(picture, host)
        return model.EvacuationRequest(
            host=host,
            by=self.context.by,
            at=picture.at,
            target=HostName(target) if target else None,
            servers=tuple(map(InstanceId, parsed_args.servers)),
        )

    def _rehearse(
        self,
        picture: assembly.Picture,
        request: model.EvacuationRequest,
        refusal: str,
        parsed_args: argparse.Namespace,
    ) -> int:
        self._warn(picture)
        answer = dry_run.ask(
            self.context.conf, self.context.clock, picture, request, refusal
        )
        self.show(parsed_args, dry_run.data(answer), dry_run.text(answer))
        return 0 if answer.well else base.ATTENTION

    def _warn(self, picture: assembly.Picture) -> None:
        if not picture.control.armed or picture.control.paused:
            self.note(
                "nova_ha is disarmed or paused: nothing is done before it is "
                "armed and goes on (nova-ha status)"
            )


def _refusal(
    picture: assembly.Picture, request: model.EvacuationRequest
) -> str:
    """Why it would not be followed; empty if it would."""
    host = request.host
    why = by_hand.refusal(
        request, overview.facts(picture, host), picture.hosts, picture.at
    )
    case = picture.cases.get(host)
    if not why and case is not None and by_hand.too_late(case):
        return f"case {case.id} is {case.state.value}: {case.message}"
    return why


class _Progress:
    """What becomes of a request, a line for each change."""

    def __init__(
        self,
        command: base.Command,
        store: assembly.Store,
        request: model.EvacuationRequest,
    ) -> None:
        self._command = command
        self._store = store
        self._request = request
        self._stopped = threading.Event()
        self._last = ""
        self._status = base.ERROR

    def follow(self) -> int:
        """:returns: the exit status."""
        process.run_until_signalled(self._look_on, self._stopped.set)
        return self._status

    def _look_on(self) -> None:
        while not self._stopped.is_set():
            try:
                if self._over():
                    return
            except exception.CoordinationUnavailable as error:
                self._tell(str(error))
            self._command.context.clock.wait(self._stopped, INTERVAL)
        self._command.note("Not waited for any longer; it goes on by itself.")

    def _over(self) -> bool:
        waits = self._request.host in self._store.requests()
        case = self._store.picture().cases.get(self._request.host)
        if case is None or case.request != self._request:
            self._tell(
                "waits for the leading engine"
                if waits
                else "no case follows it: nova-ha case list --all and the "
                "engine's log tell why"
            )
            return not waits
        self._tell(f"{case.state.value}: {recoveries.case_message(case)}")
        if case.state not in _OVER:
            return False
        self._status = 0 if by_hand.fulfilled(case) else base.ATTENTION
        return True

    def _tell(self, text: str) -> None:
        if text != self._last:
            self._last = text
            self._command.say(text)
