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

"""What Prometheus reads."""

import prometheus_client

from nova_ha.core import census
from nova_ha.core import model
from nova_ha.core.phases import Phase
from nova_ha.metrics import meter as meter_mod
from tests import base
from tests.fakes import clock as clock_fake
from tests.unit.core import builders


def attempt(command, result):
    return model.FenceAttempt(
        device="bmc", command=command, result=result, at=builders.utc(0)
    )


class MeterTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = clock_fake.ManualClock()
        self.meter = meter_mod.PrometheusMeter(self.clock)

    def value(self, name, **labels):
        return self.meter.registry.get_sample_value(name, labels)

    def test_all_series_are_there_before_anything_happens(self):
        text = prometheus_client.generate_latest(self.meter.registry)
        self.assertIn(b"nova_ha_build_info", text)
        self.assertIn(b"process_resident_memory_bytes", text)
        for phase in Phase:
            self.assertEqual(
                0.0,
                self.value(
                    "nova_ha_recovery_seconds_count", phase=phase.value
                ),
            )

    def test_no_gauge_without_a_census(self):
        self.assertIsNone(self.value("nova_ha_leader"))

    def test_the_latest_census_counts(self):
        self.meter.count(census.Census(taken_at=900.0, connected=False))
        self.meter.count(
            census.Census(
                taken_at=990.0,
                connected=True,
                epoch=model.Epoch(7),
                verdicts={"alive": 3, "down": 1},
                cases={"fencing": 1},
                holds={"storm": 1},
                moves={"done": 5},
                storms={"too-many": 1},
                read_at={"hosts": 985.0},
            )
        )
        self.assertEqual(1.0, self.value("nova_ha_leader"))
        self.assertEqual(7.0, self.value("nova_ha_epoch"))
        self.assertEqual(3.0, self.value("nova_ha_hosts", verdict="alive"))
        self.assertEqual(1.0, self.value("nova_ha_cases", state="fencing"))
        self.assertEqual(1.0, self.value("nova_ha_cases_held", hold="storm"))
        self.assertEqual(5.0, self.value("nova_ha_instances", state="done"))
        self.assertEqual(1.0, self.value("nova_ha_storms", rule="too-many"))
        self.assertEqual(10.0, self.value("nova_ha_loop_age_seconds"))
        self.assertEqual(
            15.0, self.value("nova_ha_view_age_seconds", view="hosts")
        )

    def test_what_there_is_none_of_is_zero_and_not_absent(self):
        self.meter.count(census.Census(taken_at=0.0, connected=True))
        for kind in model.VerdictKind:
            self.assertEqual(
                0.0, self.value("nova_ha_hosts", verdict=kind.value)
            )
        for state in model.CaseState:
            self.assertEqual(
                0.0, self.value("nova_ha_cases", state=state.value)
            )

    def test_recoveries_are_seen_by_phase(self):
        self.meter.reached(Phase.FENCED, 11.0)
        for bucket, count in ("10.0", 0.0), ("15.0", 1.0):
            self.assertEqual(
                count,
                self.value(
                    "nova_ha_recovery_seconds_bucket",
                    phase="fenced",
                    le=bucket,
                ),
            )

    def test_answers_of_devices_without_their_own_words(self):
        self.meter.fenced(
            model.FenceOutcome(
                host="a",
                attempts=(
                    attempt("off", "refused: power supply 0x1f is hot"),
                    attempt("off", "refused: something else"),
                    attempt("status", "off"),
                ),
                evidence=builders.evidence(),
            )
        )
        self.assertEqual(
            2.0,
            self.value(
                "nova_ha_fence_answers_total",
                device="bmc",
                command="off",
                result="refused",
            ),
        )
        self.assertEqual(
            1.0, self.value("nova_ha_fence_rounds_total", result="proven")
        )

    def test_rounds_without_proof(self):
        self.meter.fenced(model.FenceOutcome(host="a", error="no answer"))
        self.meter.fenced(model.FenceOutcome(host="a", aborted="paused"))
        for result in ("failed", "aborted"):
            self.assertEqual(
                1.0, self.value("nova_ha_fence_rounds_total", result=result)
            )

    def test_events_are_counted(self):
        self.meter.emit(model.AuditEvent(code="case.opened", host="a"))
        self.assertEqual(
            1.0,
            self.value(
                "nova_ha_events_total", code="case.opened", severity="info"
            ),
        )
