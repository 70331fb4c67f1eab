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

"""The proof that a host is off: how it perishes, and what happens then."""

from nova_ha import exception
from nova_ha.core import model
from nova_ha.core import proof
from nova_ha.core import sources
from nova_ha.core import transitions
from nova_ha.core import work
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import Hold
from nova_ha.core.model import PowerState
from tests import base
from tests.unit.core import builders as make
from tests.unit.core import scenario


class PowerTestCase(scenario.ScenarioTestCase):
    """What the device says while instances wait for their evacuation."""

    def setUp(self):
        super().setUp()
        self.crash(power=PowerState.OFF)
        self.cloud.nova_down = True  # nothing is evacuated so far
        self.engine.run(2)
        self.is_in(S.FENCED)

    def check_goes_on(self):
        self.reach(S.EVACUATED)
        self.assertIsNone(self.case.hold)

    def test_a_device_that_is_silent_for_a_while_only_delays(self):
        self.host.device, self.cloud.nova_down = "hung", False
        self.engine.run(20)
        self.assertIs(Hold.POWER_UNKNOWN, self.case.hold)
        self.assertEqual([], self.calls("evacuate"))
        self.host.device = "obeys"
        self.check_goes_on()

    def test_a_device_that_stays_silent_is_told_again_and_again(self):
        self.host.device, self.cloud.nova_down = "hung", False
        self.engine.run(1300, step=2.5)
        self.assertGreaterEqual(self.codes().count("case.waiting"), 2)
        self.assertEqual([], self.calls("evacuate"))

    def test_a_host_that_reads_on_is_fenced_again(self):
        self.host.power, self.cloud.nova_down = PowerState.ON, False
        self.engine.run(5)
        self.assertEqual(1, len(self.calls("off")))
        self.check_goes_on()


class OperatorTestCase(scenario.ScenarioTestCase):
    def test_an_operators_word_against_a_device_that_reads_on(self):
        """Held; and once the device reads off, it goes on."""
        self.to_fence_failed()
        self.host.device = "obeys"
        self.confirm()
        self.engine.run(10)
        self.assertIs(Hold.POWER_ON, self.case.hold)
        self.assertEqual([], self.calls("evacuate"))
        self.host.power = PowerState.OFF
        self.reach(S.EVACUATED)

    def test_a_device_that_does_not_answer_leaves_it_to_the_operator(self):
        self.to_fence_failed()
        self.confirm()
        self.reach(S.EVACUATED)

    def test_never_against_a_beacon(self):
        self.host.device = "fails"
        self.cut_off()
        self.reach(S.FENCE_FAILED)
        case = self.case
        self.host.agent = True
        self.engine.run(0.5)
        self.cloud.confirm(case, by="admin")
        self.engine.run(60)
        self.assertEqual([], self.cloud.calls)


class LyingDeviceTestCase(scenario.ScenarioTestCase):
    """It belongs to another chassis: it reads off, and the host runs on."""

    def setUp(self):
        super().setUp()
        self.host.device = "lies"
        self.cut_off()
        self.host.power = PowerState.OFF
        self.cloud.nova_down = True  # nothing is evacuated so far
        self.engine.run(2)
        self.is_in(S.FENCED)

    def show_life(self):
        self.host.agent = True
        self.engine.run(2)
        self.assertIs(Hold.LIFE_AFTER_OFF, self.case.hold)
        self.host.agent = False
        self.engine.run(2)

    def check_held(self):
        self.cloud.nova_down = False
        self.engine.run(60)
        self.assertEqual([], self.calls("evacuate"))
        self.assertIs(Hold.LIFE_AFTER_OFF, self.case.hold)

    def test_a_beacon_voids_the_evidence(self):
        self.show_life()
        self.assertIn("case.evidence_void", self.codes())
        self.check_held()

    def test_reports_void_it_too(self):
        self.cloud.nova_down = False
        self.cloud.evacuate = self.unavailable
        self.host.compute = True
        self.engine.run(20)
        self.assertIs(Hold.LIFE_AFTER_OFF, self.case.hold)

    def unavailable(self, *_):
        raise exception.ComputeUnavailable("timed out")

    def test_a_pause_does_not_make_it_valid_again(self):
        self.show_life()
        self.cloud.control = model.Control(armed=True, paused=True)
        self.engine.run(2)
        self.cloud.control = model.Control(armed=True)
        self.check_held()

    def test_nor_does_an_outage_of_zookeeper(self):
        self.show_life()
        self.engine.lose_zookeeper()
        self.cloud.clock.now += 5
        self.engine.find_zookeeper()
        self.check_held()

    def test_nor_does_maintenance(self):
        self.show_life()
        self.host.maintenance = "look at the cables"
        self.engine.run(2)
        self.host.maintenance = ""
        self.check_held()

    def test_nor_does_a_successor(self):
        self.show_life()
        self.survive()
        self.check_held()

    def test_the_operator_confirms_and_it_goes_on(self):
        """As the message promises."""
        self.show_life()
        self.assertIn("confirm-fenced a", self.case.message)
        self.host.crash()
        self.cloud.nova_down = False
        self.confirm()
        self.reach(S.EVACUATED)


