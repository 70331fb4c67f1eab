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

"""Waves of pinned evacuations. What must never happen is checked by the
strict cloud itself."""

import dataclasses

import fixtures

from nova_ha import exception
from nova_ha.core import actions
from nova_ha.core import evacuation
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import recovery
from nova_ha.core import work
from nova_ha.core.model import CaseState as S
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders as make
from tests.unit.core import scenario


class WaveTestCase(scenario.ScenarioTestCase):
    def test_few_at_a_time_to_each_target(self):
        for number in range(30):
            self.cloud.boot("a", f"more{number}")
        self.to_evacuating()
        targets = [call[2] for call in self.calls("evacuate")]
        self.assertEqual(
            {"b": 3, "c": 3, "d": 3},
            {host: targets.count(host) for host in "bcd"},
        )

    def test_all_of_them_in_the_end(self):
        for number in range(30):
            self.cloud.boot("a", f"more{number}")
        self.to_evacuated()
        self.assertEqual(32, len(self.calls("evacuate")))
        self.assertEqual(
            set(),
            {one for one in self.cloud.servers.values() if one.host == "a"},
        )

    def test_a_slow_nova_is_only_slow(self):
        """Listing a large host, or a device that takes its time."""
        migrations = self.cloud.migrations

        def slow(host):
            self.cloud.clock.now += 5.0
            return migrations(host)

        self.cloud.migrations = slow
        self.to_evacuated()

    def test_no_room(self):
        self.cloud.targets = lambda _: []
        self.crash()
        self.reach(S.PARTIAL)
        self.assertIn("no live host has room for it", self.case.message)
        self.assertEqual([], self.calls("evacuate"))

    def test_nowhere_to_go(self):
        for host in "bcd":
            self.cloud.hosts[host].disabled_reason = "new disks"
        self.engine.run(5)
        self.crash()
        self.reach(S.PARTIAL)
        self.assertIn("no live host may take it", self.case.message)
        self.assertEqual([], self.calls("evacuate"))

    def test_an_instance_that_was_deleted_meanwhile(self):
        self.cloud.targets = lambda _: []
        self.crash()
        self.reach(S.PARTIAL)
        del self.cloud.servers["a0"]
        del self.cloud.servers["a1"]
        self.reach(S.EVACUATED, seconds=30)
        self.assertEqual(
            {MoveState.GONE}, {move.state for move in self.case.moves}
        )

    def test_room_at_last(self):
        """However long it takes: lack of room is no attempt."""
        targets = self.cloud.targets
        self.cloud.targets = lambda _: []
        self.crash()
        self.reach(S.PARTIAL)
        self.engine.run(600)
        self.is_in(S.PARTIAL)
        self.assertEqual(1, self.codes().count("case.partial"))
        self.cloud.targets = targets
        self.reach(S.EVACUATED, seconds=30)

    def test_what_it_waits_for_is_named(self):
        self.to_evacuating()
        self.assertEqual(
            "2 of 2 instances to go: server-a0 to b (running), "
            "server-a1 to c (running)",
            self.case.message,
        )


class RefusalTestCase(scenario.ScenarioTestCase):
    """Nova's scheduler has reasons that nova_ha does not know."""

    def setUp(self):
        super().setUp()
        del self.cloud.servers["a1"]

    def targets(self):
        return [call[2] for call in self.calls("evacuate")]

    def test_each_host_is_asked_before_one_is_asked_again(self):
        self.cloud.outcomes.extend(["error"] * 3)
        self.to_evacuated()
        self.assertEqual({"b", "c", "d"}, set(self.targets()[:3]))

    def test_a_refusal_does_not_count_while_others_can_be_asked(self):
        self.cloud.outcomes.extend(["error"] * 100)
        self.crash()
        self.reach(S.PARTIAL, seconds=300)
        # Two that do not count, and five that do.
        self.assertEqual(7, len(self.targets()))

    def test_a_rebuild_that_fails_counts(self):
        self.cloud.outcomes.extend(["failed"] * 100)
        self.crash()
        self.reach(S.PARTIAL, seconds=300)
        self.assertEqual(5, len(self.targets()))

    def test_not_all_hosts_of_a_large_cloud_are_asked(self):
        self.useFixture(fixtures.MockPatchObject(evacuation, "REFUSALS", 2))
        self.cloud.outcomes.extend(["error"] * 100)
        self.crash()
        self.reach(S.PARTIAL, seconds=300)
        self.assertEqual(6, len(self.targets()))

    def test_the_zone_of_the_dead_host_is_asked_first(self):
        for host, zone in zip("abcd", ("z1", "z2", "z2", "z1"), strict=True):
            self.cloud.hosts[host].zone = zone
        self.to_evacuated()
        self.assertEqual(["d"], self.targets())


