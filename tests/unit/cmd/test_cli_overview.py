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

"""What is said about a picture."""

import dataclasses

from nova_ha.cmd.commands import advice
from nova_ha.cmd.commands import overview
from nova_ha.cmd.commands import recoveries
from nova_ha.core import model
from nova_ha.core import policy
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from nova_ha.core.model import HostName
from nova_ha.core.model import VerdictKind
from tests import base
from tests.unit.cmd import test_cli_samples as samples

POLICY = policy.Policy()
CMP2 = HostName("cmp2")


def summed(pictured):
    return overview.overview(pictured, POLICY)


class OverviewTest(base.TestCase):
    def test_all_is_well(self):
        summary = summed(samples.picture())
        self.assertTrue(summary.well)
        self.assertEqual({"alive": 4}, summary.by_state)
        self.assertEqual("ctl1:100", summary.leader.engine)
        self.assertEqual((), summary.rows)

    def test_a_recovery_is_shown_with_what_to_do(self):
        summary = summed(samples.recovering())
        self.assertFalse(summary.well)
        (row,) = summary.rows
        self.assertEqual("cmp2", row.host)
        self.assertEqual(samples.ago(47), row.since)
        self.assertIn("leave it switched off", row.todo)
        self.assertIn("4 instances: 1 running, 1 done", row.message)
        self.assertEqual({"alive": 3, "down": 1}, summary.by_state)
        self.assertEqual((1, 1), (summary.counted, summary.limit))

    def test_cases_come_first_then_what_needs_attention(self):
        hosts = [samples.facts(f"cmp{one}", present=False) for one in "1234"]
        summary = summed(
            samples.picture(*hosts, cases=[samples.case("cmp3", "fencing")])
        )
        self.assertEqual(
            ["cmp3", "cmp1", "cmp2", "cmp4"],
            [row.host for row in summary.rows],
        )

    def test_what_concerns_the_whole(self):
        for change, words in (
            ({"contenders": ()}, "no engine leads"),
            ({"contenders": samples.CONTENDERS[:1]}, "only one engine"),
            ({"control": model.Control()}, "disarmed"),
            (
                {"control": model.Control(armed=True, paused=True)},
                "paused: no recovery",
            ),
            ({"hosts": {}}, "no host is enrolled"),
            (
                {
                    "contenders": (
                        dataclasses.replace(
                            samples.CONTENDERS[0],
                            refused="/etc/nova-ha/fencing.yaml:3: devices.d: "
                            "has no driver (add driver: <name>)",
                        ),
                        samples.CONTENDERS[1],
                    )
                },
                "fencing.yaml:3: devices.d: has no driver (add driver",
            ),
            (
                {
                    "hosts": {
                        CMP2: samples.facts(
                            "cmp2",
                            storage_domain="nfs-2",
                            proven_storage="nfs-1",
                        )
                    }
                },
                "cmp2: the agent proves storage domain nfs-1",
            ),
        ):
            with self.subTest(words=words):
                summary = summed(
                    dataclasses.replace(samples.picture(), **change)
                )
                (problem,) = summary.problems
                self.assertIn(words, problem.what)
                self.assertNotEqual("", problem.todo)
                self.assertFalse(summary.well)

    def test_a_planned_absence_needs_nobody_until_it_is_overdue(self):
        for said, well in ((10, True), (130, False)):
            goodbye = model.Goodbye(
                host=CMP2,
                boot_id=model.BootId("boot-1"),
                reason=model.GoodbyeReason.STOP,
                ttl=120.0,
                said_at=samples.ago(said),
            )
            away = dataclasses.replace(
                samples.facts("cmp2", present=False), goodbye=goodbye
            )
            summary = summed(samples.picture(samples.facts("cmp1"), away))
            self.assertEqual(well, summary.well)
            self.assertEqual(1, summary.by_state["away"])
            self.assertEqual(1, len(summary.rows))

    def test_hands_off_is_no_alarm(self):
        summary = summed(
            samples.picture(
                samples.facts("cmp1", maintenance="disks"),
                samples.facts("cmp2", present=False, protected="engine"),
            )
        )
        self.assertTrue(summary.well)
        self.assertEqual({"maintenance": 1, "protected": 1}, summary.by_state)
        self.assertEqual(0, summary.load.monitored)

    def test_a_flag_of_an_operator_is_told_and_no_alarm(self):
        for reason, words in (
            ("operator-forced-down", "--up cmp1"),
            ("operator-disabled", "--enable cmp1"),
        ):
            said = samples.published(
                "cmp1", samples.verdict("hands-off", reason)
            )
            summary = summed(
                samples.picture(samples.facts("cmp1"), verdicts=[said])
            )
            self.assertTrue(summary.well)
            self.assertEqual({reason: 1}, summary.by_state)
            (row,) = summary.rows
            self.assertIn(words, row.todo)
            self.assertFalse(row.urgent)

    def test_an_agent_that_is_not_enrolled_is_worth_a_line(self):
        stranger = dataclasses.replace(samples.facts("cmp9"), record=None)
        summary = summed(samples.picture(samples.facts("cmp1"), stranger))
        (row,) = summary.rows
        self.assertIn("registered in Nova", row.todo)

    def test_a_missing_host_is_unknown_while_nobody_judges(self):
        missing = samples.facts("cmp2", present=False)
        (row,) = summed(samples.picture(missing)).rows
        self.assertIs(VerdictKind.UNKNOWN, row.verdict.kind)
        self.assertTrue(row.urgent)

    def test_what_was_just_switched_off_counts(self):
        case = dataclasses.replace(
            samples.evacuating(), state=CaseState.EVACUATED
        )
        for seconds, counted in ((48.5, 1), (61.0, 0)):
            seen = dataclasses.replace(
                case.evidence, seen_at=samples.ago(seconds)
            )
            one = dataclasses.replace(case, evidence=seen)
            summary = summed(samples.picture(cases=[one]))
            self.assertEqual(counted, summary.counted)

    def test_a_storm_is_called_so(self):
        held = samples.case(state="suspected", hold=Hold.STORM)
        gone = [
            samples.facts(name, present=False) for name in ("cmp2", "cmp3")
        ]
        summary = summed(
            samples.picture(
                *gone,
                verdicts=[
                    samples.published("cmp2", samples.DOWN),
                    samples.published("cmp3", samples.DOWN),
                ],
                cases=[held],
            )
        )
        self.assertTrue(summary.storm)
        self.assertEqual({"cmp2", "cmp3"}, set(summary.load.suspects))

    def test_schedulable_as_the_filter_judges(self):
        def ask(*hosts, **others):
            pictured = samples.picture(*hosts, **others)
            return overview.schedulable(pictured, CMP2).schedulable

        here, gone = (
            samples.facts("cmp2", present=present) for present in (True, False)
        )
        self.assertTrue(ask(here))
        self.assertFalse(ask(gone))
        self.assertTrue(ask(samples.facts("cmp1")))
        self.assertFalse(ask(samples.facts("cmp2", maintenance="disks")))
        rebooted = samples.verdict("rebooted", "new-boot")
        for said in (True, False):
            word = samples.published("cmp2", rebooted, schedulable=said)
            self.assertIs(said, ask(here, verdicts=[word]))

    def test_a_beacon_refutes_a_verdict_that_was_left_behind(self):
        word = samples.published("cmp2", samples.DOWN)
        for present, kind in (
            (True, VerdictKind.ALIVE),
            (False, VerdictKind.DOWN),
        ):
            known = samples.facts("cmp2", present=present)
            pictured = samples.picture(known, verdicts=[word])
            self.assertIs(kind, overview.judged(pictured, CMP2).kind)

    def test_guests_count_only_for_the_boot_that_is_there(self):
        known = samples.facts("cmp2", guests=["a", "b"])
        self.assertEqual(2, overview.guests(known))
        other = samples.facts("cmp2", boot="boot-2", guests=["a"])
        self.assertIsNone(overview.guests(other))
        gone = samples.facts("cmp2", present=False, guests=["a"])
        self.assertIsNone(overview.guests(gone))

    def test_phases_are_in_order_with_durations(self):
        phases = recoveries.phases(samples.evacuating())
        self.assertEqual(
            [("opened", 0.0), ("suspected", 0.0), ("fencing", 10.0)],
            [(name, step) for name, _, step, _ in phases[:3]],
        )
        self.assertEqual(("first_instance", 7.0, 20.0), _name_step_all(phases))

    def test_moved_counts_what_had_to_move(self):
        self.assertEqual((1, 3), recoveries.moved(samples.evacuating()))

    def test_the_soak_is_counted_down(self):
        soaking = samples.case(state="soaking")
        self.assertEqual(
            40.0, recoveries.soak_left(soaking, samples.NOW, 60.0)
        )
        self.assertEqual(0.0, recoveries.soak_left(soaking, samples.NOW, 15.0))
        self.assertIsNone(
            recoveries.soak_left(samples.case(), samples.NOW, 60.0)
        )
        self.assertIn("in 40 s", advice.for_case(soaking, samples.NOW, 60.0))

    def test_failed_evacuations_wait_for_a_decision(self):
        failed = model.Move(
            instance="i1", state=model.MoveState.FAILED, attempts=5
        )
        soaking = samples.case(state="soaking", moves=(failed,))
        self.assertIn(
            "nova-ha host release cmp2",
            advice.for_case(soaking, samples.NOW, 60.0),
        )


