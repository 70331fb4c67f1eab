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
"""Evacuations stay where the disks are."""

from nova.objects import request_spec

from nova_ha.core import view as core_view
from nova_ha.scheduler.filters import storage
from tests.unit.scheduler import base

ALL = ["ceph1", "ceph2", "unset", "not-ours"]


class SharedStorageFilterTest(base.SchedulerTest):
    def setUp(self) -> None:
        super().setUp()
        self.lose("ceph-1")

    def lose(self, domain: str) -> None:
        self.know(
            {
                "ceph1": base.host(storage_domain="ceph-1"),
                "ceph2": base.host(storage_domain="ceph-2"),
                "unset": base.host(),
                "dead": core_view.HostView(
                    schedulable=False, absent=True, storage_domain=domain
                ),
            }
        )

    def passing(self, spec: request_spec.RequestSpec) -> list[str]:
        chosen = storage.SharedStorageFilter()
        return base.names(chosen.filter_all(base.states(*ALL), spec))

    def test_evacuations(self) -> None:
        self.assertEqual(
            ["ceph1", "unset", "not-ours"], self.passing(base.leaving("dead"))
        )

    def test_a_storage_that_is_in_doubt_is_not_shared(self) -> None:
        self.know(
            {
                "ceph1": base.host(storage_domain="ceph-1"),
                "unset": base.host(storage_doubt="its agent proves ceph-2"),
                "dead": core_view.HostView(
                    schedulable=False, absent=True, storage_domain="ceph-1"
                ),
            }
        )
        self.assertNotIn("unset", self.passing(base.leaving("dead")))

    def test_a_volume_is_reached_from_everywhere(self) -> None:
        spec = base.leaving("dead")
        spec.is_bfv = True
        self.assertEqual(ALL, self.passing(spec))
        spec.is_bfv = False
        self.assertEqual(["ceph1", "unset", "not-ours"], self.passing(spec))

    def test_all_else_is_free(self) -> None:
        for spec in (
            base.spec(),
            base.leaving("ceph1"),
            base.leaving("not-ours"),
        ):
            self.assertEqual(ALL, self.passing(spec))

    def test_a_domain_that_is_not_known(self) -> None:
        self.lose("")
        self.assertEqual(ALL, self.passing(base.leaving("dead")))
