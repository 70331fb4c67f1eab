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

"""``nova-ha config check``: would it work? Changes nothing."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nova_ha import exception
from nova_ha.assembly import config_check
from nova_ha.assembly.config_files import Finding
from nova_ha.assembly.config_files import Grade
from nova_ha.assembly.config_files import bad
from nova_ha.assembly.config_files import doubtful
from nova_ha.assembly.config_files import good
from nova_ha.cmd import render
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import fence
from nova_ha.rpc import check

COLUMNS = ("Check", "Result", "Detail")

_DEVICES = "devices"


class Check(base.Lister):
    """Check all settings, against each other and against what they name.

    The options of engines and agents, fencing.yaml, ZooKeeper with its tree
    and its time limits, Nova, Placement, and each fence device of the enrolled
    hosts. Run it with an engine's files. Exit status: 0: no error; 1: an
    error, or with --strict a warning; 2: the files cannot be read.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--offline",
            action="store_true",
            help="Only what this machine can tell alone.",
        )
        parser.add_argument(
            "--strict",
            action="store_true",
            help="Exit with status 1 for a warning, too.",
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        findings = list(self._findings(parsed_args.offline))
        tolerated = {Grade.OK} if parsed_args.strict else _TOLERATED
        if any(one.grade not in tolerated for one in findings):
            self.exit_status = base.ATTENTION
        return COLUMNS, [
            (one.check, one.grade.value, render.plain(one.detail))
            for one in findings
        ]

    def _findings(self, offline: bool) -> Iterator[Finding]:
        context = self.context
        checkup = config_check.Checkup(context.conf, context.clock)
        yield from checkup.offline()
        yield from check.findings(context.conf)
        if not offline:
            yield from checkup.online()
            try:
                yield from self._devices()
            except exception.NovaHaError as error:
                yield bad(_DEVICES, str(error))

    def _devices(self) -> Iterator[Finding]:
        """The devices of all hosts that may be fenced."""
        with self.context.store() as store:
            records = fence.fenceable(store.picture())
        if not records:
            yield doubtful(_DEVICES, "no host is enrolled yet")
            return
        failing = [one for one in fence.ask(self, records) if not one.ok]
        for one in failing:
            report = one.report
            yield bad(
                _DEVICES,
                f"{one.host}: {report.device or 'no device'}: "
                f"{report.problem or report.detail}",
            )
        if not failing:
            yield good(_DEVICES, f"those of {len(records)} hosts could fence")


_TOLERATED = {Grade.OK, Grade.WARNING}
