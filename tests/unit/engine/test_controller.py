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

"""The real controller, core and performer on a small fake cloud."""

import datetime

from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core.model import CaseState
from tests import base
from tests.fakes import cloud as fakes


class ControllerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.engine = fakes.EngineUnderTest(self.cloud)
        self.engine.run(60)

    def evacuations(self):
        return [call for call in self.cloud.calls if call[0] == "evacuate"]

    def wait_for(self, host, *states):
        self.engine.run_until(lambda: self.engine.state(host) in states)


class HealthyTestCase(ControllerTestCase):
    def test_nothing_is_done_to_a_healthy_cloud(self):
        self.engine.run(300)
        self.assertEqual([], self.cloud.calls)
        self.assertEqual({}, self.cloud.stored)
        self.assertEqual({}, self.cloud.verdicts)


class RecoveryTestCase(ControllerTestCase):
    def test_a_dead_host_is_fenced_and_its_instances_move(self):
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(
            ["off", "force_down", "disable"]
            if self.cloud.calls[2][0] == "disable"
            else ["off", "force_down", "evacuate"],
            [call[0] for call in self.cloud.calls[:3]],
        )
        self.assertEqual(2, len(self.evacuations()))
        hosts = {self.cloud.servers[one].host for one in ("a0", "a1")}
        self.assertEqual(2, len(hosts))  # spread
        self.assertNotIn("a", hosts)

    def test_every_step_is_told_once(self):
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        codes = self.engine.notifier.codes()
        for code in (
            "case.opened",
            "case.fencing",
            "case.fenced",
            "case.forced_down",
            "case.disabled",
            "case.evacuating",
            "case.evacuated",
        ):
            self.assertEqual(1, codes.count(code), code)
        self.assertEqual(2, codes.count("instance.evacuated"))

    def test_detection_is_bounded(self):
        start = self.cloud.clock.now
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        fencing = self.cloud.stored["a"][0].times["fencing"]
        age = (fencing - fakes.START).total_seconds() - start
        # The beacon goes at once here: the window and the silence of a
        # nova-compute that reports every 5 s are what is left.
        self.assertLessEqual(age, 2 * 5.5 + 1)

    def test_the_host_comes_back(self):
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        self.cloud.hosts["a"].power_on()
        self.wait_for("a", CaseState.RETURNING)
        self.engine.run(30)
        self.assertEqual(CaseState.RETURNING, self.engine.state("a"))
        self.assertIn("clean", self.engine.case("a").message)
        self.cloud.clean_up("a")
        self.wait_for("a", CaseState.SOAKING)
        self.engine.run(50)
        self.assertTrue(self.cloud.hosts["a"].forced_down)
        self.engine.run_until(lambda: not self.cloud.stored)
        self.assertFalse(self.cloud.hosts["a"].forced_down)
        self.assertEqual("", self.cloud.hosts["a"].disabled_reason)
        self.assertEqual(1, len(self.cloud.history))
        self.engine.run(5)
        self.assertEqual({}, self.cloud.verdicts)

    def test_dying_while_soaking_is_a_new_failure(self):
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        self.cloud.hosts["a"].power_on()
        self.cloud.clean_up("a")
        self.wait_for("a", CaseState.SOAKING)
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(
            2, [call[0] for call in self.cloud.calls].count("off")
        )

    def test_a_device_that_reads_off_is_proof_at_once(self):
        start = self.cloud.clock.now
        self.cloud.hosts["a"].crash()
        self.cloud.hosts["a"].power = model.PowerState.OFF
        self.wait_for("a", CaseState.EVACUATING, CaseState.EVACUATED)
        self.assertLess(self.cloud.clock.now - start, 2)
        self.assertNotIn(("off", "a"), self.cloud.calls)


