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

import datetime
import pathlib
import tempfile

from nova_ha import exception
from nova_ha.agent import gate
from nova_ha.core import model
from tests import base
from tests.unit.agent import fakes


def case(state):
    return model.RecoveryCase(
        id=model.CaseId("cmp1-7"),
        host=model.HostName("cmp1"),
        boot_id=model.BootId("boot-1"),
        state=state,
        verdict=model.Verdict(
            kind=model.VerdictKind.DOWN, reason=model.Reason.ALL_SILENT
        ),
        opened_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    )


class TestStartGate(base.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = fakes.FakeClock()
        self.began = self.clock.now
        self.beacons = fakes.FakeBeacons()
        self.told = []
        self.allow_file = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory()), "allow"
        )
        self.gate = gate.StartGate(
            self.beacons.case,
            allow_file=self.allow_file,
            clock=self.clock,
            tell=self.told.append,
        )

    def _later(self, seconds, change):
        def tick():
            if self.clock.now >= self.began + seconds:
                change()

        self.clock.tick = tick

    def test_permits_at_once_without_a_case(self):
        self.assertTrue(self.gate.wait())
        self.assertEqual(self.began, self.clock.now)

    def test_waits_for_the_case_and_tells_each_reason_once(self):
        self.beacons.open_case = case(model.CaseState.FENCED)

        def go_on():
            state = (
                model.CaseState.RETURNING
                if self.clock.now >= self.began + 20
                else model.CaseState.EVACUATING
            )
            self.beacons.open_case = case(state)

        self._later(10, go_on)
        self.assertTrue(self.gate.wait())
        self.assertEqual(self.began + 20, self.clock.now)
        self.assertEqual(3, len(self.told))
        self.assertIn("is fenced", self.told[0])
        self.assertIn("is evacuating", self.told[1])
        self.assertIn("May start", self.told[2])

    def test_without_zookeeper_blocks_and_says_so_every_30_s(self):
        self.beacons.error = fakes.UNAVAILABLE
        self.assertFalse(self.gate.wait(timeout=95.0))
        self.assertEqual(self.began + 95, self.clock.now)
        waiting = [line for line in self.told if "Waiting" in line]
        self.assertEqual(4, len(waiting))
        self.assertIn("ZooKeeper cannot be reached", waiting[0])
        self.assertIn(f"touch {self.allow_file}", waiting[0])

    def test_denied_and_unreadable_block_too(self):
        for error in (
            exception.CoordinationDenied("/nova-ha/x/cases/cmp1"),
            exception.PayloadError("/nova-ha/x/cases/cmp1", "not JSON"),
        ):
            self.beacons.error = error
            self.assertFalse(self.gate.wait(timeout=0.0))
            self.assertIn("/nova-ha/x/cases/cmp1", self.told[-1])

    def test_the_operators_file_overrides(self):
        self.beacons.error = fakes.UNAVAILABLE
        self._later(5, self.allow_file.touch)
        self.assertTrue(self.gate.wait())
        self.assertEqual(self.began + 5, self.clock.now)
        self.assertIn("WARNING", self.told[-1])

    def test_only_reads(self):
        self.gate.wait()
        self.assertEqual(["case"], self.beacons.calls)
