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

"""A case of any size is saved, or refused in so many words."""

import dataclasses

from nova_ha import exception
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core import slimming
from nova_ha.core import texts
from nova_ha.core.model import MoveState
from tests import base
from tests.unit.core import builders as make


def moves(count, state=MoveState.DONE, **changes):
    values = {
        "name": "production-web-frontend",
        "target": "compute-042.region1.example.com",
        "migration": 123456,
        "attempts": 1,
        "was": "active",
        "resources": {"VCPU": 4, "MEMORY_MB": 8192, "DISK_GB": 80},
        "requested_at": make.utc(1),
        "done_at": make.utc(2),
    } | changes
    return tuple(
        model.Move(instance=f"{number:036}", state=state, **values)
        for number in range(count)
    )


class SlimTestCase(base.TestCase):
    def encode(self, case, *wanted):
        data = slimming.encode(case, "/cases/a", *wanted)
        return codec.decode(model.RecoveryCase, data, "/cases/a")

    def test_what_fits_stays_whole(self):
        case = make.case(moves=moves(1850))
        self.assertEqual(case, self.encode(case))

    def test_what_does_not_fit_loses_what_only_people_read(self):
        case = make.case(moves=moves(2400), message="x" * 1000)
        self.assertRaises(exception.PayloadTooLarge, codec.encode, case)
        read = self.encode(case)
        self.assertEqual(slimming.WORDS, len(read.message))
        for before, after in zip(case.moves, read.moves, strict=True):
            self.assertEqual(
                (before.instance, before.state, before.target),
                (after.instance, after.state, after.target),
            )
            self.assertEqual(before.migration, after.migration)
            self.assertEqual({}, after.resources)

    def test_a_successor_keeps_all_of_what_is_not_over(self):
        for state in MoveState:
            (before,) = moves(1, state, reason="r", ignored=7)
            (after,) = slimming.slim(make.case(moves=[before])).moves
            self.assertEqual(not state.final, before == after, state)

    def test_why_an_instance_was_not_moved_stays(self):
        for state in (MoveState.FAILED, MoveState.SKIPPED):
            (move,) = moves(1, state, reason="given up")
            (after,) = slimming.slim(make.case(moves=[move])).moves
            self.assertEqual("given up", after.reason)
            self.assertEqual(move.name, after.name)

    def test_the_latest_attempts_stay(self):
        attempts = tuple(
            model.FenceAttempt(
                device=f"bmc{number}",
                command="off",
                result="r" * 10000,
                at=make.utc(0),
            )
            for number in range(50)
        )
        case = slimming.slim(make.case(attempts=attempts))
        self.assertEqual(
            [f"bmc{number}" for number in range(45, 50)],
            [one.device for one in case.attempts],
        )
        self.assertEqual(slimming.WORDS, len(case.attempts[0].result))

    def test_a_smaller_size_can_be_wanted(self):
        case = make.case(moves=moves(1000))
        self.assertEqual(slimming.slim(case), self.encode(case, 1000))

    def test_more_than_a_hypervisor_can_run_is_refused(self):
        case = make.case(moves=moves(6000, MoveState.PENDING))
        self.assertRaises(
            exception.PayloadTooLarge, slimming.encode, case, "/cases/a"
        )

    def test_what_is_no_payload_is_an_error_of_its_own(self):
        case = dataclasses.replace(make.case(), message=7)
        error = self.assertRaises(
            exception.PayloadError, slimming.encode, case, "/cases/a"
        )
        self.assertNotIsInstance(error, exception.PayloadTooLarge)


class ClipTestCase(base.TestCase):
    def test_short_texts_stay(self):
        self.assertEqual("x" * 500, texts.clip("x" * 500))

    def test_long_ones_show_that_they_were_cut(self):
        self.assertEqual("x" * 497 + "...", texts.clip("x" * 501))