class NoActionTestCase(ControllerTestCase):
    def test_a_lost_agent_is_not_a_death(self):
        self.cloud.hosts["a"].agent = False
        self.engine.run(120)
        self.assertEqual([], self.cloud.calls)
        verdict = self.cloud.verdicts["a"]
        self.assertEqual(model.VerdictKind.AGENT_LOST, verdict.verdict.kind)
        self.assertFalse(verdict.schedulable)

    def test_the_host_of_a_lost_agent_can_still_die(self):
        self.cloud.hosts["a"].agent = False
        self.engine.run(60)
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)

    def test_disarmed_it_only_says_what_it_would_do(self):
        self.cloud.control = model.Control(armed=False)
        self.cloud.hosts["a"].crash()
        self.engine.run(120)
        self.assertEqual([], self.cloud.calls)
        codes = self.engine.notifier.codes()
        self.assertEqual(1, codes.count("host.would_fence"))
        self.assertIn("would fence", self.cloud.verdicts["a"].message)
        self.cloud.control = model.Control(armed=True)
        self.wait_for("a", CaseState.EVACUATED)

    def test_pause_holds_a_recovery_and_resume_goes_on(self):
        self.cloud.rebuild_seconds = 20.0
        for number in range(30):
            self.cloud.boot("a", f"more{number}")
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATING)
        self.engine.run(2)
        self.cloud.control = model.Control(armed=True, paused=True)
        self.engine.run(1)
        sent = len(self.evacuations())
        self.engine.run(100)
        self.assertEqual(sent, len(self.evacuations()))
        self.assertIs(model.Hold.PAUSED, self.engine.case("a").hold)
        self.cloud.control = model.Control(armed=True)
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(32, len(self.evacuations()))

    def test_an_operators_force_down_of_a_live_host_is_left_alone(self):
        self.cloud.hosts["a"].forced_down = True
        self.engine.run(100)
        self.assertEqual([], self.cloud.calls)

    def test_an_operators_disable_means_hands_off(self):
        self.cloud.hosts["a"].disabled_reason = "broken fan"
        self.engine.run(5)
        self.cloud.hosts["a"].crash()
        self.engine.run(100)
        self.assertEqual([], self.cloud.calls)
        self.assertEqual(
            model.Reason.OPERATOR_DISABLED,
            self.cloud.verdicts["a"].verdict.reason,
        )

    def test_maintenance_and_protection_mean_hands_off(self):
        self.cloud.hosts["a"].maintenance = "new RAM"
        self.cloud.hosts["b"].protected = "it also runs: engine"
        self.engine.run(5)
        self.cloud.hosts["a"].crash()
        self.cloud.hosts["b"].crash()
        self.engine.run(100)
        self.assertEqual([], self.cloud.calls)

    def test_two_of_four_hosts_at_once_are_a_storm(self):
        self.cloud.hosts["a"].crash()
        self.cloud.hosts["b"].crash()
        self.engine.run(120)
        self.assertEqual([], self.cloud.calls)
        self.assertIs(model.Hold.STORM, self.engine.case("a").hold)
        self.assertIn("confirm-fenced", self.engine.case("a").message)

    def test_one_host_after_the_other(self):
        self.cloud.rebuild_seconds = 40.0
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATING)
        self.cloud.hosts["d"].crash()  # no instance is on its way there
        self.engine.run(25)
        self.assertNotIn(("off", "d"), self.cloud.calls)
        self.wait_for("d", CaseState.EVACUATED)

    def test_own_session_lost_starts_nothing(self):
        self.engine.handle(events.ConnectionChanged(connected=False))
        self.cloud.hosts["a"].crash()
        for _ in range(200):
            self.cloud.clock.now += 0.5
            self.engine.handle(events.Tick())
        self.assertEqual([], self.cloud.calls)

    def test_ages_count_anew_after_an_outage(self):
        self.engine.handle(events.ConnectionChanged(connected=False))
        self.cloud.clock.now += 600
        self.cloud.hosts["a"].agent = False  # still reconnecting
        self.engine.run(5)
        self.cloud.hosts["a"].agent = True
        self.engine.run(60)
        self.assertEqual([], self.cloud.calls)


