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
"""Reserved hosts are for evacuations."""

from nova.objects import request_spec

from nova_ha.core import view as core_view
from nova_ha.scheduler.filters import reserved
from tests.unit.scheduler import base

KNOWN = {
    "free": base.host(),
    "kept": base.host(reserved=True),
    "dead": base.GONE,
}


class ReservedHostFilterTest(base.SchedulerTest):
    def passing(
        self, spec: request_spec.RequestSpec, *running: str
    ) -> list[str]:
        found = reserved.ReservedHostFilter().filter_all(
            [*base.states("free", "not-ours"), base.state("kept", *running)],
            spec,
        )
        return base.names(found)

    def setUp(self) -> None:
        super().setUp()
        self.know(KNOWN)

    def test_boots_and_migrations_stay_off(self) -> None:
        for spec in (
            base.spec(),
            base.leaving("free"),
            base.leaving("unknown"),
        ):
            self.assertEqual(["free", "not-ours"], self.passing(spec))

    def test_evacuations_may_go_there(self) -> None:
        """By whomever: nothing was announced."""
        found = self.passing(base.leaving("dead"))
        self.assertEqual(["free", "not-ours", "kept"], found)

    def test_an_instance_may_stay(self) -> None:
        """A resize that may end on its own host."""
        found = self.passing(base.spec(), base.INSTANCE)
        self.assertIn("kept", found)

    def test_blind(self) -> None:
        self.know(KNOWN, age=31.0)
        self.assertIn("kept", self.passing(base.spec()))
        self.set(fail_closed=True)
        self.assertEqual([], self.passing(base.spec()))

    def test_a_host_that_is_restarting_its_agent_is_not_evacuated(
        self,
    ) -> None:
        self.know({**KNOWN, "dead": core_view.FREE})
        self.assertNotIn("kept", self.passing(base.leaving("dead")))
