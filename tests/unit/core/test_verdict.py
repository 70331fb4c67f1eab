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

"""One test for each row of the table of verdicts, in its order."""

import dataclasses

from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.core import verdict
from nova_ha.core.model import PowerState
from nova_ha.core.model import Reason
from nova_ha.core.model import VerdictKind
from tests import base
from tests.unit.core import builders as make

NOW = 1000.0
NOVA = sources.NOVA


class VerdictTestCase(base.TestCase):
    def judge(self, view, *, case=None, connected=True, policy=make.POLICY):
        return verdict.judge(view, case, policy, NOW, connected=connected)

    def check(self, kind, reason, view, **options):
        found = self.judge(view, **options)
        self.assertEqual((kind, reason), (found.kind, found.reason))
        return found


class TableTestCase(VerdictTestCase):
    def test_a_beacon_is_life(self):
        self.check(VerdictKind.ALIVE, Reason.BEACON, make.present())

    def test_failed_checks_degrade(self):
        failed = (
            model.CheckResult(name="libvirt", ok=False, detail="gone"),
            model.CheckResult(name="storage", ok=True),
        )
        view = make.present(
            facts=make.facts(beacon=make.beacon(checks=failed))
        )
        found = self.check(VerdictKind.DEGRADED, Reason.CHECKS_FAILED, view)
        self.assertEqual("libvirt: gone", found.detail)

    def test_a_new_boot_is_told_for_the_soak_time(self):
        view = make.present(rebooted_at=NOW - 59)
        self.check(VerdictKind.REBOOTED, Reason.NEW_BOOT, view)
        view = make.present(rebooted_at=NOW - 60)
        self.check(VerdictKind.ALIVE, Reason.BEACON, view)

    def test_a_goodbye_within_its_time(self):
        view = make.missing(
            facts=make.facts(goodbye=make.goodbye(ttl=120.0)),
            goodbye_since=NOW - 119,
        )
        found = self.check(VerdictKind.AWAY, Reason.GOODBYE, view)
        self.assertEqual("stop", found.detail)

    def test_a_goodbye_that_has_run_out(self):
        view = make.missing(
            facts=make.facts(goodbye=make.goodbye(ttl=120.0)),
            goodbye_since=NOW - 120,
        )
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_no_goodbye_is_good_for_more_than_an_hour(self):
        facts = make.facts(goodbye=make.goodbye(ttl=1e9))
        view = make.missing(facts=facts, goodbye_since=NOW - 3599)
        self.check(VerdictKind.AWAY, Reason.GOODBYE, view)
        view = make.missing(facts=facts, goodbye_since=NOW - 3600)
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_maintenance_counts_with_and_without_a_beacon(self):
        taken_out = make.record(maintenance="new RAM")
        for view in (
            make.missing(facts=make.facts(record=taken_out)),
            make.present(
                facts=make.facts(record=taken_out, beacon=make.beacon())
            ),
        ):
            found = self.check(VerdictKind.HANDS_OFF, Reason.MAINTENANCE, view)
            self.assertEqual("new RAM", found.detail)

    def test_protected(self):
        view = make.missing(
            facts=make.facts(record=make.record(protected="an engine"))
        )
        self.check(VerdictKind.HANDS_OFF, Reason.PROTECTED, view)

    def test_not_enrolled(self):
        view = make.missing(facts=make.facts(record=None))
        self.check(VerdictKind.HANDS_OFF, Reason.NOT_ENROLLED, view)

    def test_without_our_own_session_nothing_is_known(self):
        for view in (make.present(), make.missing()):
            self.check(
                VerdictKind.UNKNOWN,
                Reason.OWN_SESSION,
                view,
                connected=False,
            )

    def test_another_source_has_moved_since(self):
        view = make.missing(
            sources={
                NOVA: dataclasses.replace(
                    make.silent_source(NOW), moved_at=NOW - 5
                )
            }
        )
        self.check(VerdictKind.AGENT_LOST, Reason.SOURCE_MOVES, view)

    def test_another_source_is_not_silent_yet(self):
        view = make.missing(
            since=10, sources={NOVA: make.silent_source(NOW, 19)}
        )
        self.check(VerdictKind.UNKNOWN, Reason.SOURCE_NOT_SILENT, view)

    def test_another_source_has_not_been_read_since(self):
        source = dataclasses.replace(
            make.silent_source(NOW), looked_at=NOW - 61
        )
        self.check(
            VerdictKind.UNKNOWN,
            Reason.SOURCE_UNREAD,
            make.missing(sources={NOVA: source}),
        )

    def test_no_other_source(self):
        view = make.missing(sources={}, service=None)
        self.check(VerdictKind.UNKNOWN, Reason.SOURCE_UNREAD, view)

    def test_nova_shows_no_such_service(self):
        view = make.missing(unlisted=True)
        self.check(VerdictKind.UNKNOWN, Reason.NO_SERVICE, view)

    def test_everything_is_silent_for_long_enough(self):
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, make.missing())

    def test_a_device_that_reads_off(self):
        view = make.missing(
            since=1.0,
            sources={},
            power=make.power(PowerState.OFF),
            power_began=NOW - 1.0,
        )
        found = self.check(VerdictKind.DOWN, Reason.POWER_OFF, view)
        self.assertEqual("bmc", found.detail)

    def test_the_last_look_showed_life(self):
        view = make.missing(doubted_at=NOW - make.POLICY.window + 0.1)
        self.check(VerdictKind.UNKNOWN, Reason.LIFE_SEEN, view)
        view = make.missing(doubted_at=NOW - make.POLICY.window)
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_never_seen(self):
        self.check(
            VerdictKind.UNKNOWN, Reason.NEVER_SEEN, make.missing(lost_at=None)
        )