class GoodbyeTestCase(ControllerTestCase):
    def say_goodbye(self, ttl):
        host = self.cloud.hosts["a"]
        host.agent = False
        host.goodbye = model.Goodbye(
            host=host.name,
            boot_id=host.boot_id,
            reason=model.GoodbyeReason.STOP,
            ttl=ttl,
            said_at=self.cloud.clock.utcnow(),
        )

    def test_an_upgrade_is_not_a_death(self):
        self.say_goodbye(120)
        self.engine.run(100)
        self.assertEqual([], self.cloud.calls)
        self.assertTrue(self.cloud.verdicts["a"].schedulable)

    def test_a_death_in_an_upgrade_is_not_lost(self):
        self.say_goodbye(120)
        self.engine.run(10)
        self.cloud.hosts["a"].crash()
        self.engine.run(100)
        self.assertEqual([], self.cloud.calls)
        self.wait_for("a", CaseState.EVACUATED)


class LifeTestCase(ControllerTestCase):
    def test_life_before_the_first_power_off_cancels(self):
        self.cloud.hosts["a"].agent = False
        self.cloud.hosts["a"].compute = False
        self.engine.run(5)
        self.assertEqual(CaseState.SUSPECTED, self.engine.state("a"))
        self.cloud.hosts["a"].agent = True
        self.engine.run(2)
        self.assertEqual({}, self.cloud.stored)
        (case,) = self.cloud.history.values()
        self.assertEqual(CaseState.CANCELLED, case.state)
        self.assertEqual([], self.cloud.calls)

    def test_the_last_look_sees_a_beacon(self):
        """It comes back between the verdict and the power-off."""
        host = self.cloud.hosts["a"]
        host.agent = host.compute = False
        read_host = self.cloud.read_host

        def back(name):
            host.agent = True
            return read_host(name)

        self.cloud.read_host = back
        self.engine.run(60)
        self.assertNotIn(("off", "a"), self.cloud.calls)
        (case,) = self.cloud.history.values()
        self.assertEqual(CaseState.CANCELLED, case.state)

    def test_the_last_look_sees_a_report(self):
        host = self.cloud.hosts["a"]
        host.agent = host.compute = False
        services = self.cloud.services
        armed = []

        def moved():
            if armed:
                host.reported_at = self.cloud.clock.utcnow()
            return services()

        self.cloud.services = moved
        fence = self.cloud.fence

        def late(*arguments):
            armed.append(True)
            return fence(*arguments)

        self.cloud.fence = late
        self.engine.run(40)
        self.assertNotIn(("off", "a"), self.cloud.calls)

    def test_a_lying_device_is_found_out(self):
        host = self.cloud.hosts["a"]
        host.device = "lies"
        host.agent = host.compute = False  # cut off, but running
        self.cloud.evacuate = lambda *_: None
        self.wait_for("a", CaseState.FENCED, CaseState.EVACUATING)
        host.agent = True
        host.power = model.PowerState.OFF
        self.engine.run(5)
        case = self.engine.case("a")
        self.assertIs(model.Hold.LIFE_AFTER_OFF, case.hold)
        self.assertIn("case.evidence_void", self.engine.notifier.codes())

    def test_the_operators_word_ends_the_doubt(self):
        self.test_a_lying_device_is_found_out()
        del self.cloud.evacuate
        host, case = self.cloud.hosts["a"], self.engine.case("a")
        host.crash()
        self.cloud.confirmations[case.id] = model.Confirmation(
            case=case.id,
            host=case.host,
            boot_id=case.boot_id,
            by="admin",
            at=self.cloud.clock.utcnow(),
        )
        self.wait_for("a", CaseState.EVACUATED)
        evidence = self.cloud.stored["a"][0].evidence
        self.assertEqual("admin", evidence.by)

    def test_switched_on_in_the_middle_it_is_fenced_again(self):
        for number in range(30):
            self.cloud.boot("a", f"more{number}")
        self.cloud.rebuild_seconds = 10.0
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATING)
        self.engine.run(2)
        self.cloud.hosts["a"].power_on()
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(
            2, [call[0] for call in self.cloud.calls].count("off")
        )


