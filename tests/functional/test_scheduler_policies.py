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

"""All our filters and weighers decide, in Nova's own scheduler.

Nova runs in this process, and its requests come through its API. What is known
of the hosts is set by each test; how it gets there from ZooKeeper is tested
elsewhere.
"""

from typing import Any
from unittest import mock

from nova_ha.coordination import view
from nova_ha.core import model
from nova_ha.core import view as core_view
from tests.functional import test_scheduler_configuration as configuration

FILTERS = (
    "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,"
    "ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter,"
    "HostLivenessFilter,ReservedHostFilter,SharedStorageFilter,"
    "FailureDomainAntiAffinityFilter"
)


class PolicyTest(configuration.ConfiguredNova):
    """Four hosts, of which a test says what is known."""

    nova_conf = (
        f"{configuration.BRIDGE}enabled_filters = {FILTERS}\n"
        "weight_classes = nova.scheduler.weights.all_weighers,"
        "nova_ha.scheduler.all_weighers\n"
    )

    def setUp(self) -> None:
        self.known: dict[str, core_view.HostView] = {}
        self.arrivals: dict[str, frozenset[str]] = {}
        patch = mock.patch.object(
            view.LivenessView,
            "snapshot",
            lambda _view: view.ViewSnapshot(
                hosts=self.known,
                arrivals=self.arrivals,
                age=0.1,
                connected=True,
            ),
        )
        patch.start()
        self.addCleanup(patch.stop)
        super().setUp()
        self.computes["cmp4"] = self._start_compute("cmp4")

    def know(self, host: str, schedulable: bool = True, **facts: Any) -> None:
        self.known[host] = core_view.HostView(schedulable=schedulable, **facts)

    def lose(self, host: str) -> None:
        """A host dies; its agent's session has expired, and Nova is told."""
        super().lose(host)
        facts = self.known.get(host, core_view.FREE)
        self.know(
            host,
            schedulable=False,
            absent=True,
            storage_domain=facts.storage_domain,
            failure_domain=facts.failure_domain,
        )

    def refuse(self, **kwargs: Any) -> None:
        """A boot finds no valid host."""
        server = self.boot(expected_state="ERROR", **kwargs)
        self.assertIn("No valid host", server["fault"]["message"])

    def refuse_evacuation(self, server: dict[str, Any]) -> None:
        self.lose(self.host_of(server))
        self.api.post_server_action(server["id"], {"evacuate": {}})
        self._wait_for_migration_status(server, ["error"])

    def group(self, policy: str) -> str:
        made = self.api.post_server_groups({"name": policy, "policy": policy})
        return str(made["id"])

    def boot_member(
        self, group: str, expected: str = "ACTIVE", **kwargs: Any
    ) -> dict[str, Any]:
        body = self._build_server(networks="none", **kwargs)
        made = self.api.post_server(
            {"server": body, "os:scheduler_hints": {"group": group}}
        )
        server: dict[str, Any] = self._wait_for_state_change(made, expected)
        return server


class TestReservedHosts(PolicyTest):
    def setUp(self) -> None:
        super().setUp()
        for host in ("cmp2", "cmp3"):
            self.know(host, schedulable=False)
        self.know("cmp1")
        self.know("cmp4", reserved=True)

    def test_boots_go_elsewhere(self) -> None:
        self.assertEqual(
            {"cmp1"}, {self.host_of(self.boot()) for _ in range(3)}
        )
        self.refuse(host="cmp4")

    def test_moves_go_elsewhere(self) -> None:
        server = self.boot()
        self.api.post_server_action(
            server["id"], {"migrate": None}, check_response_status=[202, 400]
        )
        self._wait_for_action_fail_completion(
            server, "migrate", "cold_migrate"
        )
        self.assertEqual("cmp1", self.host_of(server))

    def test_an_operators_evacuation_goes_there(self) -> None:
        self.assertEqual("cmp4", self.evacuate(self.boot()))


class TestStorageDomains(PolicyTest):
    def setUp(self) -> None:
        super().setUp()
        for host, domain in (
            ("cmp1", "ceph-1"),
            ("cmp2", "ceph-2"),
            ("cmp3", "ceph-2"),
            ("cmp4", "ceph-1"),
        ):
            self.know(host, storage_domain=domain)

    def test_evacuations_stay_where_their_disks_are(self) -> None:
        self.assertEqual("cmp4", self.evacuate(self.boot(host="cmp1")))

    def test_others_do_not(self) -> None:
        server = self.boot(host="cmp1")
        self.know("cmp4", schedulable=False)
        self._migrate_server(server)
        self.assertIn(self.host_of(server), ("cmp2", "cmp3"))

    def test_nothing_is_better_than_an_empty_disk(self) -> None:
        server = self.boot(host="cmp1")
        self.know("cmp4", schedulable=False)
        self.refuse_evacuation(server)


