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

"""Whether a host may get new instances."""

import dataclasses
from typing import Any

from nova_ha.core import model
from nova_ha.core import view
from nova_ha.core.model import Reason
from nova_ha.core.model import VerdictKind
from tests import base
from tests.contract.coordination import coordinated


class ViewTest(base.TestCase):
    def facts(self, **changes: Any) -> model.HostFacts:
        usual = model.HostFacts(
            host=coordinated.C1,
            record=coordinated.host_record(),
            beacon=coordinated.beacon(),
        )
        return dataclasses.replace(usual, **changes)

    def verdict(
        self, kind: VerdictKind, **changes: Any
    ) -> model.PublishedVerdict:
        inner = model.Verdict(kind=kind, reason=Reason.WINDOW)
        return coordinated.verdict(verdict=inner, **changes)

    def free(self, *args: Any) -> None:
        self.assertTrue(view.judge(*args).schedulable)

    def shunned(self, words: str, *args: Any) -> None:
        judged = view.judge(*args)
        self.assertFalse(judged.schedulable)
        self.assertIn(words, judged.reason)

    def test_alive(self) -> None:
        self.assertEqual(view.FREE, view.judge(self.facts()))

    def test_hosts_that_are_not_enrolled_pass(self) -> None:
        self.free(self.facts(record=None))
        self.free(self.facts(record=None, beacon=None))

    def test_silence(self) -> None:
        self.shunned("silent", self.facts(beacon=None))

    def test_protected_hosts_are_like_others(self) -> None:
        record = coordinated.host_record(protected="engine")
        self.free(self.facts(record=record))
        self.shunned("silent", self.facts(record=record, beacon=None))

    def test_maintenance(self) -> None:
        record = coordinated.host_record(maintenance="disk")
        self.shunned("maintenance: disk", self.facts(record=record))

    def test_quarantine(self) -> None:
        sick = model.Quarantine(reason="3 deaths", since=coordinated.NOW)
        record = coordinated.host_record(quarantine=sick)
        self.shunned("quarantine: 3 deaths", self.facts(record=record))

    def test_failed_checks(self) -> None:
        checks = (
            model.CheckResult(name="good", ok=True),
            model.CheckResult(name="bad", ok=False),
        )
        beacon = coordinated.beacon(checks=checks)
        self.shunned("checks fail: bad", self.facts(beacon=beacon))

    def test_open_cases(self) -> None:
        case = model.CaseId("k")
        word = self.verdict(VerdictKind.DOWN, case=case, message="fencing")
        # Also where its agent is back, and no record is left.
        self.shunned("fencing", self.facts(), word)
        self.shunned("fencing", self.facts(record=None), word)
        word = self.verdict(VerdictKind.DOWN, case=case)
        self.shunned("case k", self.facts(), word)

    def test_verdicts_on_a_live_host(self) -> None:
        word = self.verdict(VerdictKind.REBOOTED, message="soaking")
        self.shunned("soaking", self.facts(), word)
        self.free(self.facts(), dataclasses.replace(word, schedulable=True))

    def test_a_beacon_refutes_verdicts_of_absence(self) -> None:
        """Left behind by an engine that is not there to take them back."""
        for kind in view.OF_ABSENCE:
            self.free(self.facts(), self.verdict(kind))
            self.shunned("", self.facts(beacon=None), self.verdict(kind))

    def test_goodbyes(self) -> None:
        stop = coordinated.goodbye(ttl=60.0)
        facts = self.facts(beacon=None, goodbye=stop)
        self.free(facts, None, 0.0)
        self.free(facts, None, 60.0)
        self.shunned("has not come back", facts, None, 60.1)
        endless = coordinated.goodbye(ttl=1e9)
        facts = self.facts(beacon=None, goodbye=endless)
        self.shunned("has not come back", facts, None, 3600.1)
        shutdown = coordinated.goodbye(reason=model.GoodbyeReason.SHUTDOWN)
        facts = self.facts(beacon=None, goodbye=shutdown)
        self.shunned("goodbye: shutdown", facts)

    def test_what_weighers_and_filters_need(self) -> None:
        record = coordinated.host_record(
            reserved=True, failure_domain="rack", storage_domain="ceph"
        )
        judged = view.judge(self.facts(record=record), stability=0.5)
        self.assertEqual(
            (True, False, True, "rack", "ceph", 0.5),
            (
                judged.schedulable,
                judged.absent,
                judged.reserved,
                judged.failure_domain,
                judged.storage_domain,
                judged.stability,
            ),
        )

    def test_a_storage_that_is_in_doubt(self) -> None:
        record = coordinated.host_record(storage_domain="ceph")
        beacon = coordinated.beacon(storage="nfs")
        judged = view.judge(self.facts(record=record, beacon=beacon))
        self.assertEqual("", judged.storage_domain)
        self.assertIn("ceph", judged.storage_doubt)

    def absent(self, *args: Any) -> bool:
        return view.judge(*args).absent

    def test_absence(self) -> None:
        gone = self.facts(beacon=None)
        self.assertFalse(self.absent(self.facts()))
        self.assertTrue(self.absent(gone))
        for kind in VerdictKind:
            self.assertEqual(
                kind not in (VerdictKind.AGENT_LOST, VerdictKind.ISOLATED),
                self.absent(gone, self.verdict(kind)),
            )
        # Whatever else is said about it.
        record = coordinated.host_record(maintenance="disk")
        self.assertTrue(self.absent(self.facts(beacon=None, record=record)))

    def test_a_restarting_agent_is_not_absent(self) -> None:
        facts = self.facts(beacon=None, goodbye=coordinated.goodbye(ttl=60.0))
        self.assertFalse(self.absent(facts, None, 60.0))
        self.assertTrue(self.absent(facts, None, 60.1))

    def test_hosts_that_are_not_enrolled_are_never_absent(self) -> None:
        self.assertFalse(self.absent(self.facts(record=None, beacon=None)))


