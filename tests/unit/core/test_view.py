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
        shutdown = coordinated.goodbye(reason=model.GoodbyeReason.SHUTDOWN)
        facts = self.facts(beacon=None, goodbye=shutdown)
        self.shunned("goodbye: shutdown", facts)
