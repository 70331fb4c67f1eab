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

from collections.abc import Mapping

from nova_ha.sim import journal
from nova_ha.sim.invariants import base


class OneLeader(base.Invariant):
    """Only the leader acts.

    Truth: the ensemble's own list of contenders and of living sessions, at
    the moment at which a request leaves the engine: each power-off and
    power-on, each change in Nova. Tolerance: none. A right to act that ends
    later than the session does is what the lease must exclude. Changes of
    the tree need not be watched: each is one transaction with a check of the
    leader's node, and a case that is written with an epoch other than the
    leader's is caught here.
    """

    number = 3
    name = "one leader"

    def watches(self) -> Mapping[str, base.Watch]:
        return dict.fromkeys(
            (
                "bmc.off-sent",
                "bmc.on-sent",
                "nova.evacuate-sent",
                "nova.force-down",
                "nova.disabled",
                "nova.enabled",
                "nova.state-repaired",
                "zookeeper.changed",
            ),
            self._acted,
        )

    def _acted(self, entry: journal.Entry) -> None:
        leader = self._truth.leader()
        if entry.who in self._truth.engines and entry.who != leader:
            self.violated(
                f"{entry.who} does {entry.what}, and "
                f"{leader or 'nobody'} leads",
                entry,
            )
