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
"""How far a host can be relied on."""

import datetime
from collections.abc import Iterable

from nova_ha.core import model
from nova_ha.core import stability
from tests import base
from tests.contract.coordination import coordinated

WINDOW = 1000.0


class StabilityTest(base.TestCase):
    def of(self, flaps: Iterable[float] = (), **changes: object) -> float:
        facts = model.HostFacts(
            host=coordinated.C1,
            **{"record": coordinated.host_record(), **changes},
        )
        return stability.of(facts, flaps, coordinated.NOW, WINDOW)

    def died(self, *ages: float) -> model.HostRecord:
        return coordinated.host_record(
            incidents=tuple(
                coordinated.NOW - datetime.timedelta(seconds=age)
                for age in ages
            )
        )

    def test_without_blemish(self) -> None:
        self.assertEqual(1.0, self.of())
        self.assertEqual(1.0, self.of(record=None))

    def test_deaths_fade(self) -> None:
        self.assertEqual(0.5, self.of(record=self.died(0)))
        self.assertEqual(1 / 1.5, self.of(record=self.died(500)))
        self.assertEqual(1.0, self.of(record=self.died(1000, 5000)))

    def test_deaths_add_up(self) -> None:
        self.assertEqual(1 / 3, self.of(record=self.died(0, 0)))

    def test_the_future_is_now(self) -> None:
        self.assertEqual(0.5, self.of(record=self.died(-700)))

    def test_flaps_count_less(self) -> None:
        self.assertEqual(1 / 1.25, self.of([0.0]))
        self.assertEqual(1 / 1.125, self.of([500.0, 1001.0]))

    def test_failing_checks(self) -> None:
        checks = tuple(
            model.CheckResult(name=name, ok=name == "good")
            for name in ("good", "bad", "worse")
        )
        beacon = coordinated.beacon(checks=checks)
        self.assertEqual(1 / 3, self.of(beacon=beacon))
