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

"""``nova-ha fence check``: would fencing work? Changes nothing."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nova_ha import exception
from nova_ha.assembly.operator import Picture
from nova_ha.cmd import render
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import fence_check
from nova_ha.core import model
from nova_ha.core.model import HostName

COLUMNS = ("Host", "Level", "Device", "Driver", "Power", "Ok", "Detail")

Records = Mapping[HostName, model.HostRecord | None]
"""Hosts to be checked, with what they said of their machine."""


class Check(base.Lister):
    """Validate fencing.yaml, and ask each device for its state.

    Nothing is switched. Without HOST: all enrolled hosts. Where a device tells
    the system UUID of its machine, it is compared with what the host's agent
    says. Exit status, for monitoring: 0: all devices could fence; 1: one could
    not, is barred, or a host has none; 2: an error, such as in fencing.yaml.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("hosts", metavar="HOST", nargs="*")
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        findings = ask(self, self._records(parsed_args.hosts))
        if not all(one.ok for one in findings):
            self.exit_status = base.ATTENTION
        return COLUMNS, [_row(one) for one in findings]

    def _records(self, hosts: Sequence[str]) -> Records:
        # Before ZooKeeper is asked: the file may be what is to be checked.
        fence_check.validate(self.context.conf)
        if not hosts:
            with self.context.store() as store:
                return fenceable(store.picture())
        try:
            with self.context.store() as store:
                known = store.picture().hosts
        except exception.CoordinationUnavailable as error:
            self.note(f"System UUIDs are not compared: {error}")
            known = {}
        return {
            host: known[host].record if host in known else None
            for host in map(HostName, hosts)
        }


def fenceable(picture: Picture) -> Records:
    """The enrolled hosts that may be fenced at all."""
    return {
        host: known.record
        for host, known in picture.hosts.items()
        if known.record is not None and not known.record.protected
    }


def ask(
    command: base.Command, records: Records
) -> Sequence[fence_check.Finding]:
    """Ask the devices of all these hosts, and tell of the progress where
    somebody watches.

    :raises ConfigError: fencing.yaml cannot be used.
    """
    stderr = command.app.stderr
    shown = stderr.isatty()

    def tell(done: int) -> None:
        if shown:
            print(
                f"\rAsking fence devices {render.bar(done, len(records))}",
                end="" if done < len(records) else "\n",
                file=stderr,
                flush=True,
            )

    context = command.context
    return fence_check.run(context.conf, context.clock, records, tell)


def report(findings: Iterable[fence_check.Finding]) -> str:
    """Findings as a table."""
    return render.table(COLUMNS, [_cells(one) for one in findings])


def _row(finding: fence_check.Finding) -> tuple[Any, ...]:
    host, level, device, driver, power, _, detail = _cells(finding)
    return host, level, device, driver, power, base.Choice(finding.ok), detail


def _cells(finding: fence_check.Finding) -> tuple[str, ...]:
    report = finding.report
    return (
        render.plain(finding.host),
        str(report.level or "-"),
        render.plain(report.device or "-"),
        report.driver or "-",
        report.power.value,
        "yes" if report.ok else "NO",
        render.plain(report.problem or report.detail or "-"),
    )
