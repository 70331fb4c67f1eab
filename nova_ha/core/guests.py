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

"""Which guests run where, as the agents list them: kept up to date.

Whoever recovers an instance asks whether any other host's agent lists it,
and whether some host has no agent that would. Looked up in the inventories
of thousands of hosts for each of a thousand instances, the answers would take
longer than the evacuation.
"""

from collections.abc import Collection, Mapping, Set

from nova_ha.core import model
from nova_ha.core.model import HostName
from nova_ha.core.model import InstanceId

NOBODY: frozenset[HostName] = frozenset()
NOTHING: frozenset[InstanceId] = frozenset()


class Guests:
    """Mutable, like the fleet whose part it is: ask it, keep nothing."""

    def __init__(self) -> None:
        self._inventories: dict[HostName, model.GuestInventory] = {}
        self._hosts: dict[InstanceId, frozenset[HostName]] = {}
        self._computes: Set[HostName] = NOBODY
        self._unlisted: set[HostName] = set()

    # -- what is asked --

    @property
    def inventories(self) -> Mapping[HostName, model.GuestInventory]:
        """By live agents about their own hosts, in their present boot."""
        return self._inventories

    def hosts_of(self, guest: InstanceId) -> frozenset[HostName]:
        """Hosts whose agents say that they run the guest."""
        return self._hosts.get(guest, NOBODY)

    @property
    def unlisted(self) -> Set[HostName]:
        """Hosts with a nova-compute whose guests no live agent lists."""
        return self._unlisted

    # -- what changes --

    def put(
        self, host: HostName, inventory: model.GuestInventory | None
    ) -> None:
        """What the live agent of a host says now; None: nothing."""
        before = self._inventories.pop(host, None)
        self._unlisted.discard(host)
        if inventory is not None:
            self._inventories[host] = inventory
        elif host in self._computes:
            self._unlisted.add(host)
        self._move(
            host,
            NOTHING if before is None else before.guests,
            NOTHING if inventory is None else inventory.guests,
        )

    def put_computes(self, hosts: Collection[HostName]) -> None:
        """All hosts that have a nova-compute."""
        self._computes = frozenset(hosts)
        self._unlisted = set(self._computes - self._inventories.keys())

    def _move(
        self,
        host: HostName,
        before: frozenset[InstanceId],
        after: frozenset[InstanceId],
    ) -> None:
        if before == after:
            return
        # One object for all guests of a host: few run on two.
        alone = frozenset([host])
        for guest in after - before:
            others = self._hosts.get(guest)
            self._hosts[guest] = alone if others is None else others | alone
        for guest in before - after:
            left = self._hosts.pop(guest) - alone
            if left:
                self._hosts[guest] = left
