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

from nova_ha.core import brake
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import Hold
from tests import base
from tests.unit.core import builders as make

QUARANTINE = model.Quarantine(reason="3 deaths", since=make.utc(0))


class StoppedTestCase(base.TestCase):
    def test_the_order_of_the_reasons(self):
        switches = {
            None: model.Control(armed=True),
            Hold.PAUSED: model.Control(armed=True, paused=True),
            Hold.DISARMED: model.Control(),
        }
        for hold, control in switches.items():
            self.assertIs(hold, make.world(control=control).stopped)
            self.assertIs(
                Hold.COORDINATION,
                make.world(control=control, connected=False).stopped,
            )


class LoadTestCase(base.TestCase):
    def test_suspects_are_those_not_yet_proven_off(self):
        world = make.world(
            make.missing(facts=make.facts("a")),
            make.missing(facts=make.facts("b")),
            make.present(host="c"),
            cases=[make.case("b", state=CaseState.EVACUATED)],
        )
        self.assertEqual(3, world.load.monitored)
        self.assertEqual({"a"}, world.load.suspects)

    def test_busy_is_by_state(self):
        for state in CaseState:
            world = make.world(cases=[make.case(state=state)])
            self.assertEqual(
                state in ("fencing", "fence-failed", "fenced", "evacuating"),
                "a" in world.load.busy,
                state,
            )

    def test_a_device_that_reads_off_is_proof(self):
        views = [make.missing(facts=make.facts(name)) for name in "abc"]
        self.assertIsNotNone(make.world(*views).braked("a"))
        off = {"a": make.verdict("down", "power-off")}
        world = make.world(*views, verdicts=off)
        self.assertIsNone(world.braked("a"))
        self.assertIsNotNone(world.forbidden("a"))

    def test_a_host_in_quarantine_holds_up_nobody(self):
        sick = make.facts("b", record=make.record("b", quarantine=QUARANTINE))
        world = make.world(
            make.missing(), make.missing(facts=sick), make.present(host="c")
        )
        self.assertEqual(2, world.load.monitored)
        self.assertEqual({"a"}, world.load.suspects)
        self.assertEqual(QUARANTINE, world.quarantine("b"))
        self.assertIsNone(world.quarantine("a"))

    def test_the_target_of_a_recovery_that_waits_for_it(self):
        waiting = make.case(
            "b",
            state=CaseState.EVACUATING,
            moves=(make.move(model.MoveState.RUNNING, target="a"),),
        )
        world = make.world(make.missing(), cases=[waiting])
        self.assertIsNone(world.braked("a"))
        other = make.world(
            make.missing(facts=make.facts("c")), cases=[waiting]
        )
        self.assertIsNotNone(other.braked("c"))

    def test_after_a_storm(self):
        for key in ("", "rack"):
            storm = brake.Storm(rule=model.BrakeRule.TOO_MANY)
            memory = brake.Memory(storms={key: storm})
            facts = make.facts(record=make.record(failure_domain="rack"))
            world = make.world(make.missing(facts=facts), memory=memory)
            block = world.braked("a")
            self.assertIs(model.BrakeRule.COOL_DOWN, block.rule)
            self.assertEqual(key, block.domain)

    def test_a_storm_in_another_domain(self):
        storm = brake.Storm(rule=model.BrakeRule.FAILURE_DOMAIN)
        memory = brake.Memory(storms={"rack": storm})
        self.assertIsNone(
            make.world(make.missing(), memory=memory).braked("a")
        )


class FencedTestCase(base.TestCase):
    def fenced(self, **changes):
        values = {
            "state": CaseState.EVACUATED,
            "evidence": make.evidence(),
        } | changes
        return bool(make.world(cases=[make.case(**values)]).agents.fenced)

    def test_proven_to_be_off_in_its_own_incident(self):
        off = {state for state in CaseState if self.fenced(state=state)}
        self.assertEqual(
            {
                CaseState.FENCED,
                CaseState.EVACUATING,
                CaseState.PARTIAL,
                CaseState.EVACUATED,
            },
            off,
        )

    def test_not_without_evidence(self):
        self.assertFalse(self.fenced(evidence=None))

    def test_not_where_the_proof_is_in_doubt(self):
        for hold in (
            Hold.LIFE_AFTER_OFF,
            Hold.POWER_ON,
            Hold.POWER_UNKNOWN,
        ):
            self.assertFalse(self.fenced(hold=hold), hold)

    def test_not_where_we_may_have_switched_it_on_again(self):
        """Only what has been proven to be off since counts."""
        counting = {
            power_on
            for power_on in model.PowerOn
            if self.fenced(power_on=power_on)
        }
        self.assertEqual({model.PowerOn.NO, model.PowerOn.SPENT}, counting)


class BlindSpotsTestCase(base.TestCase):
    def world(self, *cases, inventory=True):
        facts = make.facts(
            "b",
            beacon=make.beacon("b"),
            inventory=make.inventory("b") if inventory else None,
        )
        return make.world(
            make.missing(), make.present(host="b", facts=facts), cases=cases
        )

    def test_all_others_list_their_guests(self):
        self.assertFalse(self.world().blind_spots("a"))

    def test_one_does_not(self):
        self.assertTrue(self.world(inventory=False).blind_spots("a"))

    def test_one_that_is_off_has_none(self):
        case = make.case("b", state=CaseState.FENCED, evidence=make.evidence())
        world = self.world(case, inventory=False)
        self.assertFalse(world.blind_spots("a"))


class EligibleTestCase(base.TestCase):
    def takes(self, *, source=None, verdict=make.ALIVE, cases=(), **changes):
        values = {"host": "b"} | changes
        world = make.world(
            make.missing(facts=source or make.facts()),
            make.present(**values),
            verdicts={"b": verdict},
            cases=cases,
        )
        return world.takes("b", "a")

    def test_a_live_host(self):
        self.assertTrue(self.takes())

    def test_only_plainly_alive(self):
        for kind, reason in (
            ("degraded", "checks-failed"),
            ("rebooted", "new-boot"),
            ("away", "goodbye"),
            ("hands-off", "maintenance"),
            ("agent-lost", "source-moves"),
            ("down", "all-silent"),
        ):
            verdict = make.verdict(kind, reason)
            self.assertFalse(self.takes(verdict=verdict), kind)

    def test_not_with_a_case(self):
        case = make.case("b", state=CaseState.SOAKING)
        self.assertFalse(self.takes(cases=[case]))

    def test_not_where_nova_would_not_place_anything(self):
        for flags in (
            {"up": False},
            {"disabled": True},
            {"forced_down": True},
        ):
            self.assertFalse(
                self.takes(service=make.service("b", **flags)), flags
            )
        self.assertFalse(self.takes(service=None))

    def test_not_unenrolled(self):
        facts = make.facts("b", record=None, beacon=make.beacon("b"))
        self.assertFalse(self.takes(facts=facts))

    def test_whatever_its_storage(self):
        """Who reaches which disk is asked for each instance."""
        view = make.present(
            host="b",
            facts=make.facts(
                "b",
                record=make.record("b", storage_domain="y"),
                beacon=make.beacon("b"),
            ),
        )
        world = make.world(make.missing(), view)
        self.assertTrue(world.takes("b", "a"))
        self.assertEqual({"b"}, world.sharing("y"))
        # Hosts without a domain share with nobody.
        self.assertEqual(set(), world.sharing(""))
        self.assertEqual("y", world.storage("b").domain)
        self.assertEqual("", world.storage("nobody").domain)

    def test_never_the_source_itself(self):
        world = make.world(make.present(host="a"))
        self.assertFalse(world.takes("a", "a"))
