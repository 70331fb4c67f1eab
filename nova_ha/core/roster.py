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

"""Who may be fenced: what the brake's fractions and domains are of."""

from collections.abc import Iterable, Mapping

from nova_ha.core import model
from nova_ha.core.model import record


@record
class Roster:
    """The monitored hosts: enrolled, and neither protected nor taken out by
    an operator or by their own failures."""

    hosts: frozenset[model.HostName]
    domains: Mapping[str, tuple[model.HostName, ...]]
    """By failure domain; hosts without one are left out."""


def of(records: Iterable[model.HostRecord | None]) -> Roster:
    """The roster of all hosts there are."""
    hosts = set()
    domains: dict[str, list[model.HostName]] = {}
    for one in records:
        if one is None or not _monitored(one):
            continue
        hosts.add(one.host)
        if one.failure_domain:
            domains.setdefault(one.failure_domain, []).append(one.host)
    return Roster(
        hosts=frozenset(hosts),
        domains={name: tuple(sorted(them)) for name, them in domains.items()},
    )


def _monitored(one: model.HostRecord) -> bool:
    return not one.protected and not one.maintenance and one.quarantine is None