class FenceFailedTestCase(ControllerTestCase):
    def setUp(self):
        super().setUp()
        self.cloud.hosts["a"].device = "fails"
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.FENCE_FAILED)

    def test_nothing_is_evacuated_and_the_operator_is_told(self):
        self.engine.run(200)
        self.assertEqual([], self.cloud.calls)
        self.assertGreater(self.engine.case("a").fence_rounds, 3)
        self.assertIn("case.fence_failed", self.engine.notifier.codes())
        self.assertIn("confirm-fenced a", self.cloud.verdicts["a"].message)

    def test_the_device_is_mended(self):
        self.engine.run(30)
        self.cloud.hosts["a"].device = "obeys"
        self.wait_for("a", CaseState.EVACUATED)

    def confirm(self, **changes):
        case = self.engine.case("a")
        word = {
            "case": case.id,
            "host": case.host,
            "boot_id": case.boot_id,
            "by": "admin",
            "at": self.cloud.clock.utcnow(),
            **changes,
        }
        self.cloud.confirmations[word["case"]] = model.Confirmation(**word)

    def test_the_operator_confirms(self):
        self.confirm()
        self.wait_for("a", CaseState.EVACUATED)
        evidence = self.cloud.stored["a"][0].evidence
        self.assertEqual(model.EvidenceKind.OPERATOR_CONFIRMED, evidence.kind)
        self.assertEqual("admin", evidence.by)
        self.assertEqual({}, self.cloud.confirmations)  # used once

    def test_a_confirmation_of_another_boot_or_case_is_not_used(self):
        self.confirm(boot_id="another")
        self.engine.run(20)
        self.assertEqual(CaseState.FENCE_FAILED, self._state())
        self.confirm(case="another")
        self.engine.run(20)
        self.assertEqual(CaseState.FENCE_FAILED, self._state())

    def _state(self):
        state = self.engine.state("a")
        # A round may be under way.
        return CaseState.FENCE_FAILED if state is CaseState.FENCING else state

    def test_the_host_turns_out_to_be_alive(self):
        self.cloud.hosts["a"].running = True
        self.cloud.hosts["a"].agent = True
        self.engine.run(90)
        self.assertEqual({}, self.cloud.stored)
        self.assertEqual([], self.cloud.calls)


class TroubleTestCase(ControllerTestCase):
    def test_a_refused_target_is_replaced(self):
        self.cloud.outcomes.extend(["error"])
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(3, len(self.evacuations()))

    def test_a_failed_rebuild_is_repeated_where_it_may_run(self):
        """Until the agent has shown twice that the guest is not there, only
        the same target may be asked again."""
        self.cloud.outcomes.extend(["failed"])
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        sent = self.evacuations()
        self.assertEqual(3, len(sent))
        (twice,) = {
            one
            for one in ("a0", "a1")
            if [call[1] for call in sent].count(one) == 2
        }
        targets = {call[2] for call in sent if call[1] == twice}
        self.assertEqual(1, len(targets))

    def test_a_lost_answer_is_not_a_second_evacuation(self):
        real = self.cloud.evacuate

        def lost(instance, target):
            real(instance, target)
            raise exception_of_loss()

        self.cloud.evacuate = lost
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(2, len(self.evacuations()))

    def test_a_request_that_vanished_is_repeated_to_the_same_host(self):
        real = self.cloud.evacuate
        dropped = []

        def drop_first(instance, target):
            if not dropped:
                dropped.append((instance, target))
                raise exception_of_loss()
            real(instance, target)

        self.cloud.evacuate = drop_first
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATED)
        (lost,) = dropped
        self.assertIn(("evacuate", *lost), self.evacuations())

    def test_an_evacuation_in_flight_is_adopted(self):
        self.cloud.rebuild_seconds = 30.0
        self.cloud.hosts["a"].crash()
        self.cloud.evacuate("a0", "d")
        self.cloud.calls.clear()
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(["a1"], [call[1] for call in self.evacuations()])

    def test_a_guest_seen_elsewhere_is_held(self):
        self.cloud.hosts["c"].guests.add("a0")
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.PARTIAL)
        self.assertEqual(["a1"], [call[1] for call in self.evacuations()])
        self.assertIn("c runs it, though", self.engine.case("a").message)

    def test_what_nova_does_not_evacuate_is_reported(self):
        self.cloud.servers["a0"] = model.Instance(
            id="a0", name="suspended-one", host="a", vm_state="suspended"
        )
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.PARTIAL)
        self.assertIn("suspended", self.engine.case("a").message)

    def test_nova_away_in_the_middle(self):
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.FENCED, CaseState.EVACUATING)
        self.cloud.nova_down = True
        self.engine.run(60)
        self.cloud.nova_down = False
        self.wait_for("a", CaseState.EVACUATED)
        self.assertEqual(
            {"a0", "a1"},
            {one for one, host in self._where().items() if host != "a"}
            & {"a0", "a1"},
        )

    def _where(self):
        return {one.id: one.host for one in self.cloud.servers.values()}

    def test_the_target_dies_too(self):
        self.cloud.rebuild_seconds = 1000.0
        self.cloud.hosts["a"].crash()
        self.wait_for("a", CaseState.EVACUATING)
        self.engine.run(2)
        target = self.evacuations()[0][2]
        self.cloud.hosts[target].crash()
        # One host at a time - but the first cannot end before the second.
        self.cloud.rebuild_seconds = 2.0
        self.wait_for(target, CaseState.EVACUATED)
        self.wait_for("a", CaseState.EVACUATED)


