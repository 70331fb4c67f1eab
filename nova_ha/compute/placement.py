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

"""What instances ask of Placement, and where there is room for them."""

import collections
from collections.abc import Collection, Iterable, Mapping, Sequence

from nova_ha.compute import hypervisors as hypervisors_module
from nova_ha.compute import rest
from nova_ha.core import model

Amounts = Mapping[str, int]

_CANDIDATES = "/allocation_candidates"
_SHARING = "MISC_SHARES_VIA_AGGREGATE"
_NOT_DISABLED = "!COMPUTE_STATUS_DISABLED"
"""As nova-scheduler asks (nova.scheduler.request_filter): the trait can stay
for a minute after a service was enabled again, and would get an evacuation to
that host refused."""


class Placement:
    """Reads allocations and room."""

    def __init__(
        self,
        placement: rest.Reader,
        hypervisors: hypervisors_module.Hypervisors,
    ) -> None:
        self._placement = placement
        self._hypervisors = hypervisors

    # -- what is in use ------------------------------------------------------

    def consumers(self, host: model.HostName) -> dict[str, dict[str, int]]:
        """Everything that holds an allocation on a host, and how much.

        Most are instances, some are migrations. An instance that was
        evacuated keeps its allocation until the host has come back.
        """
        totals: dict[str, dict[str, int]] = collections.defaultdict(dict)
        for node in self._hypervisors.of_host(host):
            for provider in self._tree(node.id):
                path = f"/resource_providers/{provider}/allocations"
                answer = self._placement.get(path)
                with rest.translated(f"placement: GET {path}"):
                    for consumer, entry in answer["allocations"].items():
                        _add(totals[consumer], entry["resources"])
        return dict(totals)

    def _tree(self, root: str) -> list[str]:
        """A hypervisor's provider and its children (GPUs, NUMA nodes)."""
        answer = self._placement.get("/resource_providers", {"in_tree": root})
        with rest.translated("placement: GET /resource_providers"):
            return [str(p["uuid"]) for p in answer["resource_providers"]]

    # -- where there is room -------------------------------------------------

    def targets(self, requests: Collection[Amounts]) -> Sequence[model.Target]:
        """Hosts that Placement offers for at least one of the requests.

        What is free there is capacity less use, summed over the providers of
        the host (and those that share with it). Where Placement refuses a
        request that would fit by these sums - larger than one unit may be,
        or not a multiple of the step - the host's figure is lowered until it
        does not fit either.
        """
        distinct = {
            tuple(sorted((c, n) for c, n in request.items() if n > 0))
            for request in requests
        }
        distinct.discard(())
        offers = {request: self._offers(request) for request in distinct}
        free: dict[model.HostName, dict[str, int]] = {}
        providers: dict[model.HostName, set[str]] = collections.defaultdict(
            set
        )
        for offer in offers.values():
            for host, room in offer.items():
                free[host] = room.free
                providers[host] |= room.providers
        for request, offer in offers.items():
            for host in free.keys() - offer.keys():
                if _fits(dict(request), free[host]):
                    self._lower(free[host], dict(request), providers[host])
        return [
            model.Target(host=host, free=free[host]) for host in sorted(free)
        ]

    def _offers(
        self, request: tuple[tuple[str, int], ...]
    ) -> "dict[model.HostName, _Room]":
        resources = ",".join(f"{name}:{amount}" for name, amount in request)
        answer = self._placement.get(
            _CANDIDATES,
            {"resources": resources, "root_required": _NOT_DISABLED},
        )
        with rest.translated(f"placement: GET {_CANDIDATES}"):
            summaries = answer["provider_summaries"]
            roots = {
                uuid: str(entry["root_provider_uuid"])
                for uuid, entry in summaries.items()
                if _SHARING not in entry["traits"]
            }
            hosts = self._hypervisors.hosts_of(set(roots.values()))
            rooms: dict[model.HostName, _Room] = {}
            for candidate in answer["allocation_requests"]:
                used = set(candidate["allocations"])
                for root in {roots[uuid] for uuid in used & roots.keys()}:
                    if root in hosts:
                        room = rooms.setdefault(hosts[root], _Room(set()))
                        room.providers |= used | _in_tree(roots, root)
            for room in rooms.values():
                room.add_up(summaries)
        return rooms

    def _lower(
        self,
        free: dict[str, int],
        request: dict[str, int],
        providers: Iterable[str],
    ) -> None:
        """Lower ``free`` in the classes for which Placement must have
        refused ``request``; leave it where that is not to be seen."""
        largest: dict[str, int] = {}
        for provider in providers:
            path = f"/resource_providers/{provider}/inventories"
            answer = self._placement.get(path)
            with rest.translated(f"placement: GET {path}"):
                for name, entry in answer["inventories"].items():
                    if name in request:
                        allowed = _allows(entry, request[name])
                        largest[name] = max(largest.get(name, 0), allowed)
        for name, amount in largest.items():
            if amount < request[name]:
                free[name] = min(free[name], amount)


class _Room:
    """The providers of one host that can serve, and what they have left."""

    def __init__(self, providers: set[str]) -> None:
        self.providers = providers
        self.free: dict[str, int] = {}

    def add_up(self, summaries: rest.Json) -> None:
        for provider in self.providers & summaries.keys():
            for name, entry in summaries[provider]["resources"].items():
                left = int(entry["capacity"]) - int(entry["used"])
                self.free[name] = self.free.get(name, 0) + max(0, left)


def _in_tree(roots: Mapping[str, str], root: str) -> set[str]:
    return {uuid for uuid, its_root in roots.items() if its_root == root}


def _fits(request: Amounts, free: Amounts) -> bool:
    return all(free.get(name, 0) >= n for name, n in request.items())


def _allows(inventory: rest.Json, amount: int) -> int:
    """The most of ``amount`` that one allocation may take here."""
    if amount < int(inventory["min_unit"]):
        return 0
    if amount % int(inventory["step_size"]):
        return amount - 1
    return min(amount, int(inventory["max_unit"]))


def _add(total: dict[str, int], amounts: Amounts) -> None:
    for name, amount in amounts.items():
        total[name] = total.get(name, 0) + int(amount)