class TroubleTestCase(scenario.ScenarioTestCase):
    def test_a_rebuild_that_failed_with_the_guest_running(self):
        """Whatever its record says: only the same target may have it."""
        self.cloud.outcomes.extend(["failed-running"])
        self.crash()
        self.reach(S.PARTIAL)
        (held,) = [
            move for move in self.case.moves if move.state is MoveState.HELD
        ]
        self.assertIn("runs it, though Nova has it on a", held.reason)
        self.cloud.check_single_writer()
        self.assertEqual(2, len(self.calls("evacuate")))
        # An operator removes it there.
        self.cloud.hosts[held.target].guests.discard(held.instance)
        self.reach(S.EVACUATED)
        self.assertEqual(3, len(self.calls("evacuate")))

    def test_a_refused_repeat_of_it(self):
        self.cloud.outcomes.extend(
            ["failed-running", "failed-running", "error", "error"]
        )
        self.crash()
        self.reach(S.PARTIAL)
        self.cloud.check_single_writer()

    def test_lost_requests(self):
        self.cloud.lose_requests = 2
        self.crash()
        self.reach(S.EVACUATED)
        self.assertEqual(2, len(self.cloud.records))

    def test_the_target_dies(self):
        self.to_evacuating()
        self.cloud.rebuild_seconds = 2.0
        target = self.move("a0").target
        self.cloud.crash(target, power=model.PowerState.OFF)
        self.cloud.outcomes.clear()
        self.engine.run_until(
            lambda: self.engine.state("a") in (S.EVACUATED, S.PARTIAL), 120
        )
        self.is_in(S.EVACUATED)
        self.assertNotEqual(target, self.cloud.servers["a0"].host)

    def test_a_target_that_dies_with_the_request_in_its_queue(self):
        """It will be carried out there, and nowhere else."""
        del self.cloud.servers["a1"]
        self.cloud._claim = lambda: None
        self.cloud.rebuild_seconds = 1000.0
        self.crash(power=model.PowerState.OFF)
        self.reach(S.EVACUATING)
        self.engine.run(1)
        self.change("a0", task_state="rebuilding")
        target = self.move("a0").target
        self.cloud.crash(target, power=model.PowerState.OFF)
        self.engine.run(60)
        self.assertTrue(self.move("a0").queued)
        self.assertIn("instance.held", self.codes())
        self.assertIn("died before it took", self.case.message)
        # It takes the request before its agent is seen.
        self.cloud.records[0] = dataclasses.replace(
            self.cloud.records[0], status="pre-migrating"
        )
        self.engine.run(60)
        self.assertEqual(target, self.move("a0").target)
        sent = [call for call in self.calls("evacuate") if call[1] == "a0"]
        self.assertEqual(1, len(sent))

    def test_a_rebuild_that_hangs(self):
        """An operator hears of it, and no other host waits for it."""
        self.to_evacuating()
        self.engine.run(300)
        self.is_in(S.PARTIAL)
        self.assertIn("Nova does not go on", self.case.message)
        self.cloud.rebuild_seconds = 2.0
        self.reach(S.EVACUATED, seconds=30)

    def test_an_agent_is_asked_before_anybody_is_alarmed(self):
        """A live migration was cut short: its destination says that it does
        not run the guest."""
        self.cloud.records.append(
            model.Migration(
                id=1,
                instance="a0",
                kind="live-migration",
                status="running",
                source="a",
                dest="b",
            )
        )
        self.to_evacuated()
        self.assertNotIn("instance.held", self.codes())
        self.assertNotIn("case.partial", self.codes())

    def test_an_agent_that_does_not_say(self):
        self.cloud.records.append(
            model.Migration(
                id=1,
                instance="a0",
                kind="live-migration",
                status="running",
                source="a",
                dest="b",
            )
        )
        facts = self.cloud.hosts["b"].facts

        def always_the_same():
            found = facts()
            same = dataclasses.replace(found.inventory, sequence=7)
            return dataclasses.replace(found, inventory=same)

        self.cloud.hosts["b"].facts = always_the_same
        self.crash()
        self.reach(S.PARTIAL)
        self.assertIn("b may be running it", self.case.message)

    def test_a_server_deleted_while_it_moves(self):
        """Nova drops its records with it."""
        self.to_evacuating()
        self.cloud.rebuild_seconds = 2.0
        del self.cloud.servers["a0"]
        self.cloud.records = [
            one for one in self.cloud.records if one.instance != "a0"
        ]
        self.reach(S.EVACUATED)
        self.assertIs(MoveState.GONE, self.move("a0").state)

    def forget(self, dest):
        """Nova has a request, and will never do anything about it."""
        self.cloud.records.append(
            model.Migration(
                id=1,
                instance="a0",
                kind="evacuation",
                status="accepted",
                source="a",
                dest=dest,
            )
        )
        claim = self.cloud._claim

        def all_but_this():
            forgotten = self.cloud.records[0]
            self.cloud.records[0] = dataclasses.replace(forgotten, dest=None)
            claim()
            self.cloud.records[0] = forgotten

        self.cloud._claim = all_but_this
        self.crash()
        self.reach(S.EVACUATING)
        self.engine.run(5)
        self.assertIs(MoveState.RUNNING, self.move("a0").state)
        self.reach(S.EVACUATED)
        self.assertEqual(2, len(self.calls("evacuate")))

    def test_a_request_that_nova_forgot(self):
        self.forget(None)

    def test_a_forgotten_request_that_names_a_host(self):
        """It might still be done there, so that is where it goes."""
        self.forget("c")
        self.assertEqual("c", self.cloud.servers["a0"].host)

    def insert_first(self, record):
        """Somebody's request came just before all of ours."""
        later = [
            dataclasses.replace(one, id=one.id + 1)
            for one in self.cloud.records
        ]
        self.cloud.records = [dataclasses.replace(record, id=1), *later]
        for requests in self.cloud.requests.values():
            for request in requests:
                request.record += 1

    def test_a_request_forgotten_beside_one_that_was_carried_out(self):
        """Its target says that nothing runs there, and Nova has long gone
        on to younger requests."""
        self.crash()
        self.reach(S.EVACUATING)
        self.engine.run_until(lambda: self.cloud.records)
        ours = next(one for one in self.cloud.records if one.instance == "a0")
        other = next(host for host in "bcd" if host != ours.dest)
        self.insert_first(dataclasses.replace(ours, dest=other))
        claim = self.cloud._claim

        def all_but_the_first():
            forgotten = self.cloud.records.pop(0)
            claim()
            self.cloud.records.insert(0, forgotten)

        self.cloud._claim = all_but_the_first
        self.engine.run(10)
        self.assertIs(MoveState.RUNNING, self.move("a0").state)
        self.engine.run(30)
        self.assertIs(MoveState.DONE, self.move("a0").state)
        self.reach(S.EVACUATED)
        self.assertEqual(2, len(self.calls("evacuate")))

    def test_a_success_that_looks_like_an_error_is_repaired(self):
        self.to_evacuating()
        self.cloud.records.append(
            model.Migration(
                id=len(self.cloud.records) + 1,
                instance="a0",
                kind="evacuation",
                status="failed",
                source="a",
                dest=self.move("a0").target,
            )
        )
        self.cloud.rebuild_seconds = 2.0
        end = self.cloud._end

        def end_in_error(index, one):
            end(index, one)
            if self.cloud.records[index].status == "done":
                self.change(one.instance, vm_state="error")

        self.cloud._end = end_in_error
        self.reach(S.EVACUATED)
        self.assertEqual([("repair", "a0")], self.calls("repair"))


