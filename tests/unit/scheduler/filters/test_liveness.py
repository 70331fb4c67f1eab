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
"""What all our filters do, shown by the first of them."""

import logging

import fixtures

from nova_ha.core import view as core_view
from nova_ha.scheduler.filters import liveness
from tests.unit.scheduler import base

BAD = core_view.HostView(schedulable=False)


class HostLivenessFilterTest(base.SchedulerTest):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(
            fixtures.FakeLogger("nova_ha", level=logging.DEBUG)
        )

    def passing(self, spec: object = None) -> list[str]:
        chosen = liveness.HostLivenessFilter()
        found = chosen.filter_all(base.states("a", "b"), spec or base.spec())
        return base.names(found)

    def test_bad_hosts_are_rejected(self) -> None:
        self.know({"a": BAD})
        self.assertEqual(["b"], self.passing())

    def test_one_line_a_request_with_the_age(self) -> None:
        self.know({"a": BAD}, age=2.25)
        self.passing()
        self.assertEqual(
            "HostLivenessFilter: 1 of 2 hosts pass, as they were known "
            "2.2 s ago",
            self.log.output.strip(),
        )

    def test_blind(self) -> None:
        self.know({"a": BAD}, age=31.0)
        self.assertEqual(["a", "b"], self.passing())
        self.set(fail_closed=True)
        self.assertEqual([], self.passing())

    def test_a_rebuild_in_place_is_let_through(self) -> None:
        self.know({"a": BAD})
        self.assertEqual(["a", "b"], self.passing(base.rebuild()))

    def test_one_by_one(self) -> None:
        self.know({"a": BAD})
        chosen = liveness.HostLivenessFilter()
        self.assertEqual(
            [False, True],
            [
                chosen.host_passes(one, base.spec())
                for one in base.states("a", "b")
            ],
        )
