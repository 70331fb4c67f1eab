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

from nova_ha.core import model
from tests.unit.core import builders as make
from tests.unit.sim.invariants import stage


class TerminatesOrAlarmsTestCase(stage.TestCase):
    def setUp(self):
        super().setUp()
        self.stage.save_case("a")

    def tell(self, severity):
        event = model.AuditEvent(
            code="case.waiting",
            severity=severity,
            host=model.HostName("a"),
            case=make.case("a").id,
        )
        self.stage.note("e1", event.code, "a: waits", event=event)

    def finish(self, seconds):
        self.stage.later(seconds)
        self.stage.checker.finish()

    def test_a_young_case(self):
        self.finish(300.0)
        self.assert_kept()

    def test_a_silent_case(self):
        self.finish(400.0)
        self.assert_broken(8)

    def test_a_case_that_reminds(self):
        self.stage.later(300.0)
        self.tell(model.Severity.WARNING)
        self.finish(300.0)
        self.assert_kept()

    def test_a_whisper_is_no_reminder(self):
        self.stage.later(300.0)
        self.tell(model.Severity.INFO)
        self.finish(300.0)
        self.assert_broken(8)

    def test_without_any_engine_nobody_can_tell(self):
        self.stage.leader = None
        self.finish(400.0)
        self.assert_kept()

    def test_an_open_case_is_stuck(self):
        self.stage.save_case("a", message="waits for the operator")
        (stuck,) = self.stage.checker.stuck()
        self.assertEqual(
            ("a", model.CaseState.SUSPECTED, "waits for the operator"),
            (stuck.host, stuck.state, stuck.message),
        )

    def test_a_closed_case_is_not(self):
        self.stage.write(stage.PATHS.case("a"), None)
        self.assertEqual([], self.stage.checker.stuck())


class NothingForgottenTestCase(stage.TestCase):
    def evacuated(self, *moves):
        self.stage.save_case("a", moves=moves)
        event = model.AuditEvent(
            code="case.evacuated", host=model.HostName("a")
        )
        self.stage.note("e1", event.code, event=event)

    def server(self, host):
        self.stage.servers["i1"] = make.instance("i1", host=host)

    def test_all_have_moved(self):
        self.server("b")
        self.evacuated(make.move(model.MoveState.DONE, target="b"))
        self.assert_kept()

    def test_one_that_has_not_moved(self):
        self.server("a")
        self.evacuated(make.move(model.MoveState.DONE, target="b"))
        self.assert_broken(8)

    def test_one_that_nobody_knows(self):
        self.server("a")
        self.evacuated()
        self.assert_broken(8)

    def test_one_that_was_told_to_stay(self):
        self.server("a")
        self.evacuated(make.move(model.MoveState.SKIPPED))
        self.assert_kept()
