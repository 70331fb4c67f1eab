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

"""Invariant 3."""

import math
from collections.abc import Mapping

from nova_ha.sim import journal
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import truth as truth_mod

ACTS = (
    "bmc.off-sent",
    "bmc.on-sent",
    "nova.evacuate-sent",
    "nova.force-down",
    "nova.disabled",
    "nova.enabled",
    "nova.state-repaired",
    "nova.stopped",
)
"""What only the leader may do."""


class OneLeader(base.Invariant):
    """Only the leader acts.

    Truth: the ensemble's own list of contenders and of living sessions, at
    the moment at which a request leaves the engine: each power-off and
    power-on, each change in Nova. Tolerance: none, as long as the servers
    keep the session for its time-out T: the lease is shorter. Where they end
    it early - an administrator closes it, a follower dies with what it has
    not reported - who led until then cannot know it before its lease runs
    out. A successor waits that long before it repeats anything.

    Changes of the tree need not be watched: each is one transaction with a
    check of the leader's node.
    """

    number = 3
    name = "one leader"

    def __init__(self, truth: truth_mod.Truth, report: base.Report) -> None:
        super().__init__(truth, report)
        self._deposed: dict[str, float] = {}
        """Leaders whose session the servers may have ended early, and when
        the right of each to act ends."""

    def watches(self) -> Mapping[str, base.Watch]:
        acts = dict.fromkeys(ACTS, self._acted)
        return {
            **acts,
            "fault.expire": self._depose,
            "fault.lose-followers": self._depose,
        }

    def _depose(self, entry: journal.Entry) -> None:
        leader = self._truth.leader()
        if leader is not None:
            until = entry.at + self._truth.policy.leader_lease
            self._deposed[leader] = until

    def _acted(self, entry: journal.Entry) -> None:
        leader = self._truth.leader()
        if entry.who not in self._truth.engines or entry.who == leader:
            return
        if entry.at > self._deposed.get(entry.who, -math.inf):
            self.violated(
                f"{entry.who} does {entry.what}, and "
                f"{leader or 'nobody'} leads",
                entry,
            )
