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

"""``nova-ha fence audit``, and how a deed gets there; ``nova-ha fence clear``:
a barred device has been checked."""

import argparse
import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nova_ha import exception
from nova_ha.assembly import notify
from nova_ha.assembly import operator as assembly
from nova_ha.cmd import render
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import fence_check
from nova_ha.cmd.commands import host as host_module
from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.core.model import HostName

COLUMNS = (
    "At",
    "By",
    "Deed",
    "Host",
    "Device",
    "Forced",
    "Result",
    "Detail",
    "Reason",
)

_CODES = {
    audit.Deed.POWER_OFF: "operator.power_off",
    audit.Deed.POWER_ON: "operator.power_on",
    audit.Deed.CLEAR: "operator.device_cleared",
}


class Recorded:
    """An entry of the audit trail that is yet to be completed."""

    def __init__(self, entry: audit.Entry) -> None:
        self.entry = entry

    def end(self, done: bool, detail: str) -> None:
        """Say what has become of it."""
        self.entry = dataclasses.replace(
            self.entry,
            result=audit.Result.DONE if done else audit.Result.FAILED,
            detail=detail,
        )


@contextlib.contextmanager
def recorded(
    command: base.Command, store: assembly.Store, entry: audit.Entry
) -> Iterator[Recorded]:
    """Keep a deed, before and after it is done, and tell of it on the message
    bus where one is configured.

    :raises NovaHaError: it cannot be kept, and so is not done.
    """
    trail = store.trail
    found = Recorded(trail.begin(entry))
    try:
        yield found
    finally:
        try:
            trail.end(found.entry)
        except exception.CoordinationError as error:
            command.note(f"Its result is not in the audit trail: {error}")
        _tell(command, found.entry)


def _tell(command: base.Command, entry: audit.Entry) -> None:
    """What has been done is done: no bus is no reason to fail."""
    conf = command.context.conf
    try:
        notify.register_opts(conf)
        notifier = notify.open_notifier(conf, command.context.clock)
    except exception.ConfigError as error:
        command.note(f"Not told on the message bus: {error}")
        return
    notifier.emit(
        model.AuditEvent(
            code=_CODES[entry.deed],
            host=entry.host,
            message=f"{entry.deed.value} by {entry.by}: {entry.result.value}"
            + (f": {entry.detail}" if entry.detail else ""),
            details={
                "by": entry.by,
                "device": entry.device,
                "reason": entry.reason,
                "result": entry.result.value,
            },
        )
    )
    notifier.close()


class Audit(base.Lister):
    """List what operators did to the power of hosts, the newest first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("hosts", metavar="HOST", nargs="*")
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        with self.context.store() as store:
            entries = store.trail.read()
        wanted = parsed_args.hosts
        return COLUMNS, [
            _row(one) for one in entries if not wanted or one.host in wanted
        ]


def _row(entry: audit.Entry) -> tuple[Any, ...]:
    return (
        render.utc(entry.at),
        render.plain(entry.by),
        entry.deed.value,
        render.plain(entry.host),
        base.Maybe(render.plain(entry.device)),
        base.Choice(entry.forced),
        entry.result.value,
        base.Maybe(render.plain(entry.detail)),
        base.Maybe(render.plain(entry.reason)),
    )


class Clear(base.Command):
    """Believe a barred fence device again, after you have checked it.

    Make sure that it switches this host, and says what is so. The device is
    asked first; refused, unless forced, while it could not fence, or calls a
    host off whose agent is alive. Kept: see nova-ha fence audit. Exit status:
    0: it is used again; 1: refused by what the device answers; 2: an error.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        parser.add_argument("device", metavar="DEVICE")
        parser.add_argument(
            "--reason", default="", help="What was wrong; kept."
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="Do not ask the device.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        host, device = HostName(parsed_args.host), parsed_args.device
        with self.context.store() as store:
            host_module.known(store.picture(), host)
            facts = store.facts(host)
            record = facts.record
            if record is None or device not in record.barred:
                self.say(f"{device} of {host} is not barred")
                return 0
            if not parsed_args.force:
                why = self._objection(facts, record, device)
                if why:
                    self.refuse(f"{device} stays barred: {why}")
                    return base.ATTENTION
            entry = audit.Entry(
                host=host,
                deed=audit.Deed.CLEAR,
                by=self.context.by,
                at=self.context.clock.utcnow(),
                reason=parsed_args.reason,
                device=device,
                forced=parsed_args.force,
            )
            with recorded(self, store, entry) as kept:
                bar = store.clear(host, device)
                kept.end(True, "" if bar is None else bar.reason)
        self.say(f"{device} of {host} is used again")
        return 0

    def _objection(
        self, facts: model.HostFacts, kept: model.HostRecord, device: str
    ) -> str:
        """What the device answers that makes it wrong still."""
        context = self.context
        devices = fence_check.topology(context.conf, context.clock)
        for one in devices.examine(facts.host, kept.system_uuid):
            if one.device != device:
                continue
            if not one.ok:
                return one.problem
            if one.power is model.PowerState.OFF and facts.beacon is not None:
                return f"it reads off, and the agent of {facts.host} is alive"
        return ""
