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

"""Invariant 4, for those who live."""

from collections.abc import Mapping

from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import truth as truth_mod


class NotTheLiving(base.Invariant):
    """A host that shows life is not powered off.

    Truth: its operating system runs, and when the power-off leaves

    * its beacon, or a goodbye that has not run out, has been in the tree for
      :data:`truth.READ_TO_SEND`: the engine reads them again immediately
      before;
    * or its nova-compute has reported less than the policy's silence ago,
      give or take :data:`truth.NEWS`, but not so lately that the last look
      can have missed it.

    A host that is fenced *again*, because it was switched on in the middle
    of its recovery, is expected to show life, and must go.
    """

    number = 4
    name = "not the living"

    def watches(self) -> Mapping[str, base.Watch]:
        return {"bmc.off-sent": self._off_sent}

    def _off_sent(self, entry: journal.Entry) -> None:
        host = str(entry.details["host"])
        log = self._truth.tree.cases.get(host)
        again = log is not None and log.case.refencing
        if again or not self._truth.machines[host].running:
            return
        why = self._sign(host)
        if why:
            self.violated(f"{host} is powered off, and {why}", entry)

    def _sign(self, host: str) -> str:
        age = self._truth.beacon_age(host)
        if age is not None and age > truth_mod.READ_TO_SEND:
            return f"its beacon has been there for {age:.1f} s"
        if self._away(host):
            return "its agent has said goodbye"
        age = self._truth.report_age(host)
        if age is not None and self._missed < age < self._silence:
            return f"its nova-compute has reported {age:.1f} s ago"
        return ""

    @property
    def _missed(self) -> float:
        """A report that is younger can have escaped the last look."""
        return truth_mod.READ_TO_SEND + 2.0 * self._truth.nova_delay()

    @property
    def _silence(self) -> float:
        factor = self._truth.policy.silence_factor
        return factor * self._truth.report_interval - truth_mod.NEWS

    def _away(self, host: str) -> bool:
        goodbye = self._truth.tree.goodbyes.get(host)
        if goodbye is None:
            return False
        age = self._truth.now - goodbye.at
        return truth_mod.READ_TO_SEND < age < goodbye.ttl
