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

"""Watches a run, and collects what was violated."""

from collections.abc import Mapping, Sequence

from nova_ha.core import model
from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import ending
from nova_ha.sim.invariants import hands_off
from nova_ha.sim.invariants import life
from nova_ha.sim.invariants import one_leader
from nova_ha.sim.invariants import own_voice
from nova_ha.sim.invariants import pinned_target
from nova_ha.sim.invariants import proven
from nova_ha.sim.invariants import requests as requests_mod
from nova_ha.sim.invariants import resume
from nova_ha.sim.invariants import single_writer
from nova_ha.sim.invariants import storm
from nova_ha.sim.invariants import truth as truth_mod


class Checker:
    """All invariants, from the moment it is made.

    Feed it with :meth:`noted` and :meth:`changed`; :func:`watch` does.
    """

    def __init__(self, truth: truth_mod.Truth) -> None:
        self._truth = truth
        self.violations: list[base.Violation] = []
        self.undetectable: list[base.Violation] = []
        """Those that nobody could have prevented."""
        self._requests = requests_mod.Requests(truth)
        self._ending = ending.TerminatesOrAlarms(truth, self._report)
        self._own_voice = own_voice.OwnVoice(truth, self._report)
        self._invariants = self._all()
        self._watches = self._table()

    def _all(self) -> list[base.Invariant]:
        truth, report, requests = self._truth, self._report, self._requests
        return [
            single_writer.SingleWriter(truth, report, requests),
            pinned_target.PinnedTarget(truth, report, requests),
            one_leader.OneLeader(truth, report),
            proven.NoProofNoAction(truth, report),
            life.NotTheLiving(truth, report),
            proven.ProofPerishes(truth, report),
            storm.Brake(truth, report),
            resume.Resume(truth, report, requests),
            self._ending,
            ending.NothingForgotten(truth, report),
            hands_off.HandsOff(truth, report),
            self._own_voice,
        ]

    def _table(self) -> dict[str, list[base.Watch]]:
        """By code, in the order in which they are called: what is
        remembered of requests comes first, but that of a new one last, since
        it is judged by those before it."""
        table: dict[str, list[base.Watch]] = {
            "nova.evacuate-accepted": [self._requests.accepted],
            "nova.evacuate-refused": [self._requests.refused],
            "nova.evacuation-conducted": [self._requests.conducted],
            "nova.migration": [self._requests.changed],
            "bmc.read": [self._truth.lies.read],
            "operator.confirm": [self._truth.lies.confirmed],
        }
        for invariant in self._invariants:
            for code, watch in invariant.watches().items():
                table.setdefault(code, []).append(watch)
        table["nova.evacuate-sent"].append(self._requests.sent)
        return table

    def _report(self, violation: base.Violation) -> None:
        if violation.undetectable:
            self.undetectable.append(violation)
        else:
            self.violations.append(violation)

    # -- what happens --------------------------------------------------------

    def noted(self, entry: journal.Entry) -> None:
        """Something was written into the journal."""
        for watch in self._watches.get(entry.what, ()):
            watch(entry)
        self._ending.told(entry)

    def changed(
        self, who: str, user: str, path: str, data: bytes | None
    ) -> None:
        """A program has changed a node of the tree; None: deleted it."""
        self._truth.tree.changed(path, data)
        self._own_voice.changed(who, user, path)

    # -- the end -------------------------------------------------------------

    def finish(self) -> None:
        """Look once more when the run is over."""
        for invariant in self._invariants:
            invariant.at_end()

    @property
    def cases(self) -> Mapping[str, model.RecoveryCase]:
        """The cases that are open now, by host."""
        return {
            host: log.case
            for host, log in sorted(self._truth.tree.cases.items())
        }

    @property
    def control(self) -> model.Control:
        """The operator's switches, as they are committed."""
        return self._truth.tree.control.last or model.Control()

    def record(self, host: str) -> model.HostRecord | None:
        """What is recorded of a host."""
        return self._truth.tree.host(host).last

    def stuck(self) -> Sequence[ending.Stuck]:
        """The cases that are still open."""
        return self._ending.stuck()
