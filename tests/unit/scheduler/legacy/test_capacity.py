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

"""What fits where, as Nova's documentation said of these filters."""

import types
from typing import Any

import fixtures
from nova.objects import flavor
from nova.objects import request_spec

from nova_ha.scheduler.legacy import capacity
from tests import base


def host(
    *aggregates: dict[str, str], ratio: float = 1.0, **values: Any
) -> types.SimpleNamespace:
    """A HostState: 8 CPUs, 8000 MiB, 100 GiB, and nothing used."""
    return types.SimpleNamespace(
        **{
            "host": "cmp1",
            "vcpus_total": 8,
            "vcpus_used": 0,
            "total_usable_ram_mb": 8000,
            "free_ram_mb": 8000,
            "total_usable_disk_gb": 100,
            "free_disk_mb": 100 * 1024,
            "cpu_allocation_ratio": ratio,
            "ram_allocation_ratio": ratio,
            "disk_allocation_ratio": ratio,
            "aggregates": [
                types.SimpleNamespace(metadata=one) for one in aggregates
            ],
            **values,
        }
    )


def request(
    vcpus: int = 1,
    ram: int = 1000,
    root: int = 0,
    ephemeral: int = 0,
    swap: int = 0,
    **values: Any,
) -> request_spec.RequestSpec:
    return request_spec.RequestSpec(
        flavor=flavor.Flavor(
            vcpus=vcpus,
            memory_mb=ram,
            root_gb=root,
            ephemeral_gb=ephemeral,
            swap=swap,
        ),
        **values,
    )


class CapacityTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger("nova_ha"))

    def assert_passes(self, passes: bool, filter_: Any, *args: Any) -> None:
        self.assertIs(passes, filter_.host_passes(*args))


class TestCore(CapacityTest):
    def test_up_to_the_ratio(self) -> None:
        state = host(ratio=2.0, vcpus_used=12)
        core = capacity.CoreFilter()
        self.assert_passes(True, core, state, request(vcpus=4))
        self.assert_passes(False, core, state, request(vcpus=5))

    def test_never_more_than_the_host_has(self) -> None:
        core = capacity.CoreFilter()
        self.assert_passes(False, core, host(ratio=16.0), request(vcpus=9))
        self.assert_passes(True, core, host(ratio=16.0), request(vcpus=8))

    def test_host_that_does_not_count_passes(self) -> None:
        state = host(vcpus_total=0)
        self.assert_passes(True, capacity.CoreFilter(), state, request())

    def test_is_told_to_be_legacy(self) -> None:
        capacity.CoreFilter()
        self.assertIn("CoreFilter is a legacy filter", self.log.output)


class TestRam(CapacityTest):
    def test_up_to_the_ratio(self) -> None:
        state = host(ratio=1.5, free_ram_mb=-1000)  # 9000 of 12000 used
        ram = capacity.RamFilter()
        self.assert_passes(True, ram, state, request(ram=3000))
        self.assert_passes(False, ram, state, request(ram=3001))

    def test_never_more_than_the_host_has(self) -> None:
        ram = capacity.RamFilter()
        self.assert_passes(False, ram, host(ratio=1.5), request(ram=8001))


class TestDisk(CapacityTest):
    def test_root_ephemeral_and_swap(self) -> None:
        state = host(free_disk_mb=3 * 1024)
        disk = capacity.DiskFilter()
        fits = request(root=1, ephemeral=1, swap=1024)
        self.assert_passes(True, disk, state, fits)
        more = request(root=1, ephemeral=1, swap=1025)
        self.assert_passes(False, disk, state, more)

    def test_up_to_the_ratio(self) -> None:
        state = host(ratio=2.0, free_disk_mb=0)
        disk = capacity.DiskFilter()
        self.assert_passes(True, disk, state, request(root=100))
        self.assert_passes(False, disk, state, request(root=101))

    def test_root_on_a_volume_takes_nothing(self) -> None:
        state = host(free_disk_mb=1024)
        disk = capacity.DiskFilter()
        on_volume = request(root=50, ephemeral=1, is_bfv=True)
        self.assert_passes(True, disk, state, on_volume)
        on_disk = request(root=50, ephemeral=1, is_bfv=False)
        self.assert_passes(False, disk, state, on_disk)


class TestAggregateRatios(CapacityTest):
    def passes(self, *aggregates: dict[str, str]) -> bool:
        """With a host's ratio of 2: are 16 CPUs used, and one wanted, too
        many?"""
        state = host(*aggregates, ratio=2.0, vcpus_used=16)
        found: bool = self.core.host_passes(state, request())
        return found

    def setUp(self) -> None:
        super().setUp()
        self.core = capacity.AggregateCoreFilter()

    def test_hosts_own_where_no_aggregate_has_one(self) -> None:
        self.assertFalse(self.passes())
        self.assertFalse(self.passes({"ram_allocation_ratio": "9"}))

    def test_of_the_aggregate(self) -> None:
        self.assertTrue(self.passes({"cpu_allocation_ratio": "2.2"}))

    def test_smallest_of_several_as_numbers(self) -> None:
        self.assertTrue(
            self.passes(
                {"cpu_allocation_ratio": "10.0"},
                {"cpu_allocation_ratio": "9.0"},
            )
        )
        self.assertFalse(
            self.passes(
                {"cpu_allocation_ratio": "10.0"},
                {"cpu_allocation_ratio": "1.5"},
            )
        )

    def test_no_number_is_told_once_and_left_out(self) -> None:
        for text in ("much", "nan", "inf"):
            for _ in range(2):
                self.assertFalse(self.passes({"cpu_allocation_ratio": text}))
            self.assertEqual(
                1, self.log.output.count(f"'{text}', which is no number")
            )

    def test_each_resource_has_its_key(self) -> None:
        for filter_, key, asked in (
            (
                capacity.AggregateRamFilter(),
                "ram_allocation_ratio",
                request(ram=1),
            ),
            (
                capacity.AggregateDiskFilter(),
                "disk_allocation_ratio",
                request(root=1),
            ),
        ):
            full = {"free_ram_mb": 0, "free_disk_mb": 0}
            self.assert_passes(False, filter_, host(**full), asked)
            generous = host({key: "2"}, **full)
            self.assert_passes(True, filter_, generous, asked)
