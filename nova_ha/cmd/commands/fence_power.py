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

"""``nova-ha fence off | on``: an operator switches a host, on the record."""

import abc
import argparse
import threading
from collections.abc import Callable

from nova_ha import exception
from nova_ha.assembly import operator as assembly
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import fence_check
from nova_ha.cmd.commands import fence_record
from nova_ha.cmd.commands import host as host_module
from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import HostName
from nova_ha.fencing import topology as topology_module

ON_TIMEOUT = 60.0
"""Seconds from an accepted power-on until the host must be seen on."""

_MEANING = """\
{host} loses its power at once: whatever runs there dies, and nova_ha recovers
its instances elsewhere, if it is armed."""

_NEEDS_IT_OFF = (CaseState.FENCING, CaseState.FENCED, CaseState.EVACUATING)


class _Power(base.Command, metaclass=abc.ABCMeta):
    """What both directions have in common."""

    deed: audit.Deed

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        parser.add_argument(
            "--reason", default="", help="Why; kept in the audit trail."
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Do not ask for the host's name again.",
        )
        parser.add_argument(
            "--force", action="store_true", help=self.force_help
        )
        return parser

    force_help = ""

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        host = HostName(parsed_args.host)
        context = self.context
        # Before anything is asked or written: the file may be broken.
        devices = fence_check.topology(context.conf, context.clock)
        with context.store() as store:
            kept = self._permitted(store, host, parsed_args.force)
            if not (parsed_args.yes or self.asked(host)):
                return self.refuse(f"that is not {host}: nothing was done")
            entry = audit.Entry(
                host=host,
                deed=self.deed,
                by=context.by,
                at=context.clock.utcnow(),
                reason=parsed_args.reason,
                forced=parsed_args.force,
            )
            with fence_record.recorded(self, store, entry) as recorded:
                done, detail = self._with_patience(
                    lambda: self.switch(store, devices, kept, entry.forced)
                )
                recorded.end(done, detail)
        self.say(f"{host}: {detail}")
        return 0 if done else base.ATTENTION

    @abc.abstractmethod
    def switch(
        self,
        store: assembly.Store,
        devices: topology_module.Topology,
        kept: model.HostRecord,
        forced: bool,
    ) -> tuple[bool, str]:
        """Do it; returns whether it was seen to be so, and what was seen."""

    def _permitted(
        self, store: assembly.Store, host: HostName, forced: bool
    ) -> model.HostRecord:
        """:raises CoordinationError: it is not."""
        picture = store.picture()
        host_module.known(picture, host)
        facts = picture.hosts.get(host) or model.HostFacts(host=host)
        if facts.record is None:
            raise exception.CoordinationError(
                f"refused: {host} is not enrolled"
            )
        why = _protected(facts) or (
            "" if forced else self.objection(facts, picture.cases.get(host))
        )
        if why:
            raise exception.CoordinationError(f"refused: {why}")
        return facts.record

    @abc.abstractmethod
    def objection(
        self, facts: model.HostFacts, case: model.RecoveryCase | None
    ) -> str:
        """What forbids it, unless it is forced; empty: nothing."""

    def asked(self, host: HostName) -> bool:
        """Have the operator type the host's name."""
        if not base.interactive():
            raise exception.ConfigError(
                "--yes",
                "nobody is there to be asked",
                "give it if you are sure",
            )
        print(f"Type {host} to confirm: ", end="", file=self.app.stderr)
        self.app.stderr.flush()
        return self.app.stdin.readline().strip() == host

    def _with_patience(
        self, work: Callable[[], tuple[bool, str]]
    ) -> tuple[bool, str]:
        """Do it, and show on a terminal how long it takes."""
        results: list[tuple[bool, str]] = []
        over = threading.Event()

        def body() -> None:
            try:
                results.append(work())
            except exception.NovaHaError as error:
                results.append((False, str(error)))
            finally:
                over.set()

        clock, shown = self.context.clock, self.app.stderr.isatty()
        began = clock.monotonic()
        clock.spawn(body, "fence")
        while not clock.wait(over, 1.0):
            if shown:
                seconds = clock.monotonic() - began
                print(
                    f"\r{self.deed.value}: {seconds:.0f} s",
                    end="",
                    file=self.app.stderr,
                    flush=True,
                )
        if shown:
            self.note("")
        # Empty: a mistake of ours has ended the thread, and is in the log.
        return results[0] if results else (False, "it ended unexpectedly")


def _protected(facts: model.HostFacts) -> str:
    record = facts.record
    if record is None or not record.protected:
        return ""
    return f"{facts.host} is protected: {record.protected}"


class Off(_Power):
    """Switch a host off by its fence devices, and see that it is off.

    All levels are tried, as the engine does it. A host that is protected is
    always refused, one whose agent is alive unless forced. Who did it, when,
    why and with what result is kept: see nova-ha fence audit. Exit status: 0:
    seen off; 1: not seen off; 2: refused, or an error.
    """

    deed = audit.Deed.POWER_OFF
    force_help = "Also if the host's agent shows that it is alive."

    def asked(self, host: HostName) -> bool:
        self.note(_MEANING.format(host=host))
        return super().asked(host)

    def objection(
        self, facts: model.HostFacts, case: model.RecoveryCase | None
    ) -> str:
        if facts.beacon is None:
            return ""
        return f"{facts.host} is alive: it has a beacon (--force overrules)"

    def switch(
        self,
        store: assembly.Store,
        devices: topology_module.Topology,
        kept: model.HostRecord,
        forced: bool,
    ) -> tuple[bool, str]:
        host = kept.host
        outcome = devices.fence(
            host,
            lambda: self._last_look(store, host, forced),
            frozenset(kept.barred),
            kept.system_uuid,
        )
        if outcome.evidence is None:
            return False, outcome.aborted or outcome.error
        seen = outcome.evidence
        return True, f"off, as {seen.by} says ({seen.detail})"

    def _last_look(
        self, store: assembly.Store, host: HostName, forced: bool
    ) -> None:
        """:raises FenceAborted: something has changed meanwhile."""
        facts = store.facts(host)
        why = _protected(facts) or (
            "" if forced else self.objection(facts, None)
        )
        if why or facts.record is None:
            raise exception.FenceAborted(why or f"{host} is gone")


class On(_Power):
    """Switch a host on by its fence devices, and see that it is on.

    Refused, unless forced, while an open case needs it off: it would be
    fenced again. Kept like nova-ha fence off. Exit status: 0: seen on; 1: not
    seen on; 2: refused, or an error.
    """

    deed = audit.Deed.POWER_ON
    force_help = "Also if an open case of the host needs it to be off."

    def objection(
        self, facts: model.HostFacts, case: model.RecoveryCase | None
    ) -> str:
        if case is None or case.state not in _NEEDS_IT_OFF:
            return ""
        return (
            f"case {case.id} of {facts.host} is {case.state.value} and needs "
            "it off: it would be fenced again (--force overrules)"
        )

    def switch(
        self,
        store: assembly.Store,
        devices: topology_module.Topology,
        kept: model.HostRecord,
        forced: bool,
    ) -> tuple[bool, str]:
        barred, clock = frozenset(kept.barred), self.context.clock
        devices.power_on(kept.host, barred)
        deadline = clock.monotonic() + ON_TIMEOUT
        while True:
            reading = devices.power_state(kept.host, barred)
            if reading.state is model.PowerState.ON:
                return True, f"on, as {reading.device} says"
            if clock.monotonic() >= deadline:
                why = reading.error or f"{reading.device} reads off"
                return False, f"not seen on within {ON_TIMEOUT:g} s: {why}"
            clock.sleep(1.0)
