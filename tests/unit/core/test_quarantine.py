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

import dataclasses

from nova_ha.core import codec
from nova_ha.core import deeds
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import quarantine
from nova_ha.core.model import CaseState
from tests import base
from tests.unit.core import builders as make

SICK = model.Quarantine(reason="3 deaths within 200 s", since=make.utc(200))

POLICY = policy_mod.Policy(quarantine_time=600.0)


def record(*seconds, **changes):
    times = tuple(make.utc(one) for one in seconds)
    return make.record(incidents=times, **changes)


class DueTestCase(base.TestCase):
    def due(self, *seconds, policy=POLICY, **changes):
        return quarantine.due(record(*seconds, **changes), policy)

    def test_deaths_within_the_window(self):
        self.assertEqual("", self.due(0, 100))
        self.assertEqual("3 deaths within 200 s", self.due(0, 100, 200))
        self.assertEqual("", self.due(0, 100, 3601))
        self.assertNotEqual("", self.due(0, 3500, 3600, 3700))

    def test_one_that_is_in_already(self):
        self.assertEqual("", self.due(0, 100, 200, quarantine=SICK))

    def test_it_can_be_turned_off(self):
        off = dataclasses.replace(POLICY, flap_count=0)
        self.assertEqual("", self.due(0, 1, 2, 3, policy=off))


class RecordTestCase(base.TestCase):
    def test_a_death_counts_once_and_the_newest_are_kept(self):
        kept = record(*range(quarantine.KEPT))
        after = quarantine.with_incident(kept, make.utc(5))
        self.assertEqual(kept.incidents, after)
        after = quarantine.with_incident(kept, make.utc(99))
        self.assertEqual(quarantine.KEPT, len(after))
        self.assertEqual(make.utc(99), after[-1])

    def test_a_release_forgets(self):
        sick = record(0, 1, 2, quarantine=SICK, maintenance="RAM")
        self.assertEqual(
            make.record(maintenance="RAM"), quarantine.released(sick)
        )

    def test_it_can_be_stored(self):
        sick = record(0, 1, 2, quarantine=SICK)
        data = codec.encode(sick)
        again = codec.decode(model.HostRecord, data, "x")
        self.assertEqual(sick, again)


class CrashedTestCase(base.TestCase):
    def test_a_new_boot_is_a_death_unless_it_was_recovered(self):
        self.assertTrue(quarantine.crashed(None))
        returns = {
            state
            for state in CaseState
            if not quarantine.crashed(make.case(state=state))
        }
        self.assertEqual(
            {
                CaseState.FENCING,
                CaseState.FENCE_FAILED,
                CaseState.FENCED,
                CaseState.EVACUATING,
                CaseState.PARTIAL,
                CaseState.EVACUATED,
            },
            returns,
        )


class WantedTestCase(base.TestCase):
    def wanted(
        self,
        *seconds,
        case=None,
        crashes=(),
        healthy=None,
        present=True,
        service=None,
        **changes,
    ):
        kept = record(*seconds, **changes)
        facts = make.facts(
            record=kept, beacon=make.beacon() if present else None
        )
        view = make.present(
            host="a",
            facts=facts,
            healthy_since=healthy,
            service=service or make.service(),
        )
        return quarantine.wanted(view, case, crashes, POLICY, make.now(1000.0))

    def disabled(self, reason):
        return make.service(disabled=True, disabled_reason=reason)

    def test_nothing(self):
        self.assertIsNone(self.wanted())
        self.assertIsNone(self.wanted(0, 100))

    def test_who_is_not_enrolled(self):
        view = make.present(facts=make.facts(record=None))
        self.assertIsNone(
            quarantine.wanted(view, None, (), POLICY, make.now())
        )

    def test_a_proven_death_is_counted_until_it_is_recorded(self):
        case = make.case(died_at=make.utc(50))
        self.assertEqual(deeds.Count(at=make.utc(50)), self.wanted(case=case))
        self.assertIsNone(self.wanted(50, case=case))

    def test_so_is_a_crash(self):
        self.assertEqual(
            deeds.Count(at=make.utc(60)), self.wanted(crashes=[make.utc(60)])
        )

    def test_the_quarantine_begins(self):
        self.assertEqual(
            deeds.Begin(
                quarantine=model.Quarantine(
                    reason="3 deaths within 200 s", since=make.utc(1000.0)
                )
            ),
            self.wanted(0, 100, 200, case=make.case()),
        )

    def test_its_service_is_disabled(self):
        deed = self.wanted(quarantine=SICK)
        self.assertEqual("service-a", deed.service_id)
        self.assertEqual(f"nova-ha: quarantine: {SICK.reason}", deed.reason)

    def test_not_while_a_case_sees_to_it_or_it_is_done_or_gone(self):
        for options in (
            {"case": make.case()},
            {"service": self.disabled("nova-ha: quarantine: x")},
            {"service": self.disabled("broken fan")},
            {"present": False},
        ):
            self.assertIsNone(self.wanted(quarantine=SICK, **options))

    def test_health_ends_it(self):
        sick = {"quarantine": SICK, "case": make.case()}
        self.assertIsNone(self.wanted(healthy=401.0, **sick))
        self.assertEqual(deeds.End(), self.wanted(healthy=400.0, **sick))

    def test_or_never(self):
        never = dataclasses.replace(POLICY, quarantine_time=0.0)
        facts = make.facts(record=record(quarantine=SICK))
        view = make.present(facts=facts, healthy_since=0.0)
        case = make.case()
        now = make.now(1e6)
        self.assertIsNone(quarantine.wanted(view, case, (), never, now))

    def test_only_what_it_has_disabled_is_enabled(self):
        ours = self.disabled("nova-ha: quarantine: 3 deaths")
        self.assertEqual(
            deeds.Enable(service_id="service-a"), self.wanted(service=ours)
        )
        for options in (
            {"service": self.disabled("broken fan")},
            {"service": self.disabled("nova-ha: case x")},
            {"service": ours, "case": make.case()},
            {"service": ours, "maintenance": "RAM"},
            {"service": ours, "present": False},
        ):
            self.assertIsNone(self.wanted(**options))
