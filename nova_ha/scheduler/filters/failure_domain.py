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
"""Spreads server groups over failure domains."""

from typing import Any

from nova_ha.coordination import view
from nova_ha.scheduler import domains as domains_module
from nova_ha.scheduler import spec as spec_module
from nova_ha.scheduler.filters import base


class FailureDomainAntiAffinityFilter(base.SnapshotFilter):
    """Passes hosts in domains that have room for one more group member.

    A hard rule, for groups with the policy anti-affinity: boots, migrations
    and evacuations that would break it fail. Hosts whose domain is not known
    pass, and so does the host that the instance is on already.
    """

    def _select(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> list[Any]:
        group = spec_module.group(spec)
        if group is None or group.policy != "anti-affinity":
            return candidates
        domains = domains_module.known_by(
            self._options.failure_domain_aggregate_key,
            candidates,
            snapshot.hosts,
        )
        load = domains.load(
            domains_module.spread(group, candidates, snapshot.arrivals)
        )
        most = self._options.failure_domain_max_members
        full = {domain for domain, count in load.items() if count >= most}
        return [
            one
            for one in candidates
            if full.isdisjoint(domains.of(one.host))
            or group.instance in one.instances
        ]

    def _blindly(self, candidates: list[Any], spec: Any) -> list[Any]:
        if self._options.failure_domain_aggregate_key:
            # These are known without ZooKeeper.
            return self._select(candidates, view.ViewSnapshot(), spec)
        return super()._blindly(candidates, spec)