class FailureDomainsTest(PolicyTest):
    """Racks a and b: cmp1 and cmp2 are in a, cmp3 and cmp4 in b."""

    RACKS = (("a", "cmp1", "cmp2"), ("b", "cmp3", "cmp4"))

    def setUp(self) -> None:
        super().setUp()
        for rack, *hosts in self.RACKS:
            for host in hosts:
                self.know(host, failure_domain=rack)

    def racks_of(self, servers: list[dict[str, Any]]) -> list[str]:
        return sorted(
            rack
            for rack, *hosts in self.RACKS
            for server in servers
            if self.host_of(server) in hosts
        )


class TestFailureDomains(FailureDomainsTest):
    def test_one_member_in_each(self) -> None:
        group = self.group("anti-affinity")
        servers = [self.boot_member(group) for _ in range(2)]
        self.assertEqual(["a", "b"], self.racks_of(servers))
        third = self.boot_member(group, expected="ERROR")
        self.assertIn("No valid host", third["fault"]["message"])

    def test_as_many_as_are_allowed(self) -> None:
        self.flags(failure_domain_max_members=2, group="nova_ha")
        group = self.group("anti-affinity")
        servers = [self.boot_member(group) for _ in range(4)]
        self.assertEqual(["a", "a", "b", "b"], self.racks_of(servers))

    def test_several_in_one_request(self) -> None:
        group = self.group("anti-affinity")
        body = self._build_server(networks="none")
        body |= {"min_count": 2, "max_count": 2}
        self.api.post_server(
            {"server": body, "os:scheduler_hints": {"group": group}}
        )
        servers = [
            self._wait_for_state_change(one, "ACTIVE")
            for one in self.api.get_servers()
        ]
        self.assertEqual(["a", "b"], self.racks_of(servers))

    def test_evacuations_keep_to_it(self) -> None:
        """The other host of the lost one's rack is the only one left."""
        group = self.group("anti-affinity")
        one, other = (self.boot_member(group) for _ in range(2))
        self.evacuate(one)
        self.assertEqual(["a", "b"], self.racks_of([one, other]))

    def test_an_evacuation_that_would_break_it(self) -> None:
        group = self.group("anti-affinity")
        one, _ = self.boot_member(group), self.boot_member(group)
        self.know(self.neighbour(self.host_of(one)), schedulable=False)
        self.refuse_evacuation(one)

    def neighbour(self, host: str) -> str:
        """The other host of the rack."""
        (found,) = (
            one
            for _, *hosts in self.RACKS
            for one in hosts
            if host in hosts and one != host
        )
        return found

    def test_soft_spread(self) -> None:
        """The weigher's: a third member only finds a place that is worse."""
        group = self.group("soft-anti-affinity")
        servers = [self.boot_member(group) for _ in range(2)]
        self.assertEqual(["a", "b"], self.racks_of(servers))
        self.boot_member(group)


class TestFailureDomainsOfAggregates(FailureDomainsTest):
    def setUp(self) -> None:
        super().setUp()
        self.known.clear()
        self.flags(failure_domain_aggregate_key="rack", group="nova_ha")
        for rack, *hosts in self.RACKS:
            self.aggregate(*hosts, name=rack, rack=rack)

    def test_one_member_in_each(self) -> None:
        group = self.group("anti-affinity")
        servers = [self.boot_member(group) for _ in range(2)]
        self.assertEqual(["a", "b"], self.racks_of(servers))
        self.boot_member(group, expected="ERROR")


class TestWeighers(PolicyTest):
    def setUp(self) -> None:
        super().setUp()
        for number, host in enumerate(self.computes):
            self.know(host, stability=1.0 - number / 10)

    def test_the_most_stable_host(self) -> None:
        self.assertEqual("cmp1", self.host_of(self.boot()))

    def test_an_aggregate_has_its_own_multiplier(self) -> None:
        self.aggregate(*self.computes, stability_weight_multiplier="-1.0")
        self.assertEqual("cmp4", self.host_of(self.boot()))

    def test_evacuations_under_way_count(self) -> None:
        self.know("cmp2", stability=1.0)
        self.arrivals["cmp1"] = frozenset([model.InstanceId("on its way")])
        self.assertEqual("cmp2", self.host_of(self.boot()))
