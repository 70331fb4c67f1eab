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

"""Invariant 1."""

from collections.abc import Mapping

from nova_ha.core import model
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import requests as requests_mod
from nova_ha.sim.invariants import truth as truth_mod


class SingleWriter(base.Invariant):
    """No instance is active on two machines.

    Truth: what the hypervisors run. A guest can write while its machine has
    power and its system has not crashed; one on a frozen machine counts: it
    goes on when that thaws. Tolerance: none, at any moment. It is looked at
    whenever a guest starts, since nothing else adds a writer.

    What an operator has started himself - an evacuation that he asked for
    after all others, a guest behind everybody's back - is his, and told as
    undetectable. Where an engine's evacuation
    rests on a device (or an operator) that lied about a host which gave no
    sign of life, it is told as undetectable.
    """

    number = 1
    name = "single writer"

    def __init__(
        self,
        truth: truth_mod.Truth,
        report: base.Report,
        requests: requests_mod.Requests,
    ) -> None:
        super().__init__(truth, report)
        self._requests = requests
        self._hand: tuple[str, float] | None = None
        """Where and when somebody starts a guest behind everyone's back."""
        self._by_hand: set[tuple[str, str]] = set()
        """Such guests, by machine and instance."""

    def watches(self) -> Mapping[str, base.Watch]:
        return {
            "fault.start-guest": self._take_hand,
            "guest.started": self._started,
            "guest.stopped": self._stopped,
        }

    def _take_hand(self, entry: journal.Entry) -> None:
        self._hand = (entry.who, entry.at)

    def _stopped(self, entry: journal.Entry) -> None:
        self._by_hand.discard((entry.who, str(entry.details["instance"])))

    def _started(self, entry: journal.Entry) -> None:
        instance = model.InstanceId(entry.details["instance"])
        if self._hand == (entry.who, entry.at):
            self._by_hand.add((entry.who, instance))
        writers = self._truth.writers(instance)
        if len(writers) < 2:
            return
        causes = [
            one for one in self._requests.of(instance) if one.target in writers
        ]
        self.violated(
            f"{instance} is active on {' and '.join(writers)}",
            *(one.entry for one in causes),
            entry,
            undetectable=self._not_ours(instance, writers, causes),
        )

    def _not_ours(
        self,
        instance: model.InstanceId,
        writers: list[str],
        causes: list[requests_mod.Request],
    ) -> bool:
        if any((one, instance) in self._by_hand for one in writers):
            return True
        if not causes:
            return False
        engines = self._truth.engines
        latest = max(causes, key=lambda one: one.at)
        # Whoever asks last asks for the second writer: Nova does not look
        # whether an evacuation of the instance is under way.
        return latest.who not in engines or any(
            one.deceived for one in causes if one.who in engines
        )
