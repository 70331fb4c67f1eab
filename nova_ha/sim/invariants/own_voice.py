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

"""Invariant 10."""

from collections.abc import Mapping

from nova_ha.coordination import acl
from nova_ha.sim import journal
from nova_ha.sim.invariants import base


class OwnVoice(base.Invariant):
    """A hypervisor can only speak for itself.

    Truth: every change that the ensemble has carried out, and whose session
    asked for it. One of an agent's below anything but its own parent is a
    violation: the tree's access control should have refused it. Tolerance:
    none.
    """

    number = 10
    name = "own voice"

    def watches(self) -> Mapping[str, base.Watch]:
        return {}

    def changed(self, who: str, user: str, path: str) -> None:
        """A program has changed a node."""
        own = self._truth.tree.agent(who)
        if user == acl.Role.AGENT.value and not f"{path}/".startswith(
            f"{own}/"
        ):
            entry = journal.Entry(self._truth.now, who, "zookeeper.changed")
            self.violated(f"the agent of {who} has changed {path}", entry)
