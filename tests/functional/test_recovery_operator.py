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

"""Devices that do not obey, and operators who know better."""

from collections.abc import Sequence

import yaml

from lab import cloud as lab_cloud
from lab import files
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import EvidenceKind
from nova_ha.core.model import Hold
from nova_ha.core.model import MoveState
from nova_ha.core.model import Reason
from nova_ha.core.model import VerdictKind
from tests.functional import recovery_cloud

WRONG = "another-password"


class OperatorTest(recovery_cloud.RecoveryTestCase):
    def fail_to_fence(self, host: lab_cloud.Host) -> model.RecoveryCase:
        """Kill a host whose BMC has another password than we know."""
        self.change_bmc_password(host, WRONG)
        host.kill()
        case = self.wait_case(
            host,
            lambda case: (
                case.state is CaseState.FENCE_FAILED and case.fence_rounds > 1
            ),
            "to fail twice",
        )
        self.assertTrue(self.untouched())
        self.assertTrue(host.machine.powered())
        (row,) = self.status()["attention"]
        self.assertEqual(
            (host.name, "fence-failed", True),
            (row["host"], row["case_state"], row["urgent"]),
        )
        self.assertIn(f"confirm-fenced {host.name}", row["what_to_do"])
        return case

    def test_wrong_password_until_it_is_corrected(self) -> None:
        victim = self.cloud.host("cmp2")
        servers = self.boot(3, victim)
        self.fail_to_fence(victim)
        self.correct_password(victim)
        case = self.wait_recovered(victim)
        self.assertIs(
            EvidenceKind.POWER_OFF_OBSERVED,
            case.evidence.kind if case.evidence else None,
        )
        self.assert_moved_once(servers)
        self.assert_sound()

    def correct_password(self, host: lab_cloud.Host) -> None:
        """Write the BMC's present password into fencing.yaml."""
        path = self.cloud.nova_ha.topology
        topology = yaml.safe_load(path.read_text())
        topology["devices"][host.bmc.name]["password"] = WRONG
        files.write(path, yaml.safe_dump(topology))

    def test_wrong_password_until_the_operator_confirms(self) -> None:
        victim = self.cloud.host("cmp4")
        servers = self.boot(3, victim)
        self.fail_to_fence(victim)
        victim.power_off()
        self.cloud.nova_ha.cli(
            "confirm-fenced", victim.name, "--yes", "--comment", "unplugged"
        )
        case = self.wait_recovered(victim)
        proof = case.evidence
        assert proof is not None
        self.assertIs(EvidenceKind.OPERATOR_CONFIRMED, proof.kind)
        self.assertEqual("unplugged", proof.detail)
        self.assert_moved_once(servers)
        self.assert_sound()

    def test_flags_of_operators_are_theirs(self) -> None:
        forced, disabled = self.cloud.host("cmp1"), self.cloud.host("cmp3")
        self.boot(2, forced)
        self.boot(1, disabled)
        why = "to be replaced"
        services = self.nova.services
        services.force_down(self.service(forced).id, True)
        services.disable_log_reason(self.service(disabled).id, why)

        def untouched() -> bool:
            return not self._fenced() and not self.evacuations()

        def flags() -> list[tuple[bool, str, str | None]]:
            return [self.flags(forced), self.flags(disabled)]

        expected = [(True, "enabled", None), (False, "disabled", why)]
        self.stays(untouched, 10, "nothing is done to a live host")
        self.assertEqual(expected, flags())
        self.assert_sound()

        # Dead, it is not ours either.
        disabled.kill()
        self.wait(
            lambda: self.judged(disabled, VerdictKind.HANDS_OFF),
            "the verdict hands-off",
        )
        published = self.verdict(disabled)
        self.assertIs(
            Reason.OPERATOR_DISABLED,
            published.verdict.reason if published else None,
        )
        self.stays(untouched, 8, "nothing is done to a disabled host")
        self.assertEqual(expected, flags())
        self.assert_never_double()

    def test_disarmed_and_paused_nothing_starts(self) -> None:
        victim = self.cloud.host("cmp1")
        servers = self.boot(4, victim)
        self.turn_all(spawn_delay=6.0)
        command = self.cloud.nova_ha.cli
        command("disarm")
        victim.kill()
        self.wait(
            lambda: self.judged(victim, VerdictKind.DOWN), "the verdict down"
        )
        command("pause", "--reason", "a look at it first")
        command("arm")
        self.stays(self.untouched, 5, "nothing starts")

        command("resume")
        self.wait_in_the_middle(victim)
        command("pause")
        sent = len(self.evacuations())
        case = self.wait_case(
            victim,
            lambda case: (
                case.hold is Hold.PAUSED
                and not any(move.state.in_flight for move in case.moves)
            ),
            "to be held",
        )
        self.assertIs(CaseState.EVACUATING, case.state)
        self.assertLess(sent, len(servers))
        self.assertEqual(sent, len(self.evacuations()))

        command("resume")
        self.wait_recovered(victim)
        self.assert_moved_once(servers)
        self.assert_sound()

    def test_evacuations_by_an_operator_beside_ours(self) -> None:
        victim = self.cloud.host("cmp3")
        servers = self.boot(4, victim)
        self.turn_all(spawn_delay=3.0)
        victim.kill()
        self.wait(lambda: self.flags(victim)[0], "the force-down")
        # As near to ours as can be, some before and some after, and the
        # scheduler may choose.
        self.evacuate(servers[:2])
        self.wait_in_the_middle(victim)
        self.evacuate(servers[2:])
        case = self.wait_case(
            victim,
            lambda case: (
                case.state in (CaseState.EVACUATED, CaseState.PARTIAL)
            ),
            "to be over",
        )
        arrived = [
            move.instance
            for move in case.moves
            if move.state is MoveState.DONE
        ]
        self.wait(lambda: self.run_once(arrived), "the guests to run")
        self.assert_never_double()
        if case.state is CaseState.EVACUATED:
            self.assert_sound()
        else:
            self.assert_told(case)

    def evacuate(self, servers: list[str]) -> None:
        """Do by hand what nova_ha does, and name no host."""
        for uuid in servers:
            self.nova.servers.evacuate(uuid)

    def run_once(self, servers: Sequence[str]) -> bool:
        """Each guest runs on exactly one host."""
        running = self.running()
        return all(len(running.get(uuid, ())) == 1 for uuid in servers)

    def assert_told(self, case: model.RecoveryCase) -> None:
        """Nova can be left with a guest that runs and is not booked where it
        does, or with a request that it never carries out. Then it is held,
        or not gone on with, and the operator hears of it."""
        unsettled = [move for move in case.moves if not move.final]
        self.assertTrue(unsettled)
        for move in unsettled:
            if move.state is MoveState.HELD:
                self.assertRegex(
                    move.reason, "may be running it|runs it, though"
                )
            else:
                self.assertIs(MoveState.RUNNING, move.state)
        (row,) = self.status()["attention"]
        self.assertEqual("partial", row["case_state"])
        self.assertIn(f"case show {case.host}", row["what_to_do"])
