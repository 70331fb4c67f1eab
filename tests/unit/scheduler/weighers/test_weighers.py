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
"""What each weigher prefers."""

from typing import Any

from nova.scheduler import host_manager
from nova.scheduler import weights

from nova_ha.scheduler.weighers import base as weighers
from nova_ha.scheduler.weighers import evacuation_spread
from nova_ha.scheduler.weighers import failure_domain
from nova_ha.scheduler.weighers import stability
from tests.unit.scheduler import base


class Weighing(base.SchedulerTest):
    weigher: type[weighers.SnapshotWeigher]

    def weigh(
        self, *states: host_manager.HostState, **fields: Any
    ) -> list[float]:
        weighed = [weights.WeighedHost(one, 0.0) for one in states]
        found = self.weigher().weigh_objects(weighed, base.spec(**fields))
        return list(found)


class StabilityTest(Weighing):
    weigher = stability.StabilityWeigher

    def test_stability(self) -> None:
        self.know({"a": base.host(stability=0.5), "b": base.host()})
        self.assertEqual(
            [0.5, 1.0, 1.0], self.weigh(*base.states("a", "b", "not-ours"))
        )

    def test_it_is_not_stretched(self) -> None:
        """A host that is nearly as good as the others stays so."""
        self.assertEqual(
            (0.0, 1.0), (self.weigher.minval, self.weigher.maxval)
        )


class FailureDomainTest(Weighing):
    weigher = failure_domain.FailureDomainWeigher

    def setUp(self) -> None:
        super().setUp()
        self.know(
            {
                "a1": base.host(failure_domain="a"),
                "a2": base.host(failure_domain="a"),
                "b1": base.host(failure_domain="b"),
            }
        )
        self.states = base.states("a2", "b1", "not-ours")

    def test_fewer_members_are_better(self) -> None:
        for policy in failure_domain.POLICIES:
            group = base.group("a1", "a2", "b1", policy=policy)
            self.assertEqual(
                [-2, -1, 0], self.weigh(*self.states, instance_group=group)
            )

    def test_other_requests(self) -> None:
        for group in (None, base.group("a1", policy="affinity")):
            self.assertEqual(
                [0, 0, 0], self.weigh(*self.states, instance_group=group)
            )

    def test_the_fullest_of_several(self) -> None:
        self.set(failure_domain_aggregate_key="rack")
        first = base.aggregate("c1", "c2", "c3", rack="c")
        second = base.aggregate("c1", rack="d")
        self.assertEqual(
            [-2],
            self.weigh(
                base.state("c1", aggregates=[second, first]),
                instance_group=base.group("c2", "c3"),
            ),
        )


class EvacuationSpreadTest(Weighing):
    weigher = evacuation_spread.EvacuationSpreadWeigher

    def test_nothing_is_under_way(self) -> None:
        self.assertEqual([0, 0], self.weigh(*base.states("a", "b")))

    def test_those_that_have_not_arrived_count(self) -> None:
        self.know(
            arrivals={
                "a": frozenset(["one", "two", "three"]),
                "b": frozenset(["four"]),
            }
        )
        self.assertEqual(
            [-2, 0, 0],
            self.weigh(
                base.state("a", "one", "stranger"),
                base.state("b", "four"),
                base.state("c"),
            ),
        )
