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
"""How a group is spread."""

from typing import Any

from nova_ha.scheduler import domains
from tests import base as tests_base
from tests.unit.scheduler import base
from tests.unit.scheduler.base import INSTANCE
from tests.unit.scheduler.base import MEMBER
from tests.unit.scheduler.base import OTHER


class SpreadTest(tests_base.TestCase):
    def spread(
        self,
        *candidates: Any,
        hosts: tuple[str, ...] = (),
        source: str | None = None,
        arrivals: dict[str, frozenset[str]] | None = None,
    ) -> dict[str, int]:
        group = domains.Group(
            policy="anti-affinity",
            members=frozenset([INSTANCE, MEMBER, OTHER]),
            hosts=frozenset(hosts),
            instance=INSTANCE,
            source=source,
        )
        found = domains.spread(group, candidates, arrivals or {})
        return {host: count for host, count in found.items() if count}

    def test_nobody_anywhere(self) -> None:
        self.assertEqual({}, self.spread(base.state("a", "stranger")))

    def test_what_runs_on_candidates(self) -> None:
        self.assertEqual(
            {"a": 2, "b": 1},
            self.spread(
                base.state("a", MEMBER, OTHER, "stranger"),
                base.state("b", MEMBER),
                hosts=("a", "b"),
            ),
        )

    def test_hosts_that_are_no_candidates_have_one(self) -> None:
        self.assertEqual({"full": 1}, self.spread(hosts=("full",)))

    def test_what_the_scheduler_has_not_heard_of_yet(self) -> None:
        self.assertEqual({"a": 1}, self.spread(base.state("a"), hosts=("a",)))

    def test_the_instance_itself_counts_nowhere(self) -> None:
        """A resize, which may stay; an evacuation, which may not."""
        self.assertEqual(
            {}, self.spread(base.state("a", INSTANCE), hosts=("a",))
        )
        self.assertEqual({}, self.spread(hosts=("a",), source="a"))

    def test_arrivals_count_once(self) -> None:
        to_b = {"b": frozenset([MEMBER, INSTANCE, "stranger"])}
        self.assertEqual({"b": 1}, self.spread(arrivals=to_b))
        for there in ((), (MEMBER,)):
            found = self.spread(
                base.state("b", *there), hosts=("b",), arrivals=to_b
            )
            self.assertEqual({"b": 1}, found)


class DomainsTest(tests_base.TestCase):
    def test_recorded(self) -> None:
        found = domains.known_by(
            "",
            [],
            {
                "a": base.host(failure_domain="r1"),
                "b": base.host(failure_domain="r1"),
                "c": base.host(failure_domain="r2"),
                "d": base.host(),
            },
        )
        self.assertEqual(("r1",), found.of("a"))
        self.assertEqual((), found.of("d"))
        self.assertEqual((), found.of("unknown"))
        self.assertEqual(
            {"r1": 3, "r2": 1},
            found.load({"a": 2, "b": 1, "c": 1, "d": 1, "unknown": 5}),
        )

    def test_aggregated(self) -> None:
        """By hosts that are no candidates, too, and over aggregates."""
        first = base.aggregate("a", "full", rack="r1", row="x")
        second = base.aggregate("b", "a", rack="r1")
        third = base.aggregate("c", rack="r2")
        plain = base.aggregate("a", "c", ssd="true")
        candidates = [
            base.state("a", aggregates=[first, second, plain]),
            base.state("b", aggregates=[second]),
            base.state("c", aggregates=[plain, third]),
        ]
        found = domains.known_by("rack", candidates, {})
        for host, racks in (
            ("a", {"r1"}),
            ("full", {"r1"}),
            ("c", {"r2"}),
            ("elsewhere", set()),
        ):
            self.assertEqual(racks, set(found.of(host)))
        self.assertEqual(
            {"r1": 4},
            found.load({"a": 2, "full": 1, "b": 1, "elsewhere": 1}),
        )

    def test_an_aggregate_that_names_no_domain(self) -> None:
        for aggregate in (
            base.aggregate("a", ssd="true"),
            base.aggregate("a", rack=""),
        ):
            candidates = [base.state("a", aggregates=[aggregate])]
            found = domains.known_by("rack", candidates, {})
            self.assertEqual((), found.of("a"))

    def test_a_host_in_two_domains(self) -> None:
        racks = [base.aggregate("a", rack=rack) for rack in ("r1", "r2")]
        candidates = [base.state("a", aggregates=racks)]
        found = domains.known_by("rack", candidates, {})
        self.assertEqual({"r1", "r2"}, found.of("a"))
        self.assertEqual({"r1": 1, "r2": 1}, found.load({"a": 1}))