class PowerTestCase(VerdictTestCase):
    def test_a_reading_from_before_the_loss_says_nothing(self):
        view = make.missing(
            since=1.0,
            power=make.power(PowerState.OFF),
            power_began=NOW - 1.1,
        )
        self.assertIsNot(Reason.POWER_OFF, self.judge(view).reason)

    def test_on_and_unknown_prove_nothing(self):
        for state in (PowerState.ON, PowerState.UNKNOWN):
            view = make.missing(power=make.power(state), power_began=NOW)
            self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_off_overrides_neither_beacon_nor_goodbye_nor_maintenance(self):
        off = {"power": make.power(PowerState.OFF), "power_began": NOW}
        self.check(VerdictKind.ALIVE, Reason.BEACON, make.present(**off))
        view = make.missing(
            facts=make.facts(goodbye=make.goodbye()),
            goodbye_since=NOW,
            **off,
        )
        self.check(VerdictKind.AWAY, Reason.GOODBYE, view)
        view = make.missing(
            facts=make.facts(record=make.record(maintenance="RAM")), **off
        )
        self.check(VerdictKind.HANDS_OFF, Reason.MAINTENANCE, view)


class WindowTestCase(VerdictTestCase):
    def test_the_window_has_to_pass(self):
        window = make.POLICY.window
        view = make.missing(since=window - 0.1)
        self.check(VerdictKind.UNKNOWN, Reason.WINDOW, view)
        view = make.missing(since=window)
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_a_host_missing_at_the_first_look_settles_first(self):
        settle = make.POLICY.settle
        view = make.missing(since=settle - 0.1, settling=True)
        self.check(VerdictKind.UNKNOWN, Reason.WINDOW, view)
        view = make.missing(since=settle, settling=True)
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)


