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

"""Configurations of nova-scheduler: an old one, everything, plug-ins.

Nova runs in this process and reads a nova.conf as its daemons do. There is no
ZooKeeper, so that our filters pass what they do not know; what they decide is
tested elsewhere, here that they work together with Nova's.
"""

import importlib
import pathlib
import sys
from typing import Any
from unittest import mock

import fixtures
import nova.tests.functional  # must be the first of nova
from nova import objects
from nova.scheduler import filters as nova_filters
from nova.scheduler import host_manager
from nova.scheduler import weights as nova_weights
from nova.tests.functional import integrated_helpers
from nova.virt import fake

from nova_ha import exception
from nova_ha import scheduler
from tests.functional import test_nova_in_process

BRIDGE = """
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_ha.scheduler.all_filters
"""

LEGACY = [
    "RetryFilter",
    "AvailabilityZoneFilter",
    "CoreFilter",
    "RamFilter",
    "DiskFilter",
    "AggregateCoreFilter",
    "AggregateRamFilter",
    "AggregateDiskFilter",
]

CLASSIC = [
    *LEGACY,
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
    "HostLivenessFilter",
]


class ConfiguredNova(integrated_helpers.ProviderUsageBaseTestCase):
    """A Nova with a nova.conf and three computes."""

    compute_driver = "fake.MediumFakeDriver"
    microversion = "2.94"
    nova_conf = ""

    def setUp(self) -> None:
        test_nova_in_process.link_configuration()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.read(self.nova_conf)
        self.report_free_disk()
        super().setUp()
        self.computes = {
            host: self._start_compute(host)
            for host in ("cmp1", "cmp2", "cmp3")
        }

    def read(self, text: str) -> None:
        """Have Nova's fixture read this file, where it would read none."""
        file = self.directory / "nova.conf"
        file.write_text(text)
        parse = nova.config.parse_args

        def with_file(argv: list[str], **kwargs: Any) -> None:
            parse(argv, **(kwargs | {"default_config_files": [str(file)]}))

        patch = mock.patch.object(nova.config, "parse_args", with_file)
        patch.start()
        self.addCleanup(patch.stop)

    def report_free_disk(self) -> None:
        """As libvirt does; the fake driver says that there is none at all,
        which DiskFilter believes."""
        report = fake.FakeDriver.get_available_resource

        def with_free_disk(*args: Any) -> dict[str, Any]:
            found: dict[str, Any] = report(*args)
            free = found["local_gb"] - found["local_gb_used"]
            return found | {"disk_available_least": free}

        patch = mock.patch.object(
            fake.FakeDriver, "get_available_resource", with_free_disk
        )
        patch.start()
        self.addCleanup(patch.stop)

    def enabled(self) -> list[str]:
        """Names of the filters that this Nova's scheduler uses."""
        manager = self.scheduler_service.manager.host_manager
        return [type(one).__name__ for one in manager.enabled_filters]

    def boot(self, **kwargs: Any) -> dict[str, Any]:
        server: dict[str, Any] = self._create_server(networks="none", **kwargs)
        return server

    def host_of(self, server: dict[str, Any]) -> str:
        found = self.api.get_server(server["id"])
        return str(found["OS-EXT-SRV-ATTR:host"])

    def lose(self, host: str) -> None:
        """A host dies, and Nova is told."""
        self.computes[host].stop()
        self.api.put_service_force_down(
            self.computes[host].service_ref.uuid, True
        )

    def evacuate(self, server: dict[str, Any]) -> str:
        """Returns where it went."""
        before = self.host_of(server)
        self.lose(before)
        self._evacuate_server(server, expected_state="ACTIVE")
        self.assertNotEqual(before, self.host_of(server))
        return self.host_of(server)

    def aggregate(
        self, *hosts: str, name: str = "one", **metadata: str
    ) -> None:
        made = self.api.post_aggregate({"aggregate": {"name": name}})
        for host in hosts:
            self.api.add_host_to_aggregate(made["id"], host)
        self.api.api_post(
            f"/os-aggregates/{made['id']}/action",
            {"set_metadata": {"metadata": metadata}},
        )


