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

"""Invariant 8."""

from collections.abc import Mapping

from nova_ha.core import model
from nova_ha.core.model import MoveState
from nova_ha.core.model import Severity
from nova_ha.core.model import record
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import truth as truth_mod

MARGIN = 30.0
"""Seconds by which a reminder may be late: an election, and an answer."""

LOUD = (Severity.WARNING, Severity.ALARM)


@record
class Stuck:
    """A case that does not end."""

    host: str
    case: model.CaseId
    state: model.CaseState
    message: str
    """What it says that it waits for."""
    silent: float
    """Seconds since it has said anything that an operator would notice."""


class TerminatesOrAlarms(base.Invariant):
    """Every case ends, or says loudly and repeatedly what it waits for.

    Truth: the cases in the tree, and what the engines tell. A case that has
    been silent for longer than the policy's ``reminder`` and
    :data:`MARGIN`, while an engine was there to speak, is a violation when
    the run ends. Those that are merely open are :meth:`stuck`; whether they
    should have ended, only the script knows.
    """

    number = 8
    name = "terminates or alarms"

    def __init__(self, truth: truth_mod.Truth, report: base.Report) -> None:
        super().__init__(truth, report)
        self._told: dict[model.CaseId, float] = {}

    def watches(self) -> Mapping[str, base.Watch]:
        return {}

    def told(self, entry: journal.Entry) -> None:
        """Whatever an engine says about a case, of any code."""
        event = entry.details.get("event")
        if isinstance(event, model.AuditEvent) and event.case is not None:
            if event.severity in LOUD or event.code == "case.taken_over":
                self._told[event.case] = entry.at

    def stuck(self) -> list[Stuck]:
        """The cases that are open now."""
        return [
            Stuck(
                host=host,
                case=log.case.id,
                state=log.case.state,
                message=log.case.message,
                silent=self._truth.now
                - self._told.get(log.case.id, log.opened_at),
            )
            for host, log in sorted(self._truth.tree.cases.items())
        ]

    def at_end(self) -> None:
        if self._truth.leader() is None:
            return
        for one in self.stuck():
            if one.silent > self._truth.policy.reminder + MARGIN:
                self.violated(
                    f"the case of {one.host} has been {one.state.value} "
                    f"without a word for {one.silent:.0f} s"
                )


class NothingForgotten(base.Invariant):
    """What is told as moved has moved, and nothing was overlooked.

    Truth: where Nova books the instances, at the moment at which a case is
    told to be *evacuated*: none of those that were moved is still booked on
    the lost host, and none is that the case does not know. Tolerance: none,
    since the list is read once more after the last instance has moved.
    """

    number = 8
    name = "nothing is forgotten"

    def watches(self) -> Mapping[str, base.Watch]:
        return {"case.evacuated": self._evacuated}

    def _evacuated(self, entry: journal.Entry) -> None:
        event = entry.details.get("event")
        if not isinstance(event, model.AuditEvent) or event.host is None:
            return
        log = self._truth.tree.cases.get(event.host)
        if log is None:
            return
        moves = {move.instance: move.state for move in log.case.moves}
        for server in self._truth.servers().values():
            if server.host != event.host:
                continue
            state = moves.get(server.id)
            if state is None:
                self.violated(
                    f"{server.id} is forgotten on {event.host}", entry
                )
            elif state is MoveState.DONE:
                self.violated(
                    f"{server.id} is told as moved, and Nova has it on "
                    f"{event.host}",
                    entry,
                )
