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

import abc
import collections
import dataclasses
from collections.abc import Collection, Iterable, Mapping
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


class Domains(abc.ABC):
    """Which failure domains hosts belong to."""

    @abc.abstractmethod
    def of(self, host: HostName) -> Collection[str]:
        """The domains of a host; none if they are not known."""

    def load(
        self, members: Mapping[HostName, int]
    ) -> collections.Counter[str]:
        """How many members each domain holds, of those on known hosts."""
        load: collections.Counter[str] = collections.Counter()
        for host, count in members.items():
            for domain in self.of(host):
                load[domain] += count
        return load


class Recorded(Domains):
    """By the records of the enrolled hosts: one domain each."""

    def __init__(self, hosts: Mapping[HostName, view.HostView]) -> None:
        self._hosts = hosts

    def of(self, host: HostName) -> Collection[str]:
        known = self._hosts.get(host)
        if known is None or not known.failure_domain:
            return ()
        return (known.failure_domain,)


class Aggregated(Domains):
    """By the metadata of Nova's aggregates: a rack and a row, perhaps.

    Known are all hosts of each aggregate that has a candidate: no member
    elsewhere shares a domain with one.
    """

    def __init__(self, key: str, candidates: Iterable[Candidate]) -> None:
        # Nova shares an aggregate among the states of all its hosts.
        distinct = {
            id(aggregate): aggregate
            for candidate in candidates
            for aggregate in candidate.aggregates
        }
        self._domains: dict[str, set[str]] = {}
        for aggregate in distinct.values():
            domain = aggregate.metadata.get(key)
            if domain:
                for host in aggregate.hosts:
                    self._domains.setdefault(host, set()).add(domain)

    def of(self, host: HostName) -> Collection[str]:
        return self._domains.get(host, ())


def known_by(
    key: str,
    candidates: Iterable[Candidate],
    hosts: Mapping[HostName, view.HostView],
) -> Domains:
    """The domains by metadata key ``key``, or by the records without one."""
    return Aggregated(key, candidates) if key else Recorded(hosts)