class TestClassicConfiguration(ConfiguredNova):
    nova_conf = (
        f"[DEFAULT]\nscheduler_default_filters = {','.join(CLASSIC)}\n{BRIDGE}"
    )

    def test_starts_and_schedules(self) -> None:
        self.assertEqual(CLASSIC, self.enabled())
        self.assertIn(
            f"[filter_scheduler] enabled_filters = {', '.join(CLASSIC)}",
            self.stdlog.logger.output,
        )
        server = self.boot()
        self.evacuate(server)

    def test_ratio_of_an_aggregate(self) -> None:
        """Placement, which does not know it, would take all three hosts."""
        self.aggregate("cmp1", "cmp3", ram_allocation_ratio="0.0")
        self.assertEqual(
            {"cmp2"}, {self.host_of(self.boot()) for _ in range(3)}
        )

    def test_zone(self) -> None:
        self.aggregate("cmp3", availability_zone="east")
        self.assertEqual("cmp3", self.host_of(self.boot(az="east")))


class TestModernListBesideTheOldOne(ConfiguredNova):
    nova_conf = (
        "[DEFAULT]\nscheduler_default_filters = NoSuchFilter\n"
        f"{BRIDGE}enabled_filters = ComputeFilter,HostLivenessFilter\n"
    )

    def test_modern_list_wins(self) -> None:
        self.assertEqual(
            ["ComputeFilter", "HostLivenessFilter"], self.enabled()
        )
        self.boot()


def everything() -> list[str]:
    """All filters that Nova has, and all of ours."""
    return sorted(
        one.__name__
        for one in (*nova_filters.all_filters(), *scheduler.all_filters())
    )


class TestEverythingEnabled(ConfiguredNova):
    def setUp(self) -> None:
        self.nova_conf = (
            f"{BRIDGE}enabled_filters = {','.join(everything())}\n"
            "weight_classes = nova.scheduler.weights.all_weighers,"
            "nova_ha.scheduler.all_weighers\n"
        )
        super().setUp()

    def test_all_are_in_use(self) -> None:
        self.assertEqual(everything(), self.enabled())
        for name in (*LEGACY, "HostLivenessFilter", "NUMATopologyFilter"):
            self.assertIn(name, self.enabled())
        manager = self.scheduler_service.manager.host_manager
        expected = {*nova_weights.all_weighers(), *scheduler.all_weighers()}
        self.assertEqual(expected, {type(one) for one in manager.weighers})

    def test_boots_and_moves(self) -> None:
        server = self.boot()
        first = self.host_of(server)
        self._migrate_server(server)
        self._confirm_resize(server)
        self.assertNotEqual(first, self.host_of(server))
        larger = self._create_flavor(vcpu=2, memory_mb=1024, disk=10)
        self._resize_server(server, larger)
        self._confirm_resize(server)
        self.evacuate(server)

    def test_live_migration(self) -> None:
        """By itself: the fake driver leaves its guest behind on the source,
        where it would be in the way of a later move."""
        server = self.boot()
        before = self.host_of(server)
        self._live_migrate(server)
        self.assertNotEqual(before, self.host_of(server))

    def test_several_at_once(self) -> None:
        body = self._build_server(networks="none")
        body |= {"min_count": 3, "max_count": 3}
        self.api.post_server({"server": body})
        for server in self.api.get_servers():
            self._wait_for_state_change(server, "ACTIVE")

    def group_of_two(self, policy: str) -> list[dict[str, Any]]:
        """Servers of one group with this policy."""
        group = self.api.post_server_groups({"name": policy, "policy": policy})
        hints = {"os:scheduler_hints": {"group": group["id"]}}
        return [
            self._wait_for_state_change(
                self.api.post_server(
                    {"server": self._build_server(networks="none")} | hints
                ),
                "ACTIVE",
            )
            for _ in range(2)
        ]

    def test_server_groups(self) -> None:
        for policy, hosts in (("anti-affinity", 2), ("affinity", 1)):
            servers = self.group_of_two(policy)
            self.assertEqual(hosts, len(set(map(self.host_of, servers))))

    def test_evacuation_keeps_members_apart(self) -> None:
        one, other = self.group_of_two("anti-affinity")
        self.assertNotEqual(self.host_of(other), self.evacuate(one))


