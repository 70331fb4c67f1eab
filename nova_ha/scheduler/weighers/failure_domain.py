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
"""Prefers failure domains with fewer members of the server group."""

from collections.abc import Sequence
from typing import Any

from nova_ha.coordination import view
from nova_ha.scheduler import domains as domains_module
from nova_ha.scheduler import spec as spec_module
from nova_ha.scheduler.weighers import base

POLICIES = ("anti-affinity", "soft-anti-affinity")


class FailureDomainWeigher(base.SnapshotWeigher):
    """Minus the number of group members in the host's failure domain; of
    several, in the fullest one."""

    multiplier = "failure_domain_weight_multiplier"

    def _weigh(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> Sequence[float]:
        group = spec_module.group(spec)
        if group is None or group.policy not in POLICIES:
            return [0.0] * len(candidates)
        domains = domains_module.known_by(
            self._options.failure_domain_aggregate_key,
            candidates,
            snapshot.hosts,
        )
        load = domains.load(
            domains_module.spread(group, candidates, snapshot.arrivals)
        )
        return [
            -max([load[domain] for domain in domains.of(one.host)], default=0)
            for one in candidates
        ]
