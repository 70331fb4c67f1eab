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

"""A Nova that errs, keeps silent and forgets to answer, and hypervisors that
cannot start a guest, or take their time over it."""

import collections

from lab.services.nova_faults import Fault
from nova_ha.core import model
from nova_ha.core.model import MoveState
from tests.functional import recovery_cloud
from tests.functional import recovery_evidence as evidence

TOO_LONG = 15.0
"""Seconds: an answer may take ten, [nova] request_timeout less what is kept
for a token. A request may take effect for longer than that, so that one sent
again at once would be a second evacuation."""


class FaultsTest(recovery_cloud.RecoveryTestCase):
    def test_nova_api_errs_and_its_answers_get_lost(self) -> None:
        victim = self.cloud.host("cmp1")
        servers = self.boot(4, victim)
        victim.bmc.misbehave("", off_delay=3.0)
        victim.kill()
        self.wait(
            lambda: evidence.power_offs(victim, self.began), "the power-off"
        )
        faults = self.cloud.nova_services.faults
        faults.set(
            Fault("GET", agent="nova-ha", status=503, times=12),
            Fault("PUT", lost=True),
            Fault("POST", action="evacuate", lost=True),
            Fault("POST", action="evacuate", delay=TOO_LONG),
            Fault("POST", action="evacuate", status=500),
        )
        self.wait_recovered(victim)
        self.assertEqual((), faults.left())
        self.assert_moved_once(servers)
        self.assert_sound()
        # Only what never reached Nova was asked for again.
        refused = [
            call.subject for call in self.evacuations() if call.status == 500
        ]
        self.assertEqual(
            collections.Counter(servers + refused),
            collections.Counter(call.subject for call in self.evacuations()),
        )
        self.assertEqual(1, len(evidence.power_offs(victim, self.began)))

    def test_hypervisors_that_fail_or_are_slow(self) -> None:
        victim, unable, untrue, slow = self.cloud.hosts
        servers = self.boot(3, victim)
        unable.machine.turn(spawn_failure="before")
        untrue.machine.turn(spawn_failure="after")
        slow.machine.turn(spawn_delay=12.0)
        victim.kill()
        self.wait(
            lambda: {unable.name, untrue.name} <= self.failed_on(),
            "both failures",
        )
        for host in (unable, untrue):
            host.machine.turn(spawn_failure="")

        # Its guest runs where Nova does not have it, which only a person
        # can mend.
        case = self.wait_case(victim, _held, "to hold one")
        (held,) = _held(case)
        self.assertIn(f"{untrue.name} runs it, though Nova", held.reason)
        self.assertEqual(untrue.name, held.target)
        untrue.stop_guest(held.instance)
        case = self.wait_recovered(victim)
        self.assert_sound()
        self.assert_moved_once(
            [uuid for uuid in servers if uuid != held.instance]
        )
        # Slow is not failed.
        (waited,) = [move for move in case.moves if move.attempts == 1]
        self.assertEqual(slow.name, waited.target)

    def failed_on(self) -> set[str]:
        """Hosts whose nova-compute has given an evacuation up."""
        return {
            record.dest_compute
            for record in self._records()
            if record.status == "failed"
        }


def _held(case: model.RecoveryCase) -> list[model.Move]:
    return [move for move in case.moves if move.state is MoveState.HELD]