class LiftedTestCase(scenario.ScenarioTestCase):
    """An operator lifts the force-down of a host that is being recovered:
    Nova takes it to be alive, and refuses to evacuate it."""

    def setUp(self):
        super().setUp()
        evacuate = self.cloud.evacuate

        def as_nova(instance, target):
            host = self.cloud.servers[instance].host
            if not self.cloud.hosts[host].forced_down:
                raise exception.ComputeRefused("still in use", 400)
            evacuate(instance, target)

        self.cloud.evacuate = as_nova

    def lift(self):
        force_down = self.cloud.force_down

        def and_lift(service_id, forced):
            force_down(service_id, forced)
            self.host.forced_down = False
            self.cloud.force_down = force_down

        self.cloud.force_down = and_lift

    def test_it_is_forced_down_again(self):
        self.lift()
        self.to_evacuated()
        self.assertEqual(
            [("force_down", "a", True)] * 2, self.calls("force_down")
        )


class PartialTestCase(scenario.ScenarioTestCase):
    def test_completed_by_an_operator(self):
        """What was given up is evacuated by hand: the case is no longer
        partial, and stops to say so."""
        self.cloud.outcomes.extend(["error"] * 20)
        self.crash()
        self.reach(S.PARTIAL, seconds=300)
        self.cloud.outcomes.clear()
        left = [
            move.instance
            for move in self.case.moves
            if move.state is MoveState.FAILED
        ]
        for instance in left:
            self.by_hand(instance, "b")
        self.reach(S.EVACUATED, seconds=60)

    def test_what_a_rule_had_left_is_evacuated_by_hand(self):
        self.to_partial()
        self.by_hand("a0", "b")
        self.reach(S.EVACUATED, seconds=90)
        move = self.move("a0")
        self.assertIs(MoveState.GONE, move.state)
        self.assertEqual("evacuated to b by somebody else", move.reason)

    def test_what_a_rule_had_left_is_deleted(self):
        self.to_partial()
        del self.cloud.servers["a0"]
        self.reach(S.EVACUATED, seconds=90)
        self.assertEqual("deleted, or moved by others", self.move("a0").reason)

    def by_hand(self, instance, target):
        self.cloud.records.append(
            model.Migration(
                id=len(self.cloud.records) + 1,
                instance=instance,
                kind="evacuation",
                status="done",
                source="a",
                dest=target,
            )
        )
        self.change(instance, host=target)
        self.cloud.hosts[target].guests.add(instance)

    def test_a_held_instance_keeps_the_gate_shut(self):
        self.cloud.hosts["c"].guests.add("a0")
        self.crash()
        self.reach(S.PARTIAL)
        self.come_back()
        self.engine.run(120)
        self.is_in(S.RETURNING)
        self.cloud.hosts["c"].guests.discard("a0")
        self.reach(S.SOAKING)