GOOD = """
from nova.scheduler import filters


class PickyFilter(filters.BaseHostFilter):
    def host_passes(self, host_state, spec_obj):
        return host_state.host == "cmp2"
"""

FAILING = """
from nova.scheduler import filters
from nova.scheduler import weights


class FailingFilter(filters.BaseHostFilter):
    def __init__(self):
        raise ValueError("no racks are configured")


class FailingWeigher(weights.BaseHostWeigher):
    def __init__(self):
        raise ValueError("no racks are configured")

    def _weigh_object(self, host_state, weight_properties):
        return 0.0
"""

BROKEN = "raise AssertionError('this plug-in is broken')\n"

ENTRY_POINTS = """
[nova_ha.scheduler.filters]
BrokenFilter = example_broken:BrokenFilter
FailingFilter = example_failing:FailingFilter
PickyFilter = example_good:PickyFilter

[nova_ha.scheduler.weighers]
BrokenWeigher = example_broken:BrokenWeigher
FailingWeigher = example_failing:FailingWeigher
"""


class PluginTest(ConfiguredNova):
    """A package of somebody else's is installed."""

    def setUp(self) -> None:
        site = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        information = site / "example-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n"
        )
        (information / "entry_points.txt").write_text(ENTRY_POINTS)
        (site / "example_good.py").write_text(GOOD)
        (site / "example_broken.py").write_text(BROKEN)
        (site / "example_failing.py").write_text(FAILING)
        sys.path.append(str(site))
        self.addCleanup(importlib.invalidate_caches)
        self.addCleanup(sys.path.remove, str(site))
        importlib.invalidate_caches()
        super().setUp()


class TestPlugins(PluginTest):
    nova_conf = f"{BRIDGE}enabled_filters = ComputeFilter,PickyFilter\n"

    def test_good_one_decides(self) -> None:
        self.assertEqual(["ComputeFilter", "PickyFilter"], self.enabled())
        self.assertEqual(
            {"cmp2"}, {self.host_of(self.boot()) for _ in range(2)}
        )

    def test_broken_one_is_named(self) -> None:
        self.assertIn(
            "BrokenFilter: example_broken:BrokenFilter cannot be imported: "
            "AssertionError: this plug-in is broken",
            self.stdlog.logger.output,
        )

    def refusal(self, **options: list[str]) -> str:
        """Why nova-scheduler does not start with these options."""
        self.flags(group="filter_scheduler", **options)
        objects.register_all()
        error = self.assertRaises(
            exception.ConfigError, host_manager.HostManager
        )
        return str(error)

    def test_broken_one_that_is_enabled_stops_the_scheduler(self) -> None:
        why = self.refusal(enabled_filters=["ComputeFilter", "BrokenFilter"])
        self.assertIn("BrokenFilter cannot be used", why)
        self.assertIn("this plug-in is broken", why)

    def test_so_does_one_that_cannot_be_made(self) -> None:
        why = self.refusal(enabled_filters=["ComputeFilter", "FailingFilter"])
        self.assertIn("FailingFilter (example_failing:FailingFilter)", why)
        self.assertIn("ValueError: no racks are configured", why)

    def test_and_a_weigher_that_cannot_be_made(self) -> None:
        why = self.refusal(weight_classes=["nova_ha.scheduler.all_weighers"])
        self.assertIn("FailingWeigher (example_failing:FailingWeigher)", why)
        self.assertIn("ValueError: no racks are configured", why)
        self.assertIn(
            "BrokenWeigher: example_broken:BrokenWeigher cannot be imported",
            self.stdlog.logger.output,
        )