VM = model.InstanceId("vm")


class EvacuationTest(base.TestCase):
    def recovery(self, state: model.CaseState) -> model.PublishedVerdict:
        return coordinated.verdict(
            case=model.CaseId("k"),
            case_state=state,
            targets={VM: coordinated.C2},
        )

    def source(
        self, instance: str = VM, leaving: str = coordinated.C1, **known: Any
    ) -> model.HostName | None:
        return view.evacuated_from(
            known.get("hosts", {}),
            known.get("recoveries", {}),
            model.InstanceId(instance),
            [model.HostName(leaving)],
        )

    def test_nothing_is_known_of_the_source(self) -> None:
        self.assertIsNone(self.source())

    def test_a_migration_leaves_a_live_host(self) -> None:
        self.assertIsNone(self.source(hosts={coordinated.C1: view.FREE}))

    def test_what_leaves_an_absent_host_is_evacuated(self) -> None:
        gone = view.HostView(schedulable=False, absent=True)
        self.assertEqual(
            coordinated.C1, self.source(hosts={coordinated.C1: gone})
        )
        self.assertIsNone(self.source(hosts={coordinated.C2: gone}))

    def test_recoveries(self) -> None:
        for state, evacuated in (
            (model.CaseState.SUSPECTED, False),
            (model.CaseState.FENCED, True),
            (model.CaseState.EVACUATING, True),
            (model.CaseState.PARTIAL, True),
            (model.CaseState.EVACUATED, True),
            (model.CaseState.SOAKING, False),
        ):
            known = {coordinated.C1: self.recovery(state)}
            other = self.source("other", recoveries=known)
            self.assertEqual(evacuated, other is not None, state)
            # Announced: a duplicate may still be waiting in a queue.
            self.assertEqual(coordinated.C1, self.source(recoveries=known))

    def test_arrivals(self) -> None:
        found = view.arrivals([self.recovery(model.CaseState.EVACUATING)])
        self.assertEqual({coordinated.C2: {VM}}, found)
        for state in (model.CaseState.EVACUATED, model.CaseState.SOAKING):
            self.assertEqual({}, view.arrivals([self.recovery(state)]))
