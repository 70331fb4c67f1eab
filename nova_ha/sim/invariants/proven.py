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

"""Invariants 4 and 5."""

import math
from collections.abc import Mapping

from nova_ha.core import model
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import truth as truth_mod


class NoProofNoAction(base.Invariant):
    """Nothing is powered off that must not be, nothing is evacuated that is
    not proven to be off.

    * A power-off leaves while nova_ha is paused or disarmed, or its host is
      protected or in maintenance. Truth: what is committed in the tree; the
      switch must have forbidden it for all of the last
      :data:`truth.READ_TO_SEND` seconds, since the engine reads it again
      immediately before.
    * An evacuation leaves, and the stored case of its source has no
      evidence, or evidence that is in doubt. Tolerance: none, the case is
      saved before.
    * An evacuation leaves, and its source has had power for longer than a
      reading may be old (:attr:`Truth.acting`). Not where an operator has
      vouched for it, nor - told as undetectable - where a device lies.
    """

    number = 4
    name = "no proof, no action"

    def __init__(self, truth: truth_mod.Truth, report: base.Report) -> None:
        super().__init__(truth, report)
        self._powered: dict[str, float] = {}
        """Hosts that were switched on in the run, and when."""

    def watches(self) -> Mapping[str, base.Watch]:
        return {
            "machine.power-on": self._power_on,
            "bmc.off-sent": self._off_sent,
            "nova.evacuate-sent": self._evacuated,
        }

    def _power_on(self, entry: journal.Entry) -> None:
        self._powered[entry.who] = entry.at

    def _off_sent(self, entry: journal.Entry) -> None:
        host = str(entry.details["host"])
        tree = self._truth.tree
        since = self._truth.now - truth_mod.READ_TO_SEND
        if all(not _acts(one) for one in tree.control.since(since)):
            self.violated(f"{host} is powered off while nothing may be", entry)
        if all(not _fenceable(one) for one in tree.host(host).since(since)):
            self.violated(f"{host} is powered off, against its record", entry)

    def _evacuated(self, entry: journal.Entry) -> None:
        if entry.who not in self._truth.engines:
            return
        source = self._truth.source(entry)
        log = self._truth.tree.cases.get(source)
        if log is None or log.case.evidence is None or log.case.doubt:
            self.violated(
                f"{entry.details['instance']} is evacuated from {source} "
                "without evidence that holds",
                entry,
            )
        elif not self._truth.confirmed(source):
            self._check_power(source, entry)

    def _check_power(self, source: str, entry: journal.Entry) -> None:
        age = self._truth.now - self._powered.get(source, -math.inf)
        powered = self._truth.machines[source].power
        if not powered or age <= self._truth.acting:
            return
        self.violated(
            f"{entry.details['instance']} is evacuated from {source}, which "
            "has had power for too long",
            entry,
            undetectable=self._truth.deceived(source),
        )


def _acts(control: model.Control | None) -> bool:
    return control is not None and control.armed and not control.paused


def _fenceable(record: model.HostRecord | None) -> bool:
    return record is not None and not (record.protected or record.maintenance)


class ProofPerishes(base.Invariant):
    """After a sign of life no further request is sent.

    Truth: the beacon's node in the tree, and Nova's record of reports. They
    must have been there for longer than news that an engine acts upon may be
    old (:attr:`Truth.acting`): a watch tells of a beacon at once, but what
    was decided before may leave until then. Power is invariant 4's.
    """

    number = 5
    name = "proof perishes"

    def watches(self) -> Mapping[str, base.Watch]:
        return {"nova.evacuate-sent": self._sent}

    def _sent(self, entry: journal.Entry) -> None:
        source = self._truth.source(entry)
        ours = entry.who in self._truth.engines
        if ours and self._truth.shows_life(source):
            self.violated(
                f"{entry.details['instance']} is evacuated from {source}, "
                "which shows life",
                entry,
            )
