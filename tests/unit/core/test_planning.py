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


from nova_ha.core import planning
from nova_ha.core import storage
from nova_ha.core.model import MoveState
from nova_ha.core.rules import Rules
from tests import base
from tests.unit.core import builders as make


class PlanTestCase(base.TestCase):
    def plan(self, records=(), rules=None, domain="", **instance):
        return planning.plan(
            make.instance(**instance),
            records,
            rules or Rules(),
            storage.Storage(domain=domain),
        )

    def test_a_plain_instance(self):
        move = self.plan(resources={"VCPU": 2})
        self.assertEqual(
            make.move(
                name="name-i1",
                was="active",
                resources={"VCPU": 2},
            ),
            move,
        )

    def test_what_cannot_be_evacuated_is_skipped(self):
        for changes, why in (
            ({"vm_state": "suspended"}, "suspended"),
            ({"vm_state": "shelved_offloaded"}, "shelved"),
            ({"vm_state": "deleted"}, "deleted"),
            ({"task_state": "deleting"}, "being deleted"),
            ({"launched": False}, "never been started"),
            ({"image": "img"}, "its disk is on its host alone"),
        ):
            move = self.plan(**changes)
            self.assertIs(MoveState.SKIPPED, move.state)
            self.assertIn(why, move.reason)
            self.assertFalse(move.reset)

    def test_what_is_not_wanted_is_excluded(self):
        """Whatever else could be said against it."""
        move = self.plan(
            metadata={"HA_Enabled": "no"}, vm_state="suspended", image="img"
        )
        self.assertIs(MoveState.EXCLUDED, move.state)
        self.assertEqual("its metadata says HA_Enabled=no", move.reason)

    def test_a_paused_one_is_reset(self):
        move = self.plan(vm_state="paused")
        self.assertTrue(move.reset)
        self.assertEqual("it was paused and is started anew", move.note)

    def test_the_target_has_to_share_the_disk(self):
        self.assertEqual(
            "nfs-1", self.plan(domain="nfs-1", image="img").storage_domain
        )
        self.assertEqual("", self.plan(domain="nfs-1").storage_domain)

    def test_a_disk_that_is_lost_is_told(self):
        move = self.plan(rules=Rules(recreate_disks=True), image="img")
        self.assertIs(MoveState.PENDING, move.state)
        self.assertIn("created anew", move.note)

    def test_whether_it_was_off(self):
        for changes, off in (
            ({"vm_state": "stopped"}, True),
            ({"vm_state": "active"}, False),
            ({"vm_state": "error", "power_state": 4}, True),
            ({"vm_state": "error", "power_state": 1}, False),
            ({"vm_state": "error", "power_state": 0}, False),
        ):
            self.assertEqual(off, self.plan(**changes).was_off, changes)

    def test_its_priority(self):
        self.assertEqual(
            900, self.plan(metadata={"HA_Priority": "900"}).priority
        )
        self.assertIn(
            "HA_Priority", self.plan(metadata={"HA_Priority": "x"}).note
        )

    def test_records_that_are_over_belong_to_the_past(self):
        records = [
            make.migration(3, "completed"),
            make.migration(5, "failed"),
            make.migration(7, "done", instance="i2"),
            make.migration(9, "completed", kind="live-migration"),
        ]
        self.assertEqual(5, self.plan(records).ignored)

    def test_an_evacuation_in_flight_does_not(self):
        self.assertEqual(0, self.plan([make.migration(5, "accepted")]).ignored)