class SwitchedOnTestCase(scenario.ScenarioTestCase):
    def test_the_beacon_of_a_host_that_is_fenced_again_outlives_it(self):
        """Its session has to expire first: no life after off."""
        self.to_evacuating()
        self.cloud.rebuild_seconds = 2.0
        self.cloud.switch_on("a", agent=True)
        crash, late = self.host.crash, []

        def crash_but_beacon():
            crash()
            self.host.agent = True
            late.append(self.cloud.clock.now + 10.0)

        self.host.crash = crash_but_beacon
        self.engine.run_until(lambda: late, 10)
        while self.cloud.clock.now < late[0]:
            self.engine.run(0.5)
            self.assertIsNot(Hold.LIFE_AFTER_OFF, self.case.hold)
        self.host.agent = False
        self.reach(S.EVACUATED)

    def test_without_its_agent_while_all_evacuations_are_in_flight(self):
        """Its device is asked before it is called a liar."""
        self.to_evacuating()
        self.cloud.switch_on("a", agent=False)
        self.engine.run(30)
        self.assertNotIn("case.evidence_void", self.codes())
        self.cloud.rebuild_seconds = 2.0
        self.reach(S.EVACUATED)

    def test_a_partial_host_has_time_to_boot(self):
        """An operator switches it on to look after what is left: there is
        nothing more to evacuate, and its agent needs a while."""
        self.to_partial()
        self.host.power = PowerState.ON
        self.engine.run(60)
        self.assertIs(PowerState.ON, self.host.power)
        self.cloud.switch_on("a", agent=True)
        self.cloud.clean_up("a")
        self.reach(S.SOAKING)


class SignsTestCase(base.TestCase):
    """What moves for a host that was seen off."""

    def judge(
        self,
        moves,
        moved_at=995.0,
        looked_at=1000.0,
        read_at=999.0,
        verdict="all-silent",
    ):
        """The case after a step at 1000 s; proven at 980 s."""
        heartbeat = sources.Source(
            value="9",
            moved_at=moved_at,
            looked_at=looked_at,
            moves=moves,
            promised=2.0,
        )
        view = make.missing(
            sources={
                sources.NOVA: make.silent_source(1000.0),
                sources.STORAGE: heartbeat,
            }
        )
        case = make.case(
            state=S.EVACUATING,
            verdict=make.verdict("down", verdict),
            evidence=make.evidence(),
            force_down=model.Ownership.OURS,
            disable=model.Ownership.OURS,
        )
        bench = work.Work(
            case,
            work.Progress(
                signs_at_proof={"nova": 3, "storage": 5},
                signs_since=980.0,
                survey_began=read_at,
                survey=model.Survey(
                    host="a", power=make.power(PowerState.OFF)
                ),
            ),
            make.world(view, cases=[case]),
            make.now(1000.0),
            transitions.TRANSITIONS,
        )
        return proof.holds(bench), bench.case

    def test_nothing_moves(self):
        self.assertTrue(self.judge(5)[0])

    def test_what_showed_life_until_the_end_has_to_fall_silent(self):
        """Such a host was fenced though it was known to run."""
        holds, case = self.judge(5, moved_at=998.0, verdict="isolated")
        self.assertEqual((False, ""), (holds, case.doubt))
        self.assertIn("storage", case.message)
        self.assertTrue(self.judge(5, moved_at=996.0, verdict="isolated")[0])
        self.assertTrue(self.judge(5, moved_at=998.0)[0])
        unread = {"moved_at": 988.0, "looked_at": 989.0}
        self.assertTrue(self.judge(5, **unread, verdict="isolated")[0])

    def test_one_sign_was_on_its_way(self):
        holds, case = self.judge(6, moved_at=998.0)
        self.assertEqual((False, ""), (holds, case.doubt))
        self.assertTrue(self.judge(6, moved_at=996.0)[0])

    def test_two_are_life(self):
        holds, case = self.judge(7)
        self.assertFalse(holds)
        self.assertIn("storage heartbeat moves", case.doubt)

    def test_but_the_device_is_asked_first(self):
        holds, case = self.judge(7, read_at=994.0)
        self.assertEqual((False, ""), (holds, case.doubt))

    def test_peers_may_tell_late_what_they_saw_before(self):
        holds, case = self.judge(7, moved_at=983.9)
        self.assertEqual("", case.doubt)

    def test_one_that_can_no_longer_be_read_does_not_hold_it_up(self):
        self.assertTrue(self.judge(6, moved_at=988.0, looked_at=989.0)[0])