class SuccessorTestCase(ControllerTestCase):
    """Kill the engine after any single job: its successor finishes."""

    def test_killed_after_every_job(self):
        finished = False
        killed_after = 0
        while not finished:
            finished = self._run_with_a_kill_after(killed_after)
            killed_after += 1
        self.assertGreater(killed_after, 8)

    def _run_with_a_kill_after(self, jobs):
        cloud = fakes.Cloud()
        first = fakes.EngineUnderTest(cloud)
        first.run(60)
        cloud.hosts["a"].crash()
        count = 0
        real = first.executor.run_one

        def count_jobs():
            nonlocal count
            if first.executor.waiting[0][0].host == "a":
                count += 1
            if count > jobs:
                raise _Killed
            return real()

        first.executor.run_one = count_jobs
        try:
            first.run_until(
                lambda: first.state("a") is CaseState.EVACUATED, 120
            )
            return True
        except _Killed:
            pass
        cloud.clock.now += 12
        second = fakes.EngineUnderTest(cloud, epoch=2)
        second.run_until(lambda: second.state("a") is CaseState.EVACUATED, 200)
        for server in ("a0", "a1"):
            self.assertNotEqual("a", cloud.servers[server].host)
            targets = {
                call[2]
                for call in cloud.calls
                if call[0] == "evacuate" and call[1] == server
            }
            self.assertEqual(1, len(targets), cloud.calls)
            done = [one for one in cloud.records if one.instance == server]
            self.assertEqual(1, len(done), f"killed after {jobs}")
        return False

    def test_a_deposed_leader_changes_nothing(self):
        self.cloud.hosts["a"].crash()
        self.engine.run(5)
        self.cloud.epoch = model.Epoch(2)  # somebody else leads
        self.engine.run(60)
        self.assertEqual([], self.cloud.calls)


class _Killed(Exception):
    pass


def exception_of_loss():
    from nova_ha import exception

    return exception.ComputeUnavailable("timed out")


class EnrolmentTestCase(base.TestCase):
    def test_a_live_agent_is_enrolled(self):
        cloud = fakes.Cloud()
        facts = cloud.hosts["a"].facts
        cloud.hosts["a"].facts = lambda: model.HostFacts(
            host=facts().host, beacon=facts().beacon
        )
        engine = fakes.EngineUnderTest(cloud)
        engine.run(1)
        self.assertEqual([("enrol", "a")], cloud.calls)

    def test_time_is_utc(self):
        self.assertIs(datetime.UTC, fakes.START.tzinfo)