def _name_step_all(phases):
    name, _, step, since = phases[-1]
    return name, step, since


class AdviceTest(base.TestCase):
    def test_every_state_and_hold_has_advice(self):
        for state in CaseState:
            words = advice.for_case(
                samples.case(state=state.value), samples.NOW, 60.0
            )
            self.assertNotIn("{", words)
        for hold in Hold:
            words = advice.for_case(samples.case(hold=hold), samples.NOW, 60.0)
            self.assertNotIn("{", words)
            self.assertNotEqual("", words)

    def test_every_verdict_has_advice(self):
        for kind in VerdictKind:
            for reason in model.Reason:
                words = advice.for_host(
                    CMP2,
                    samples.verdict(kind, reason),
                    model.HostFacts(host=CMP2),
                    samples.NOW,
                )
                self.assertNotEqual("", words)
                self.assertNotIn("{", words)

    def _why_not(self, case, beacon=None):
        return advice.why_not_confirm(CMP2, case, beacon, str)

    def test_a_confirmation_is_wanted_where_proof_is_waited_for(self):
        wanted = {CaseState.SUSPECTED, CaseState.FENCING}
        wanted.add(CaseState.FENCE_FAILED)
        for state in CaseState:
            refused = self._why_not(samples.case(state=state.value))
            self.assertEqual(state in wanted, not refused, state)

    def test_a_void_proof_can_be_replaced(self):
        case = samples.case(hold=Hold.LIFE_AFTER_OFF)
        self.assertEqual("", self._why_not(case))

    def test_no_word_against_a_beacon_or_without_a_case(self):
        case = samples.case(state="suspected")
        beacon = samples.facts("cmp2").beacon
        self.assertIn("alive", self._why_not(case, beacon))
        self.assertIn("no open case", self._why_not(None))
