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

"""Where instances go: chosen by us, saved, and only then named to Nova."""

import collections
import copy
import types
from collections.abc import Collection, Mapping

from nova_ha.core import model
from nova_ha.core import reserved

_ALL = reserved.Preference()


class Room:
    """Free capacity and load of the possible targets, counted down while
    targets are being chosen. Lives only within one step.

    :param targets: hosts that may take instances (alive, schedulable), with
        what Placement says is free, by class.
    :param busy: evacuations in flight to each host.
    :param taken: evacuations of this case that went to each host so far.
    :param preference: which of several hosts with room come into question.
    :param domains: failure domains of hosts; one without is its own.
    """

    def __init__(
        self,
        targets: Collection[model.Target],
        busy: Mapping[model.HostName, int],
        taken: Mapping[model.HostName, int],
        per_target: int,
        preference: reserved.Preference = _ALL,
        domains: Mapping[model.HostName, str] = types.MappingProxyType({}),
    ) -> None:
        self._free = {target.host: dict(target.free) for target in targets}
        self._busy = dict(busy)
        self._taken = dict(taken)
        self._per_target = per_target
        self._preference = preference
        self._domains = domains
        self._taken_in: collections.Counter[str] = collections.Counter()
        for host, number in taken.items():
            self._taken_in[self._domain(host)] += number

    def _domain(self, host: model.HostName) -> str:
        return self._domains.get(host) or host

    @property
    def hosts(self) -> Collection[model.HostName]:
        return self._free.keys()

    def within(self, hosts: Collection[model.HostName]) -> "Room":
        """The part of it that is on these hosts; counted down together."""
        part = copy.copy(self)
        part._free = {
            host: free for host, free in self._free.items() if host in hosts
        }
        return part

    def fits(self, host: model.HostName, resources: Mapping[str, int]) -> bool:
        """Whether ``host`` has room; a class that the host does not offer
        has none."""
        free = self._free.get(host)
        return free is not None and all(
            free.get(name, 0) >= amount
            for name, amount in resources.items()
            if amount > 0
        )

    def choose(
        self,
        resources: Mapping[str, int],
        avoid: Collection[model.HostName] = (),
    ) -> model.HostName | None:
        """The host with the fewest evacuations in flight, then the fewest
        of this case, to it and then to its failure domain, then the most free
        memory; None where there is no slot or no room. Names break ties, so
        that the choice is repeatable.

        :param avoid: hosts to take only where there is no other.
        """
        fitting = [host for host in self._free if self.fits(host, resources)]
        candidates = [
            host
            for host in self._preference.among(fitting, avoid)
            if self.slot(host)
        ]
        if not candidates:
            return None
        return min(
            candidates,
            key=lambda host: (
                host in avoid,
                self._busy.get(host, 0),
                self._taken.get(host, 0),
                self._taken_in[self._domain(host)],
                -self._free[host].get("MEMORY_MB", 0),
                host,
            ),
        )

    def full_up(self, resources: Mapping[str, int]) -> bool:
        """Whether no host has room at all, slots aside."""
        return not any(self.fits(host, resources) for host in self._free)

    def slot(self, host: model.HostName) -> bool:
        """Whether ``host`` may take one more evacuation now."""
        return self._busy.get(host, 0) < self._per_target

    def take(self, host: model.HostName, resources: Mapping[str, int]) -> None:
        """Count an evacuation to ``host``."""
        self._busy[host] = self._busy.get(host, 0) + 1
        self._taken[host] = self._taken.get(host, 0) + 1
        self._taken_in[self._domain(host)] += 1
        free = self._free.get(host, {})
        for name, amount in resources.items():
            free[name] = free.get(name, 0) - amount
