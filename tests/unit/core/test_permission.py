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

from nova_ha.core import actions
from nova_ha.core import brake
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import recovery
from nova_ha.core import work
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from tests import base
from tests.unit.core import builders as make

SICK = model.Quarantine(reason="3 deaths", since=make.utc(0))
OFF = make.verdict("down", "power-off")


class PermissionTestCase(base.TestCase):
    """One step of a case whose host is down by all evidence."""

    def step(self, *others, record=None, case=None, power=None, **changes):
        facts = make.facts(record=record or make.record())
        view = make.missing(
            facts=facts,
            power=power and make.power(power),
            power_began=1000.0 if power else 0.0,
        )
        case = case or make.case()
        if power is model.PowerState.OFF:
            changes["verdicts"] = {"a": OFF} | changes.get("verdicts", {})
        world = make.world(view, *others, cases=[case], **changes)
        return recovery.step(
            case, work.Progress(), events.Tick(), world, make.now()
        )

    def kinds(self, step):
        return [type(action) for action in step.actions]


class BrakeTestCase(PermissionTestCase):
    def other(self, **record):
        kept = make.record("b", **record)
        return make.missing(facts=make.facts("b", record=kept))

    def test_nothing_forbids_it(self):
        step = self.step(make.present(host="b"))
        self.assertEqual([actions.Fence], self.kinds(step))

    def test_held_with_the_rule(self):
        case = self.step(self.other()).case
        self.assertEqual(
            (Hold.STORM, BrakeRule.TOO_MANY), (case.hold, case.held_by)
        )
        self.assertIn("storm (too-many): 2 of 2 hosts", case.message)
        self.assertIn("confirm-fenced a", case.message)

    def test_the_device_is_asked_meanwhile(self):
        step = self.step(self.other())
        self.assertEqual([actions.ReadPower], self.kinds(step))

    def test_recovered_without_a_power_off_if_it_reads_off(self):
        """Not even one that a device would ignore: it might be switched on
        between that reading and a command."""
        step = self.step(self.other(), power=model.PowerState.OFF)
        self.assertIs(CaseState.FENCED, step.case.state)
        self.assertNotIn(actions.Fence, self.kinds(step))

    def test_a_few_at_a_time(self):
        busy = make.case("b", state=CaseState.EVACUATING)
        case = make.case()
        world = make.world(
            make.missing(),
            self.other(),
            cases=[case, busy],
            verdicts={"a": OFF, "b": OFF},
        )
        step = recovery.step(
            case, work.Progress(), events.Tick(), world, make.now()
        )
        self.assertIs(BrakeRule.PACE, step.case.held_by)

    def test_a_silent_domain_is_remembered_until_one_of_it_is_heard(self):
        rack = make.record(failure_domain="rack")
        case = self.step(self.other(failure_domain="rack"), record=rack).case
        self.assertEqual("rack", case.silent_domain)
        self.assertIs(BrakeRule.FAILURE_DOMAIN, case.held_by)
        heard = make.facts(
            "b",
            record=make.record("b", failure_domain="rack"),
            beacon=make.beacon("b"),
        )
        step = self.step(
            make.present(host="b", facts=heard), record=rack, case=case
        )
        self.assertEqual("", step.case.silent_domain)
        self.assertEqual([actions.Fence], self.kinds(step))

    def test_after_a_storm(self):
        storm = brake.Storm(rule=BrakeRule.TOO_MANY)
        case = self.step(memory=brake.Memory(storms={"": storm})).case
        self.assertIs(BrakeRule.COOL_DOWN, case.held_by)

    def test_died_again_while_it_returned(self):
        for state in (CaseState.RETURNING, CaseState.SOAKING):
            case = make.case(state=state, boot_id="old")
            held = self.step(self.other(), case=case).case
            self.assertIs(Hold.STORM, held.hold)
            # The operator's word is about the boot that was lost.
            self.assertEqual("boot-1", held.boot_id)
            word = model.Confirmation(
                case=case.id,
                host="a",
                boot_id=model.BootId("boot-1"),
                by="admin",
                at=make.utc(0),
            )
            step = self.step(
                self.other(), case=held, confirmations={case.id: word}
            )
            self.assertIs(CaseState.FENCED, step.case.state)

    def test_alive_after_all_while_it_returned(self):
        case = make.case(
            state=CaseState.RETURNING,
            hold=Hold.STORM,
            held_by=BrakeRule.TOO_MANY,
        )
        world = make.world(make.present(), cases=[case])
        step = recovery.step(
            case, work.Progress(), events.Tick(), world, make.now()
        )
        self.assertEqual((None, None), (step.case.hold, step.case.held_by))


class QuarantineTestCase(PermissionTestCase):
    RECORD = make.record(quarantine=SICK)

    def test_it_is_not_fenced_again(self):
        step = self.step(record=self.RECORD)
        self.assertIs(Hold.QUARANTINE, step.case.hold)
        self.assertEqual([actions.ReadPower], self.kinds(step))
        for words in ("3 deaths", "confirm-fenced a", "host release a"):
            self.assertIn(words, step.case.message)

    def test_that_is_an_alarm_once(self):
        step = self.step(record=self.RECORD)
        (alarm,) = [one for one in step.audit if one.code == "host.spared"]
        self.assertIs(model.Severity.ALARM, alarm.severity)
        again = self.step(record=self.RECORD, case=step.case)
        self.assertNotIn("host.spared", [one.code for one in again.audit])

    def test_it_is_recovered_if_it_reads_off(self):
        step = self.step(record=self.RECORD, power=model.PowerState.OFF)
        self.assertIs(CaseState.FENCED, step.case.state)

    def test_or_by_an_operators_word(self):
        case = make.case()
        word = model.Confirmation(
            case=case.id,
            host="a",
            boot_id=case.boot_id,
            by="admin",
            at=make.utc(0),
        )
        step = self.step(record=self.RECORD, confirmations={case.id: word})
        self.assertIs(CaseState.FENCED, step.case.state)
