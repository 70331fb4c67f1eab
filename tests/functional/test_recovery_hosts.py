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

"""Hosts that die, freeze, come back too early, or only seem to be dead."""

import signal

from lab import cloud as lab_cloud
from lab import proc
from nova_ha.core.model import CaseState
from nova_ha.core.model import EvidenceKind
from nova_ha.core.model import Hold
from nova_ha.core.model import VerdictKind
from tests.functional import recovery_cloud
from tests.functional import recovery_evidence as evidence


class HostsTest(recovery_cloud.RecoveryTestCase):
    def test_killed_host_is_recovered_and_returns(self) -> None:
        victim = self.cloud.host("cmp1")
        servers = self.boot(4, victim)
        # These options let go of what it has saved of its memory.
        self.nova.servers.suspend(servers[0])
        self.cloud.wait_server(servers[0], "SUSPENDED")
        victim.kill()
        case = self.wait_recovered(victim)
        (anew,) = [move for move in case.moves if move.instance == servers[0]]
        self.assertEqual("it was suspended and is started anew", anew.note)
        self.assert_order(victim)
        self.assertIs(
            EvidenceKind.POWER_OFF_OBSERVED,
            case.evidence.kind if case.evidence else None,
        )
        self.assert_nothing_fenced(victim)
        self.assert_moved_once(servers)
        self.assert_sound()
        self.assertEqual([], evidence.exposed(self.cloud))

        # Only what nova_ha has set itself is undone at the return.
        mine = "bad memory, says the operator"
        service = self.service(victim)
        self.nova.services.disable_log_reason(service.id, mine)
        victim.power_on()
        self.wait(self._no_case, "the return", 120)
        self.assertEqual((False, "disabled", mine), self.flags(victim))
        self.assert_sound()

    def assert_order(self, victim: lab_cloud.Host) -> None:
        """Power seen off before the force-down before any evacuation."""
        offs = evidence.power_offs(victim, self.began)
        seen = evidence.seen_off(victim, self.began)
        downs = [call.started for call in self.calls() if call.forces_down]
        moved = [call.started for call in self.evacuations()]
        self.assertLess(offs[0], seen[0])
        self.assertLess(seen[0], downs[0])
        self.assertLess(downs[0], moved[0])
        self.assertEqual(1, len(downs))

    def test_frozen_host_is_fenced_and_cannot_thaw(self) -> None:
        victim = self.cloud.host("cmp4")
        servers = self.boot(3, victim)
        victim.freeze()
        self.wait_recovered(victim)
        self.assert_order(victim)  # by Redfish; that of the other by IPMI
        self.assertFalse(victim.machine.powered())
        victim.thaw()
        self.assertEqual([], victim.processes())
        self.assert_moved_once(servers)

        victim.power_on()
        self.wait(self._no_case, "the return", 120)
        self.assertEqual((False, "enabled", None), self.flags(victim))
        self.assert_sound()

    def test_lost_agent_is_not_a_lost_host(self) -> None:
        host = self.cloud.host("cmp2")
        self.boot(3, host)
        host.kill_agent(restart=False)

        def agent_lost() -> bool:
            return self.judged(host, VerdictKind.AGENT_LOST)

        self.wait(agent_lost, "the verdict agent-lost")
        self.stays(agent_lost, 8, "the verdict agent-lost")
        self.assertTrue(self.untouched())
        published = self.verdict(host)
        self.assertFalse(published is None or published.schedulable)
        self.assert_takes_no_servers(host)

        host.revive_agent()
        self.wait(lambda: self.verdict(host) is None, "the verdict alive")
        self.boot(1, host)
        self.assertTrue(self.untouched())
        self.assert_sound()

    def assert_takes_no_servers(self, host: lab_cloud.Host) -> None:
        """nova-scheduler finds no room on it, by our filter's word."""
        nova = self.nova
        server = nova.servers.create(
            "refused",
            nova.glance.find_image("lab"),
            nova.flavors.find(name="lab.tiny"),
            nics="none",
            host=host.name,
        )
        self.cloud.wait_server(server.id, "ERROR")
        server.delete()

    def test_goodbye_is_believed_for_a_while(self) -> None:
        host = self.cloud.host("cmp3")
        self.boot(3, host)
        host.machine.turn(restart_agent=False)
        self.terminate_agent(host)
        self.wait(lambda: self.judged(host, VerdictKind.AWAY), "the goodbye")
        host.kill()
        # Long enough for any other host to be taken for dead, and shorter
        # than the goodbye lasts.
        self.stays(
            lambda: self.judged(host, VerdictKind.AWAY), 18, "it is away"
        )
        self.assertTrue(self.untouched())
        # A death in an upgrade is not lost either.
        self.wait_recovered(host)
        self.assert_sound()

    def terminate_agent(self, host: lab_cloud.Host) -> None:
        """What systemd does when it stops the agent."""
        pid = host.machine.pid_file("nova-ha-agent").read_text()
        identity = proc.identify(int(pid))
        assert identity is not None
        identity.signal(signal.SIGTERM)
        self.wait(lambda: not identity.alive(), "the agent's end")

    def test_power_on_in_the_middle_of_the_recovery(self) -> None:
        victim = self.cloud.host("cmp1")
        servers = self.boot(4, victim)
        self.turn_all(spawn_delay=8.0)
        victim.kill()
        self.wait_in_the_middle(victim)
        victim.power_on()
        self.wait_case(
            victim,
            lambda case: case.state is not CaseState.EVACUATING,
            "to react",
        )
        self.wait_case(
            victim,
            lambda case: (
                case.state is CaseState.EVACUATED
                or (case.state is CaseState.RETURNING)
            ),
            "to be recovered",
        )
        self.assert_moved_once(servers)
        self.assert_sound()
        offs = evidence.power_offs(victim, self.began)
        self.assertEqual(2, len(offs), "it was to be fenced again")

    def test_server_deleted_in_the_middle_of_the_recovery(self) -> None:
        victim = self.cloud.host("cmp3")
        servers = self.boot(3, victim)
        self.turn_all(spawn_delay=5.0)
        victim.kill()
        self.wait_in_the_middle(victim)
        gone = self.evacuations()[0].subject
        self.nova.servers.delete(gone)
        self.servers.remove(gone)
        self.wait_recovered(victim)
        self.assert_moved_once([one for one in servers if one != gone])
        self.assert_sound()

    def test_two_dead_hosts_are_a_storm(self) -> None:
        one, other = self.cloud.host("cmp2"), self.cloud.host("cmp4")
        self.boot(2, one)
        self.boot(2, other)
        one.kill()
        other.kill()
        for host in (one, other):
            self.wait_case(
                host, lambda case: case.hold is Hold.STORM, "to be held"
            )
        self.assertTrue(self.untouched())
        self.stays(self.untouched, 5, "held by the brake")
        status = self.status()
        self.assertTrue(status["brake"]["storm"])
        told = {row["host"]: row["what_to_do"] for row in status["attention"]}
        for host in (one, other):
            self.assertIn(f"confirm-fenced {host.name}", told[host.name])

        one.power_off()
        self.wait_recovered(one)
        self.assertEqual([], evidence.power_offs(one, self.began))
        # Alone, the other one is no storm.
        self.wait_recovered(other)
        self.assert_sound()
