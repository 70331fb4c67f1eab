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

"""Invariant 2."""

from collections.abc import Mapping

from nova_ha.core import model
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import requests as requests_mod
from nova_ha.sim.invariants import truth as truth_mod


class PinnedTarget(base.Invariant):
    """Every repeat of an evacuation names the same target, which was saved
    before the first request.

    Truth: the requests as they leave the engines, Nova's records, what the
    hypervisors run, the case as it is stored. An earlier request to another
    target is over only if

    * its record is terminal - or it has none and can get none any more,
      which takes the policy's ``takeover``: nobody's request lives longer -
    * and its target does not run the guest, or has been off since, in which
      case only a record that still waits in its queue is alive.

    Tolerance: none for engines' requests. An operator's own evacuation is
    known once its record has been there for :attr:`Truth.acting`.
    """

    number = 2
    name = "pinned target"

    def __init__(
        self,
        truth: truth_mod.Truth,
        report: base.Report,
        requests: requests_mod.Requests,
    ) -> None:
        super().__init__(truth, report)
        self._requests = requests

    def watches(self) -> Mapping[str, base.Watch]:
        return {"nova.evacuate-sent": self._sent}

    def _sent(self, entry: journal.Entry) -> None:
        if entry.who not in self._truth.engines:
            return
        instance, target = entry.details["instance"], entry.details["target"]
        if not self._saved(entry):
            self.violated(
                f"{instance} is sent to {target}, which is not saved in the "
                f"case of {self._truth.source(entry)}",
                entry,
            )
        for earlier in self._requests.of(instance):
            why = self._open(earlier)
            if why and earlier.target != target and earlier.entry != entry:
                self.violated(
                    f"{instance} is sent to {target}, but {why}",
                    earlier.entry,
                    entry,
                )
                return

    def _saved(self, entry: journal.Entry) -> bool:
        log = self._truth.tree.cases.get(self._truth.source(entry))
        instance = model.InstanceId(entry.details["instance"])
        return log is not None and any(
            move.instance == instance
            and move.target == entry.details["target"]
            and move.attempts > 0
            for move in log.case.moves
        )

    def _open(self, one: requests_mod.Request) -> str:
        """Why an earlier request may still come to something; empty if it
        may not."""
        if one.refused:
            return ""
        if one.who not in self._truth.engines and not self._known(one):
            return ""
        machine = self._truth.machines.get(one.target)
        if machine is None:
            return ""
        asked = f"{one.who} asked for {one.target} at {one.at:.1f}"
        if self._truth.writes(one.target, one.instance):
            return f"{asked}, which runs it"
        if machine.incarnation != one.incarnation:
            # What it had begun there is over.
            return f"{asked}, where it waits" if one.waits else ""
        if one.record is None:
            age = self._truth.now - one.at
            young = age <= self._truth.policy.takeover
            return f"{asked}, and it may still land" if young else ""
        return "" if one.terminal else f"{asked}, and it is under way"

    def _known(self, one: requests_mod.Request) -> bool:
        return (
            one.record is not None
            and self._truth.now - one.at > self._truth.acting
        )
