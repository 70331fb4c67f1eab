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

"""What is free by host, with children, sharing providers and limits."""

from typing import Any

from nova_ha import exception
from nova_ha.compute import hypervisors
from nova_ha.compute import placement
from tests import base
from tests.unit.compute import fake_api
from tests.unit.compute import test_hypervisors

SHARING = "MISC_SHARES_VIA_AGGREGATE"


def summary(
    root: str, traits: tuple[str, ...] = (), **amounts: tuple[int, int]
) -> dict[str, Any]:
    return {
        "root_provider_uuid": root,
        "parent_provider_uuid": None,
        "traits": list(traits),
        "resources": {
            name: {"capacity": capacity, "used": used}
            for name, (capacity, used) in amounts.items()
        },
    }


def inventory(**changes: int) -> dict[str, int]:
    return {
        "min_unit": 1,
        "max_unit": 8,
        "step_size": 1,
        "total": 8,
        **changes,
    }


class PlacementCase(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = fake_api.FakeClock()
        self.nova = fake_api.FakeApi()
        self.nova.answers[test_hypervisors.PATH] = fake_api.paged(
            "hypervisors",
            lambda _: [test_hypervisors.entry(f"cmp{n}") for n in (1, 2)],
        )
        self.api = fake_api.FakeApi()
        self.placement = placement.Placement(
            self.api.reader(),
            hypervisors.Hypervisors(self.nova.reader(), self.clock, 10),
        )
        self.summaries = {
            "rp-cmp1": summary("rp-cmp1", VCPU=(128, 20), MEMORY_MB=(999, 9)),
            "rp-cmp2": summary("rp-cmp2", VCPU=(16, 6), MEMORY_MB=(500, 0)),
        }
        self.offers: dict[str, list[list[str]]] = {}
        self.api.answers["/allocation_candidates"] = self.candidates

    def candidates(self, params: dict[str, Any]) -> dict[str, Any]:
        default = [["rp-cmp1"], ["rp-cmp2"]]
        offers = self.offers.get(params["resources"], default)
        return {
            "allocation_requests": [
                {"allocations": {uuid: {"resources": {}} for uuid in offer}}
                for offer in offers
            ],
            "provider_summaries": self.summaries,
        }

    def free(self, *requests: dict[str, int]) -> dict[str, dict[str, int]]:
        return {t.host: dict(t.free) for t in self.placement.targets(requests)}


class TestTargets(PlacementCase):
    def test_capacity_less_use(self) -> None:
        self.assertEqual(
            {
                "cmp1": {"VCPU": 108, "MEMORY_MB": 990},
                "cmp2": {"VCPU": 10, "MEMORY_MB": 500},
            },
            self.free({"VCPU": 1}),
        )

    def test_same_requests_are_asked_once(self) -> None:
        self.free({"VCPU": 1, "MEMORY_MB": 5}, {"MEMORY_MB": 5, "VCPU": 1})
        ((path, query),) = self.api.calls
        self.assertEqual("/allocation_candidates", path)
        self.assertEqual("MEMORY_MB:5,VCPU:1", query["resources"])

    def test_hosts_that_the_scheduler_would_refuse_are_not_offered(
        self,
    ) -> None:
        self.free({"VCPU": 1})
        ((_, query),) = self.api.calls
        self.assertEqual("!COMPUTE_STATUS_DISABLED", query["root_required"])

    def test_nothing_asked(self) -> None:
        self.assertEqual({}, self.free())
        self.assertEqual({}, self.free({}, {"DISK_GB": 0}))
        self.assertEqual([], self.api.calls)

    def test_only_offered_hosts(self) -> None:
        self.offers["VCPU:1"] = [["rp-cmp2"]]
        self.assertEqual(["cmp2"], list(self.free({"VCPU": 1})))

    def test_offered_for_any_request(self) -> None:
        self.offers["VCPU:64"] = [["rp-cmp1"]]
        self.assertEqual(
            ["cmp1", "cmp2"], list(self.free({"VCPU": 1}, {"VCPU": 64}))
        )

    def test_overcommitted_host(self) -> None:
        self.summaries["rp-cmp1"] = summary("rp-cmp1", VCPU=(8, 20))
        self.assertEqual(0, self.free({"MEMORY_MB": 1})["cmp1"]["VCPU"])

    def test_children_count(self) -> None:
        self.summaries["gpu"] = summary("rp-cmp1", VGPU=(4, 1))
        self.offers["VGPU:1"] = [["rp-cmp1", "gpu"]]
        self.assertEqual(3, self.free({"VGPU": 1})["cmp1"]["VGPU"])

    def test_children_count_even_if_not_asked_for(self) -> None:
        self.summaries["gpu"] = summary("rp-cmp1", VGPU=(4, 1))
        self.assertEqual(3, self.free({"VCPU": 1})["cmp1"]["VGPU"])

    def test_sharing_provider_counts_for_each_host(self) -> None:
        self.summaries["pool"] = summary(
            "pool", (SHARING,), DISK_GB=(1000, 100)
        )
        self.offers["DISK_GB:1,VCPU:1"] = [
            ["rp-cmp1", "pool"],
            ["rp-cmp2", "pool"],
        ]
        free = self.free({"VCPU": 1, "DISK_GB": 1})
        self.assertEqual([900, 900], [free[host]["DISK_GB"] for host in free])
        # It is known to be no hypervisor: no reason to read them again.
        reads = len(self.nova.calls)
        self.clock.now += 1000
        self.free({"VCPU": 1, "DISK_GB": 1})
        self.assertEqual(reads, len(self.nova.calls))

    def test_provider_that_is_no_hypervisor(self) -> None:
        self.summaries["alien"] = summary("alien", VCPU=(9, 0))
        self.offers["VCPU:1"] = [["alien"], ["rp-cmp1"]]
        self.assertEqual(["cmp1"], list(self.free({"VCPU": 1})))

    def test_odd_answer(self) -> None:
        self.api.answers["/allocation_candidates"] = {}
        self.assertRaises(exception.ComputeError, self.free, {"VCPU": 1})


class TestLimits(PlacementCase):
    """By the sums the large request fits on cmp1; Placement knows better."""

    def lowered(self, request: int, **limits: int) -> int:
        self.offers[f"VCPU:{request}"] = []
        self.api.answers["/resource_providers/rp-cmp1/inventories"] = {
            "inventories": {"VCPU": inventory(**limits)}
        }
        self.api.answers["/resource_providers/rp-cmp2/inventories"] = {
            "inventories": {"VCPU": inventory()}
        }
        return self.free({"VCPU": 1}, {"VCPU": request})["cmp1"]["VCPU"]

    def test_largest_unit(self) -> None:
        self.assertEqual(8, self.lowered(40))

    def test_step(self) -> None:
        self.assertEqual(6, self.lowered(7, step_size=2))

    def test_smallest_unit(self) -> None:
        self.assertEqual(0, self.lowered(3, min_unit=4))

    def test_not_to_be_seen_why(self) -> None:
        self.assertEqual(108, self.lowered(5))


class TestConsumers(PlacementCase):
    def test_sum_over_the_tree(self) -> None:
        self.api.answers["/resource_providers"] = {
            "resource_providers": [{"uuid": "rp-cmp1"}, {"uuid": "gpu"}]
        }
        self.api.answers["/resource_providers/rp-cmp1/allocations"] = {
            "allocations": {
                "a": {"resources": {"VCPU": 2, "MEMORY_MB": 64}},
                "b": {"resources": {"VCPU": 1}},
            }
        }
        self.api.answers["/resource_providers/gpu/allocations"] = {
            "allocations": {"a": {"resources": {"VGPU": 1}}}
        }
        self.assertEqual(
            {"a": {"VCPU": 2, "MEMORY_MB": 64, "VGPU": 1}, "b": {"VCPU": 1}},
            self.placement.consumers("cmp1"),
        )
        self.assertIn(
            ("/resource_providers", {"in_tree": "rp-cmp1"}), self.api.calls
        )

    def test_unknown_host(self) -> None:
        self.assertEqual({}, self.placement.consumers("cmp9"))