class BlindSpotTestCase(scenario.ScenarioTestCase):
    """Host ``d`` is alive, but does not list its guests; and the first
    request to it was lost to our sight: its record names neither end."""

    def setUp(self):
        super().setUp()
        facts = self.cloud.hosts["d"].facts

        def without_inventory():
            return dataclasses.replace(facts(), inventory=None)

        self.cloud.hosts["d"].facts = without_inventory
        self.cloud.records.append(
            model.Migration(
                id=1,
                instance="a0",
                kind="live-migration",
                status="error",
                source="b",
                dest="d",
            )
        )

    def test_the_history_of_each_instance_is_read(self):
        self.crash()
        self.reach(S.PARTIAL)
        self.assertIs(MoveState.HELD, self.move("a0").state)
        self.assertEqual(1, len(self.calls("evacuate")))

    def test_before_the_host_is_given_back(self):
        self.crash()
        self.reach(S.PARTIAL)
        self.come_back()
        self.engine.run(30)
        self.is_in(S.RETURNING)
        self.assertIs(MoveState.HELD, self.move("a0").state)


class NoAnswerTestCase(base.TestCase):
    def told(self, state):
        """What is told when a request times out."""
        case = make.case(
            state=S.EVACUATING,
            evidence=make.evidence(),
            moves=(make.move(state, instance="i1", target="d"),),
        )
        event = events.EvacuateAnswered(
            host="a", case=case.id, instance="i1", error="no answer"
        )
        step = recovery.step(
            case,
            work.Progress(),
            event,
            make.world(make.missing(), cases=[case]),
            make.now(1000.0),
        )
        return [event.code for event in step.audit]

    def test_nobody_knows_whether_it_was_taken(self):
        self.assertIn("instance.unanswered", self.told(MoveState.REQUESTED))

    def test_its_record_has_told_meanwhile(self):
        self.assertNotIn("instance.unanswered", self.told(MoveState.DONE))


class LateHistoryTestCase(base.TestCase):
    def test_no_history_no_request(self):
        """A survey reads the histories of those that waited when it was
        asked for. One whose pause ends before the answer comes waits for
        the next."""
        view = make.missing()
        blind = make.present(
            host="d", facts=make.facts("d", beacon=make.beacon("d"))
        )
        case = make.case(
            state=S.EVACUATING,
            evidence=make.evidence(),
            force_down=model.Ownership.OURS,
            disable=model.Ownership.OURS,
            surveyed=True,
            moves=(
                make.move(instance="i1"),
                make.move(MoveState.RETRY, instance="i2"),
            ),
        )
        progress = work.Progress(
            listed_at=900.0,
            survey_used=True,
            signs_at_proof={"nova": 3},
            not_before={"i2": 1000.5},
        )
        world = make.world(view, blind, cases=[case])
        step = recovery.step(
            case, progress, events.Tick(), world, make.now(1000.0)
        )
        (survey,) = step.actions
        self.assertEqual(("i1",), survey.pending)
        answer = events.Surveyed(
            host="a",
            case=case.id,
            began=1000.0,
            survey=model.Survey(
                host="a",
                targets=(model.Target(host="d", free={"VCPU": 8}),),
                power=make.power(model.PowerState.OFF),
            ),
        )
        step = recovery.step(
            step.case, step.progress, answer, world, make.now(1001.0)
        )
        sent = [
            action.instance
            for action in step.actions
            if isinstance(action, actions.Evacuate)
        ]
        self.assertEqual(["i1"], sent)
