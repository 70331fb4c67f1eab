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

"""The mapping of providers to hosts is remembered and kept fresh."""

from typing import Any

from keystoneauth1 import exceptions as ks_exc

from nova_ha import exception
from nova_ha.compute import hypervisors
from tests import base
from tests.unit.compute import fake_api

PATH = "/os-hypervisors/detail"


def entry(host: str, kind: str = "QEMU") -> dict[str, Any]:
    return {
        "id": f"rp-{host}",
        "hypervisor_hostname": f"{host}.example.org",
        "hypervisor_type": kind,
        "service": {"host": host, "id": "1", "disabled_reason": None},
    }


class TestHypervisors(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.api = fake_api.FakeApi()
        self.clock = fake_api.FakeClock()
        self.hosts = ["cmp1", "cmp2", "cmp3"]
        self.api.answers[PATH] = fake_api.paged(
            "hypervisors", lambda _params: [entry(h) for h in self.hosts]
        )
        self.found = hypervisors.Hypervisors(
            self.api.reader(), self.clock, page_size=2
        )

    def test_by_host_and_by_provider(self) -> None:
        (node,) = self.found.of_host("cmp3")
        self.assertEqual("rp-cmp3", node.id)
        requests = len(self.api.calls)
        self.assertEqual({"rp-cmp1": "cmp1"}, self.found.hosts_of(["rp-cmp1"]))
        self.assertEqual(requests, len(self.api.calls))

    def test_before_nova_calls_computes_for_their_uptime(self) -> None:
        self.found.of_host("cmp1")
        self.assertEqual({"2.87"}, set(self.api.microversions))

    def test_newcomer_is_found(self) -> None:
        self.found.of_host("cmp1")
        self.hosts.append("cmp4")
        self.clock.now += hypervisors.REFRESH_AT_MOST_EACH
        self.assertEqual({"rp-cmp4": "cmp4"}, self.found.hosts_of(["rp-cmp4"]))

    def test_what_is_no_hypervisor_is_not_asked_for_again(self) -> None:
        self.found.hosts_of(["storage"])
        requests = len(self.api.calls)
        self.clock.now += hypervisors.REFRESH_AT_MOST_EACH / 2
        self.assertEqual({}, self.found.hosts_of(["storage"]))
        self.assertEqual([], self.found.of_host("cmp9"))
        self.assertEqual(requests, len(self.api.calls))

    def test_replaced(self) -> None:
        """Forgetting one makes room for a new one, without delay."""
        (node,) = self.found.of_host("cmp1")
        new = entry("cmp1") | {"id": "rp-new"}
        self.api.answers[PATH] = {"hypervisors": []}
        self.found.forget(node)
        self.assertEqual([], self.found.of_host("cmp1"))
        self.found.forget(node)
        self.api.answers[PATH] = fake_api.paged(
            "hypervisors", lambda _params: [new]
        )
        self.assertEqual("rp-new", self.found.of_host("cmp1")[0].id)

    def test_orphan_does_not_hide_those_behind_it(self) -> None:
        """Nova leaves out a hypervisor without a service after it has cut
        the page, and shows no link behind the page that is now short."""
        full = self.api.answers[PATH]

        def without_cmp2(params: dict[str, Any]) -> dict[str, Any]:
            page = full(params)["hypervisors"]
            kept = [one for one in page if one["id"] != "rp-cmp2"]
            return {"hypervisors": kept}

        self.api.answers[PATH] = without_cmp2
        self.assertEqual(["cmp1", "cmp3"], sorted(self.found.kinds()))

    def test_memory_outlives_a_failure(self) -> None:
        self.found.of_host("cmp1")
        self.clock.now += 100
        self.api.answers[PATH] = ks_exc.InternalServerError()
        self.assertEqual("rp-cmp1", self.found.of_host("cmp1")[0].id)
        self.assertRaises(
            exception.ComputeUnavailable, self.found.of_host, "cmp9"
        )

    def test_kinds_are_read_anew(self) -> None:
        self.assertEqual(dict.fromkeys(self.hosts, "QEMU"), self.found.kinds())
        self.api.answers[PATH] = fake_api.paged(
            "hypervisors", lambda _params: [entry("bm1", "ironic")]
        )
        self.assertEqual({"bm1": "ironic"}, self.found.kinds())
