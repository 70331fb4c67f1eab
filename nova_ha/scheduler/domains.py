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
"""How the members of a server group are spread over failure domains."""

import collections
import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from nova_ha.core import view
from nova_ha.core.model import HostName
from nova_ha.core.model import InstanceId


class Aggregate(Protocol):
    """Nova's Aggregate, as far as it matters here."""

    @property
    def metadata(self) -> Mapping[str, str]: ...

    @property
    def hosts(self) -> Collection[str]: ...


class Candidate(Protocol):
    """Nova's HostState, as far as it matters here."""

    @property
    def host(self) -> HostName: ...

    @property
    def instances(self) -> Collection[str]:
        """Keyed by UUID."""

    @property
    def aggregates(self) -> Iterable[Aggregate]: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """A server group, as a request for one of its members shows it."""

    policy: str
    members: frozenset[InstanceId]
    hosts: frozenset[HostName]
    """Where members are: each host once, and the latest of this request."""
    instance: InstanceId
    """What the request is for."""
    source: HostName | None = None
    """The host that it leaves."""


Arrivals = Mapping[HostName, frozenset[InstanceId]]


def spread(
    group: Group, candidates: Iterable[Candidate], arrivals: Arrivals
) -> dict[HostName, int]:
    """How many members are on a host, or on their way to it.

    The instance that is being placed counts nowhere. Nova tells exactly what
    runs on a candidate. Of another host it says only that a member is there:
    that is counted as one. The source is left out: often its only member is
    the one that leaves.
    """
    placed: dict[HostName, set[InstanceId]] = {}
    for host, expected in arrivals.items():
        if found := expected & group.members:
            placed[host] = set(found)
    unseen = set(group.hosts)
    for candidate in candidates:
        if candidate.host in group.hosts:
            here = group.members.intersection(candidate.instances)
            # None: Nova knows from its database what has not reached the
            # scheduler's own lists yet.
            if here:
                unseen.discard(candidate.host)
                placed.setdefault(candidate.host, set()).update(here)
    counts = {
        host: len(ids - {group.instance}) for host, ids in placed.items()
    }
    for host in unseen - {group.source}:
        counts[host] = max(1, counts.get(host, 0))
    return counts


class Domains(Protocol):
    """Which failure domains hosts belong to."""

    def of(self, candidate: Candidate) -> Collection[str]:
        """The domains of a candidate; none if they are not known."""

    def load(self, members: Mapping[HostName, int]) -> Mapping[str, int]:
        """How many members each domain holds."""


class Recorded:
    """By the records of the enrolled hosts: one domain each."""

    def __init__(self, hosts: Mapping[HostName, view.HostView]) -> None:
        self._hosts = hosts

    def of(self, candidate: Candidate) -> Collection[str]:
        return self._named(candidate.host)

    def load(self, members: Mapping[HostName, int]) -> Mapping[str, int]:
        load: collections.Counter[str] = collections.Counter()
        for host, count in members.items():
            for domain in self._named(host):
                load[domain] += count
        return load

    def _named(self, host: HostName) -> Collection[str]:
        known = self._hosts.get(host)
        if known is None or not known.failure_domain:
            return ()
        return (known.failure_domain,)


class Aggregated:
    """By the metadata of Nova's aggregates: a rack and a row, perhaps.

    A domain is all hosts of all aggregates that have the same value. They
    are known of each domain that has a candidate; others do not matter.
    """

    def __init__(self, key: str, candidates: Sequence[Candidate]) -> None:
        self._key = key
        self._hosts: dict[str, set[str]] = {}
        # Nova shares an aggregate among the states of all its hosts.
        distinct = {
            id(aggregate): aggregate
            for candidate in candidates
            for aggregate in candidate.aggregates
        }
        for aggregate in distinct.values():
            domain = aggregate.metadata.get(key)
            if domain:
                self._hosts.setdefault(domain, set()).update(aggregate.hosts)

    def of(self, candidate: Candidate) -> Collection[str]:
        return [
            aggregate.metadata[self._key]
            for aggregate in candidate.aggregates
            if aggregate.metadata.get(self._key)
        ]

    def load(self, members: Mapping[HostName, int]) -> Mapping[str, int]:
        return {
            domain: sum(members[HostName(one)] for one in hosts & set(members))
            for domain, hosts in self._hosts.items()
        }


def known_by(
    key: str,
    candidates: Sequence[Candidate],
    hosts: Mapping[HostName, view.HostView],
) -> Domains:
    """The domains by metadata key ``key``, or by the records without one."""
    return Aggregated(key, candidates) if key else Recorded(hosts)
