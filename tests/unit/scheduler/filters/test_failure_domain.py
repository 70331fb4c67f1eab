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
"""Groups are spread over failure domains, or not placed."""

from typing import Any

from nova.scheduler import host_manager

from nova_ha.scheduler.filters import failure_domain
from tests.unit.scheduler import base

KNOWN = {
    "a1": base.host(failure_domain="a"),
    "a2": base.host(failure_domain="a"),
    "b1": base.host(failure_domain="b"),
    "unset": base.host(),
}


class FailureDomainAntiAffinityFilterTest(base.SchedulerTest):
    def setUp(self) -> None:
        super().setUp()
        self.know(KNOWN)

    def passing(
        self,
        *members_on: str,
        states: list[host_manager.HostState] | None = None,
        **fields: Any,
    ) -> list[str]:
        fields.setdefault("instance_group", base.group(*members_on))
        chosen = failure_domain.FailureDomainAntiAffinityFilter()
        return base.names(
            chosen.filter_all(
                states or base.states("a2", "b1", "unset", "not-ours"),
                base.spec(**fields),
            )
        )

    def test_a_domain_with_a_member_is_full(self) -> None:
        self.assertEqual(["b1", "unset", "not-ours"], self.passing("a1"))

    def test_no_domain_is_left(self) -> None:
        states = base.states("a2", "b1")
        self.assertEqual([], self.passing("a1", "b1", states=states))

    def test_more_members_by_option(self) -> None:
        self.set(failure_domain_max_members=2)
        self.assertIn("a2", self.passing("a1"))
        self.assertNotIn("a2", self.passing("a1", "a2"))

    def test_other_groups_are_free(self) -> None:
        for policy in ("affinity", "soft-anti-affinity", "soft-affinity"):
            group = base.group("a1", policy=policy)
            self.assertEqual(4, len(self.passing(instance_group=group)))
        self.assertEqual(4, len(self.passing(instance_group=None)))

    def test_an_evacuation_does_not_count_where_it_leaves(self) -> None:
        found = self.passing("a1", ignore_hosts=["a1"])
        self.assertEqual(4, len(found))
        # Another member still does.
        found = self.passing("a1", "b1", ignore_hosts=["a1"])
        self.assertNotIn("b1", found)

    def test_members_on_their_way_count_where_they_arrive(self) -> None:
        self.know(KNOWN, arrivals={"a1": frozenset([base.MEMBER])})
        self.assertNotIn("a2", self.passing())

    def test_an_instance_may_stay(self) -> None:
        """A resize in place, where a member is too many already."""
        states = [base.state("a1", base.INSTANCE), *base.states("a2", "b1")]
        found = self.passing("a1", "a2", states=states)
        self.assertEqual(["a1", "b1"], found)

    def test_multi_create(self) -> None:
        """Nova notes each choice in the group before it asks again."""
        states = base.states("a1", "a2", "b1")
        self.assertEqual(3, len(self.passing(states=states)))
        states[0].instances[base.MEMBER] = None
        self.assertEqual(["b1"], self.passing("a1", states=states))


class ByAggregateTest(base.SchedulerTest):
    def setUp(self) -> None:
        super().setUp()
        self.set(failure_domain_aggregate_key="rack")
        rack = base.aggregate("a1", "a2", "full", rack="a")
        other = base.aggregate("b1", rack="b")
        self.states = [
            base.state("a2", aggregates=[rack]),
            base.state("b1", aggregates=[other]),
            base.state("unset"),
        ]

    def passing(self, *members_on: str) -> list[str]:
        chosen = failure_domain.FailureDomainAntiAffinityFilter()
        spec = base.spec(instance_group=base.group(*members_on))
        return base.names(chosen.filter_all(self.states, spec))

    def test_members_on_hosts_that_are_no_candidates(self) -> None:
        self.assertEqual(["b1", "unset"], self.passing("full"))

    def test_records_do_not_matter(self) -> None:
        self.know({"b1": base.host(failure_domain="a")})
        self.assertEqual(["b1", "unset"], self.passing("full"))

    def test_it_needs_no_zookeeper(self) -> None:
        self.set(fail_closed=True)
        self.know({}, age=31.0)
        self.assertEqual(["b1", "unset"], self.passing("full"))


class BlindTest(base.SchedulerTest):
    def test_by_record(self) -> None:
        self.know(KNOWN, age=31.0)
        for closed, expected in ((False, ["a2"]), (True, [])):
            self.set(fail_closed=closed)
            chosen = failure_domain.FailureDomainAntiAffinityFilter()
            spec = base.spec(instance_group=base.group("a1"))
            found = chosen.filter_all(base.states("a2"), spec)
            self.assertEqual(expected, base.names(found))