class OperatorTestCase(VerdictTestCase):
    def flagged(self, **flags):
        return make.missing(service=make.service(**flags))

    def test_a_disabled_service(self):
        view = self.flagged(disabled=True, disabled_reason="broken fan")
        found = self.check(
            VerdictKind.HANDS_OFF, Reason.OPERATOR_DISABLED, view
        )
        self.assertEqual("broken fan", found.detail)

    def test_a_disabled_service_without_a_reason(self):
        self.check(
            VerdictKind.HANDS_OFF,
            Reason.OPERATOR_DISABLED,
            self.flagged(disabled=True),
        )

    def test_a_service_forced_down(self):
        self.check(
            VerdictKind.HANDS_OFF,
            Reason.OPERATOR_FORCED_DOWN,
            self.flagged(forced_down=True),
        )

    def test_what_nova_compute_disabled_itself(self):
        view = self.flagged(
            disabled=True,
            disabled_reason="AUTO: Connection to libvirt lost: 1",
        )
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_what_an_earlier_case_left(self):
        view = self.flagged(
            disabled=True,
            forced_down=True,
            disabled_reason=f"{verdict.CASE_REASON}x",
        )
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view)

    def test_with_a_case_its_flags_are_not_an_operators(self):
        view = self.flagged(forced_down=True, disabled=True)
        case = make.case(state=model.CaseState.EVACUATING)
        self.check(VerdictKind.DOWN, Reason.ALL_SILENT, view, case=case)

    def test_a_case_that_has_done_nothing_yet_has_set_none(self):
        """It may have been opened before Nova could be read."""
        case = make.case(state=model.CaseState.SUSPECTED)
        self.check(
            VerdictKind.HANDS_OFF,
            Reason.OPERATOR_FORCED_DOWN,
            self.flagged(forced_down=True),
            case=case,
        )


class WordsTestCase(base.TestCase):
    def test_each_reason_has_a_sentence(self):
        self.assertEqual(set(Reason), set(verdict.EXPLAIN))

    def test_what_is_suspect(self):
        """Neither life, nor absence, nor doubt about ourselves opens a
        case or counts for the brake."""
        self.assertEqual(
            {
                Reason.WINDOW,
                Reason.SOURCE_UNREAD,
                Reason.SOURCE_NOT_SILENT,
                Reason.ALL_SILENT,
                Reason.POWER_OFF,
            },
            {
                reason
                for reason in Reason
                if verdict.suspect(make.verdict("unknown", reason))
            },
        )

    def test_only_its_own_agent_makes_a_host_alive(self):
        alive = {
            kind
            for kind in VerdictKind
            if make.verdict(kind, Reason.BEACON).alive
        }
        self.assertEqual(
            {
                VerdictKind.ALIVE,
                VerdictKind.DEGRADED,
                VerdictKind.REBOOTED,
                VerdictKind.QUARANTINED,
            },
            alive,
        )

    def test_reads_off_needs_a_loss(self):
        view = liveness.HostView(
            host="a",
            facts=make.facts(),
            power=make.power(PowerState.OFF),
        )
        self.assertFalse(verdict.reads_off(view))


class StaleReadingTestCase(base.TestCase):
    def test_what_a_barred_device_has_said_is_void(self):
        bar = model.Bar(reason="it lied", since=make.utc(0))
        for barred, off in (({"bmc": bar}, False), ({"pdu": bar}, True)):
            reading = dataclasses.replace(
                make.power(PowerState.OFF), devices=("bmc",)
            )
            view = make.missing(
                since=NOW - 20.0,
                facts=make.facts(record=make.record(barred=barred)),
                power=reading,
                power_began=NOW - 2.0,
            )
            view = dataclasses.replace(view, lost_at=NOW - 20.0)
            self.assertIs(off, verdict.reads_off(view))

    def test_a_report_after_it_read_off_makes_the_reading_void(self):
        source = sources.Source(
            value=None, moved_at=NOW - 1.0, looked_at=NOW, moves=3
        )
        for began, off in ((NOW - 2.0, False), (NOW - 0.5, True)):
            view = make.missing(
                since=NOW - 20.0,
                sources={NOVA: source},
                power=make.power(PowerState.OFF),
                power_began=began,
            )
            view = dataclasses.replace(view, lost_at=NOW - 20.0)
            self.assertIs(off, verdict.reads_off(view))
