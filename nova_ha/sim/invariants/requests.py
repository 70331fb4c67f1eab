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

"""The evacuations that were asked for, and what has become of them."""

import dataclasses

from nova_ha.core import model
from nova_ha.core import runners
from nova_ha.sim import journal
from nova_ha.sim.invariants import truth as truth_mod

TAKEN = frozenset(["pre-migrating", "migrating", "running", "post-migrating"])
"""A target has begun with a record in one of these."""


@dataclasses.dataclass(slots=True)
class Request:
    """One evacuation that left its caller."""

    entry: journal.Entry
    instance: model.InstanceId
    source: str
    target: str
    incarnation: int
    """The target's, when the request left, or when it was taken."""
    deceived: bool
    """The proof that it rests on is a lie that nobody can see through."""
    record: int | None = None
    """Of the migration that Nova has made of it, or found for it; None: none
    yet, or never."""
    status: str = ""
    refused: bool = False
    """By Nova's API: nothing has come of it."""

    @property
    def at(self) -> float:
        return self.entry.at

    @property
    def who(self) -> str:
        return self.entry.who

    @property
    def terminal(self) -> bool:
        return self.record is not None and self.status in runners.TERMINAL

    @property
    def waits(self) -> bool:
        """It is in the target's queue, and will be done whenever that one
        can."""
        return (
            self.record is not None
            and not self.terminal
            and self.status not in TAKEN
        )


class Requests:
    """All of them, by instance, oldest first."""

    def __init__(self, truth: truth_mod.Truth) -> None:
        self._truth = truth
        self._of: dict[str, list[Request]] = {}
        self._records: dict[int, Request] = {}
        """By the record that they go on under."""
        self._own: dict[int, Request] = {}
        """By the record that was made of them."""

    def of(self, instance: str) -> list[Request]:
        return self._of.get(instance, [])

    def with_record(self, record: int) -> Request | None:
        """The one that Nova has made this record of."""
        return self._records.get(record)

    def sent(self, entry: journal.Entry) -> None:
        target, source = (
            str(entry.details["target"]),
            self._truth.source(entry),
        )
        instance = model.InstanceId(entry.details["instance"])
        request = Request(
            entry=entry,
            instance=instance,
            source=source,
            target=target,
            incarnation=self._incarnation(target),
            deceived=self._truth.deceived(source),
        )
        self._of.setdefault(instance, []).append(request)

    def accepted(self, entry: journal.Entry) -> None:
        """Nova has made a record of a request."""
        one = self._oldest(entry)
        if one is not None:
            one.record = int(entry.details["record"])
            self._records[one.record] = self._own[one.record] = one

    def refused(self, entry: journal.Entry) -> None:
        """Nova's API will have nothing of a request."""
        one = self._oldest(entry)
        if one is not None:
            one.refused = True

    def _oldest(self, entry: journal.Entry) -> Request | None:
        """Of the like requests that Nova has not decided upon."""
        wanted = (entry.who, str(entry.details["target"]))
        for one in self.of(str(entry.details["instance"])):
            undecided = one.record is None and not one.refused
            if undecided and (one.who, one.target) == wanted:
                return one
        return None

    def conducted(self, entry: journal.Entry) -> None:
        """A request goes on under the record that Nova has found for it,
        which may be that of another one, or of a migration: its own then
        says nothing of it any more."""
        own, record = entry.details["own"], entry.details["record"]
        one = self._own.get(own)
        if one is None or record == own:
            return
        one.record = record
        if self._records.get(own) is one:
            del self._records[own]
        if record is not None:
            self._records[record] = one

    def changed(self, entry: journal.Entry) -> None:
        """A migration record has a new status."""
        request = self._records.get(int(entry.details["record"]))
        if request is not None:
            request.status = str(entry.details["status"])
            # Where the scheduler has chosen, an operator has not.
            request.target = str(entry.details.get("dest") or request.target)
            if request.status in TAKEN:
                request.incarnation = self._incarnation(request.target)

    def _incarnation(self, host: str) -> int:
        machine = self._truth.machines.get(host)
        return 0 if machine is None else machine.incarnation
