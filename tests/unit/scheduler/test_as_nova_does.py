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
"""All of ours together, loaded and called by Nova's own handlers."""

from typing import Any

from nova.scheduler import filters
from nova.scheduler import host_manager
from nova.scheduler import weights

from tests.unit.scheduler import base

FILTERS = {
    "FailureDomainAntiAffinityFilter",
    "HostLivenessFilter",
    "ReservedHostFilter",
    "SharedStorageFilter",
}
KNOWN = {
    "a1": base.host(failure_domain="a", storage_domain="ceph-1"),
    "a2": base.host(failure_domain="a", storage_domain="ceph-1"),
    "b1": base.host(failure_domain="b", storage_domain="ceph-1"),
    "c1": base.host(failure_domain="c", storage_domain="ceph-2"),
    "kept": base.host(
        failure_domain="b", storage_domain="ceph-1", reserved=True
    ),
    "lost": base.host(
        failure_domain="c", storage_domain="ceph-1", absent=True
    ),
}


class AsNovaDoesTest(base.SchedulerTest):
    def setUp(self) -> None:
        super().setUp()
        self.know(KNOWN)
        self.filtering = filters.HostFilterHandler()
        found = self.filtering.get_matching_classes(
            ["nova_ha.scheduler.all_filters"]
        )
        ours = [one for one in found if one.__name__ in FILTERS]
        self.assertEqual(len(FILTERS), len(ours))
        self.filters = [one() for one in ours]
        self.weighing = weights.HostWeightHandler()
        self.weighers = [
            one()
            for one in self.weighing.get_matching_classes(
                ["nova_ha.scheduler.all_weighers"]
            )
        ]
        self.assertEqual(3, len(self.weighers))
        self.states = base.states("a1", "a2", "b1", "c1", "kept")

    def passing(self, spec: Any, index: int = 0) -> list[str]:
        found = self.filtering.get_filtered_objects(
            self.filters, self.states, spec, index
        )
        return base.names(found)

    def test_a_boot(self) -> None:
        self.assertEqual(["a1", "a2", "b1", "c1"], self.passing(base.spec()))

    def test_an_evacuation(self) -> None:
        """Reserved hosts too, where the disks are, in another domain."""
        group = base.group("lost", "a1")
        spec = base.leaving("lost", instance_group=group)
        self.assertEqual(["b1", "kept"], self.passing(spec))

    def test_several_of_a_group_in_one_request(self) -> None:
        spec = base.spec(instance_group=base.group())
        chosen = []
        for index, instance in enumerate(
            (base.INSTANCE, base.MEMBER, base.OTHER)
        ):
            spec.instance_uuid = instance
            best = self.best(spec, index)
            chosen.append(KNOWN[best.host].failure_domain)
            # As nova.scheduler.manager does before the next one.
            spec.instance_group.hosts.append(best.host)
            best.instances[instance] = None
        self.assertEqual({"a", "b", "c"}, set(chosen))
        spec.instance_uuid = "00000000-0000-4000-8000-000000000004"
        self.assertEqual([], self.passing(spec, 3))

    def best(self, spec: Any, index: int) -> host_manager.HostState:
        passing = self.passing(spec, index)
        weighed = self.weighing.get_weighed_objects(
            self.weighers,
            [one for one in self.states if one.host in passing],
            spec,
        )
        return weighed[0].obj
