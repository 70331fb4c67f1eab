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
"""Multipliers, blindness, and Nova's own way to call a weigher."""

from nova.scheduler import weights

from nova_ha.core import view as core_view
from nova_ha.scheduler.weighers import evacuation_spread
from nova_ha.scheduler.weighers import failure_domain
from nova_ha.scheduler.weighers import stability
from tests.unit.scheduler import base

ALL = (
    evacuation_spread.EvacuationSpreadWeigher,
    failure_domain.FailureDomainWeigher,
    stability.StabilityWeigher,
)
WORN = core_view.HostView(schedulable=True, stability=0.5)


class WeigherTest(base.SchedulerTest):
    def test_multipliers_are_options(self) -> None:
        for weigher in ALL:
            self.assertEqual(1.0, weigher().weight_multiplier(base.state("a")))
            self.set(**{weigher.multiplier: 2.5})
            self.assertEqual(2.5, weigher().weight_multiplier(base.state("a")))

    def test_aggregates_override_them(self) -> None:
        for weigher in ALL:
            aggregates = [
                base.aggregate("a", **{weigher.multiplier: value})
                for value in ("7", "3")
            ]
            state = base.state("a", aggregates=aggregates)
            self.assertEqual(3.0, weigher().weight_multiplier(state))

    def order(self) -> list[str]:
        handler = weights.HostWeightHandler()
        found = handler.get_weighed_objects(
            [weigher() for weigher in ALL],
            base.states("a", "b"),
            base.spec(),
        )
        return [one.obj.host for one in found]

    def test_nova_weighs_with_them(self) -> None:
        self.know({"a": WORN})
        self.assertEqual(["b", "a"], self.order())
        self.know({"b": WORN})
        self.assertEqual(["a", "b"], self.order())

    def test_they_do_not_matter_while_nothing_is_known(self) -> None:
        for name in ("a", "b"):
            self.know({name: WORN}, age=31.0)
            self.assertEqual(["a", "b"], self.order())

    def test_a_single_host(self) -> None:
        self.know({"a": WORN})
        weigher = stability.StabilityWeigher()
        for age, expected in ((1.0, 0.5), (31.0, 0.0)):
            self.know({"a": WORN}, age=age)
            found = weigher._weigh_object(base.state("a"), base.spec())
            self.assertEqual(expected, found)
