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

import datetime

from nova_ha.core import gate
from nova_ha.core import model
from tests import base

STATES = model.CaseState
MOVES = model.MoveState


def case(state, *moves, **extra):
    return model.RecoveryCase(
        id=model.CaseId("cmp1-7"),
        host=model.HostName("cmp1"),
        boot_id=model.BootId("boot-1"),
        state=state,
        verdict=model.Verdict(
            kind=model.VerdictKind.DOWN, reason=model.Reason.ALL_SILENT
        ),
        opened_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        moves=tuple(
            model.Move(
                instance=model.InstanceId(f"id-{n}"), name=f"vm{n}", state=s
            )
            for n, s in enumerate(moves)
        ),
        **extra,
    )


class TestMayStart(base.TestCase):
    def test_no_case(self):
        self.assertTrue(gate.may_start(None)[0])

    def test_every_state_with_all_instances_settled(self):
        # Written out: a new state must be thought about here, too.
        expected = {
            STATES.SUSPECTED: False,
            STATES.FENCING: False,
            STATES.FENCE_FAILED: False,
            STATES.FENCED: False,
            STATES.EVACUATING: False,
            STATES.PARTIAL: True,
            STATES.EVACUATED: True,
            STATES.RETURNING: True,
            STATES.SOAKING: True,
            STATES.CLOSED: True,
            STATES.CANCELLED: True,
        }
        final = [move for move in MOVES if move.final]
        for state in STATES:
            with self.subTest(state):
                allowed, why = gate.may_start(case(state, *final))
                self.assertIs(expected[state], allowed)
                self.assertIn("cmp1-7", why)

    def test_a_single_unsettled_instance_forbids(self):
        for state in (
            STATES.PARTIAL,
            STATES.EVACUATED,
            STATES.RETURNING,
            STATES.SOAKING,
        ):
            for move in MOVES:
                with self.subTest(f"{state} {move}"):
                    allowed, why = gate.may_start(
                        case(state, MOVES.DONE, move)
                    )
                    self.assertIs(move.final, allowed)
                    self.assertEqual(not move.final, "vm1" in why)

    def test_an_ended_case_permits_whatever_it_holds(self):
        self.assertTrue(gate.may_start(case(STATES.CLOSED, MOVES.HELD))[0])

    def test_the_reason_names_hold_message_and_command(self):
        _, why = gate.may_start(
            case(
                STATES.FENCE_FAILED,
                hold=model.Hold.PAUSED,
                message="bmc-cmp1 rejects the password",
            )
        )
        self.assertIn("paused", why)
        self.assertIn("bmc-cmp1 rejects the password", why)
        self.assertIn("nova-ha case show cmp1-7", why)

    def test_many_instances_are_counted_not_listed(self):
        _, why = gate.may_start(case(STATES.PARTIAL, *[MOVES.RETRY] * 40))
        self.assertIn("40 of its instances", why)
        self.assertIn("37 more", why)
        self.assertNotIn("vm3", why)
