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

"""``nova-ha arm | disarm | pause | resume``: the operator's switches."""

import argparse

from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import fence
from nova_ha.cmd.commands import fence_check
from nova_ha.cmd.commands import summary
from nova_ha.core import model


class _Switch(base.Command):
    """A command that changes a switch and shows all of them."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--reason", default="", help="Why; shown by nova-ha status."
        )
        return parser

    def switch(
        self,
        reason: str,
        *,
        armed: bool | None = None,
        paused: bool | None = None,
    ) -> None:
        # What stops everything must work on a tree in any condition.
        stops = armed is False or paused is True
        with self.context.store(checked=not stops) as store:
            control = store.switch(
                by=self.context.by, reason=reason, armed=armed, paused=paused
            )
        self.tell(control)

    def tell(self, control: model.Control) -> None:
        self.say(summary.switches(control, self.context.clock.utcnow()))


class Disarm(_Switch):
    """Only watch, judge and say what would be done."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.switch(parsed_args.reason, armed=False)


class Pause(_Switch):
    """Stop everything at its next step, in every state.

    What Nova has accepted goes on in Nova.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.switch(parsed_args.reason, paused=True)


class Resume(_Switch):
    """End a pause."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.switch(parsed_args.reason, paused=False)


class Arm(_Switch):
    """Let nova_ha fence and evacuate.

    Refused while a fence device of an enrolled host does not answer, or a
    host has none. Exit status: 0: armed; 1: refused; 2: an error.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--force",
            action="store_true",
            help="Do not ask the fence devices. Hosts that cannot be fenced "
            "are not recovered.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if not parsed_args.force:
            failures = self._failures()
            if failures:
                return self._refuse(failures)
        self.switch(parsed_args.reason, armed=True)
        return 0

    def _failures(self) -> list[fence_check.Finding]:
        with self.context.store() as store:
            picture = store.picture()
        records = fence.fenceable(picture)
        if not records:
            self.note("No host is enrolled yet: no fence device was asked.")
        findings = fence.ask(self, records)
        return [one for one in findings if not one.ok]

    def _refuse(self, failures: list[fence_check.Finding]) -> int:
        self.note(fence.report(failures))
        self.refuse(
            f"not armed: {len(failures)} of the answers above are not what "
            "they must be. Mend them (nova-ha fence check), or arm all the "
            "same: nova-ha arm --force"
        )
        return base.ATTENTION
