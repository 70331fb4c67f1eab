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

"""RetryFilter and AvailabilityZoneFilter: what a request says of hosts."""

import types

import fixtures
from nova import conf as nova_conf
from nova.objects import compute_node
from nova.objects import request_spec

from nova_ha.scheduler.legacy import retry
from nova_ha.scheduler.legacy import zones
from tests import base


class RequestsTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger("nova_ha"))


class TestRetry(RequestsTest):
    host = types.SimpleNamespace(host="cmp1", nodename="node1")

    def passes(self, spec: request_spec.RequestSpec) -> bool:
        found: bool = retry.RetryFilter().host_passes(self.host, spec)
        return found

    def tried(self, host: str, node: str) -> request_spec.RequestSpec:
        nodes = [compute_node.ComputeNode(host=host, hypervisor_hostname=node)]
        return request_spec.RequestSpec(
            retry=request_spec.SchedulerRetries(
                num_attempts=1,
                hosts=compute_node.ComputeNodeList(objects=nodes),
            )
        )

    def test_first_attempt(self) -> None:
        self.assertTrue(self.passes(request_spec.RequestSpec()))
        self.assertTrue(self.passes(request_spec.RequestSpec(retry=None)))

    def test_tried_before(self) -> None:
        self.assertFalse(self.passes(self.tried("cmp1", "node1")))

    def test_others_were_tried(self) -> None:
        self.assertTrue(self.passes(self.tried("cmp2", "node2")))

    def test_another_node_of_the_same_host(self) -> None:
        self.assertTrue(self.passes(self.tried("cmp1", "node2")))


class TestZones(RequestsTest):
    def passes(self, asked: str | None, *of_host: str) -> bool:
        state = types.SimpleNamespace(
            aggregates=[
                types.SimpleNamespace(metadata={"availability_zone": one})
                for one in of_host
            ]
        )
        spec = request_spec.RequestSpec(availability_zone=asked)
        found: bool = zones.AvailabilityZoneFilter().host_passes(state, spec)
        return found

    def test_nothing_asked_for(self) -> None:
        self.assertTrue(self.passes(None, "east"))

    def test_zone_of_an_aggregate(self) -> None:
        self.assertTrue(self.passes("east", "east"))
        self.assertFalse(self.passes("west", "east"))

    def test_host_of_several_zones(self) -> None:
        self.assertTrue(self.passes("west", "east", "west"))
        self.assertTrue(self.passes("west", "east, west"))

    def test_any_of_several(self) -> None:
        self.assertTrue(self.passes("north, west", "west"))
        self.assertFalse(self.passes("north,south", "west"))

    def test_host_without_a_zone_is_in_the_default_one(self) -> None:
        default = nova_conf.CONF.default_availability_zone
        self.assertTrue(self.passes(default))
        self.assertFalse(self.passes("east"))
        self.assertFalse(self.passes(default, "east"))

    def test_zone_is_looked_at_once_a_request(self) -> None:
        self.assertTrue(
            zones.AvailabilityZoneFilter.run_filter_once_per_request
        )
