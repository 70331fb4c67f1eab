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

from nova_ha.core import model
from nova_ha.core import targets
from tests import base

SMALL = {"VCPU": 1, "MEMORY_MB": 512}


class RoomTestCase(base.TestCase):
    def room(self, free, *, busy=None, taken=None, per=4):
        return targets.Room(
            [
                model.Target(host=host, free={"VCPU": 8, "MEMORY_MB": memory})
                for host, memory in free.items()
            ],
            busy or {},
            taken or {},
            per,
        )

    def test_the_most_free_memory(self):
        room = self.room({"b": 1024, "c": 4096, "d": 2048})
        self.assertEqual("c", room.choose(SMALL))

    def test_names_break_ties(self):
        self.assertEqual("b", self.room({"c": 999, "b": 999}).choose(SMALL))

    def test_the_fewest_in_flight_come_first(self):
        room = self.room({"b": 9999, "c": 1024}, busy={"b": 1})
        self.assertEqual("c", room.choose(SMALL))

    def test_then_the_fewest_of_this_case(self):
        room = self.room({"b": 9999, "c": 1024}, taken={"b": 1})
        self.assertEqual("c", room.choose(SMALL))

    def test_instances_are_spread(self):
        room, chosen = self.room({"b": 9999, "c": 5000, "d": 1024}), []
        for _ in range(3):
            chosen.append(room.choose(SMALL))
            room.take(chosen[-1], SMALL)
        self.assertEqual(["b", "c", "d"], sorted(chosen))

    def test_instances_are_spread_over_failure_domains(self):
        room = targets.Room(
            [
                model.Target(host=host, free={"VCPU": 8, "MEMORY_MB": memory})
                for host, memory in zip("bcd", (9999, 5000, 1024), strict=True)
            ],
            {},
            {"b": 1, "c": 1, "d": 1, "x": 1},
            4,
            domains={"b": "rack-1", "c": "rack-2", "x": "rack-1"},
        )
        chosen = []
        for _ in range(3):
            chosen.append(room.choose(SMALL))
            room.take(chosen[-1], SMALL)
        self.assertEqual(["c", "d", "b"], chosen)

    def test_capacity_is_counted_down(self):
        room = self.room({"b": 1024})
        for _ in range(2):
            self.assertEqual("b", room.choose(SMALL))
            room.take("b", SMALL)
        self.assertIsNone(room.choose(SMALL))
        self.assertTrue(room.full_up(SMALL))

    def test_each_class_has_to_fit(self):
        room = self.room({"b": 1024})
        self.assertIsNone(room.choose({"VCPU": 9, "MEMORY_MB": 1}))
        self.assertIsNone(room.choose({"VGPU": 1}))
        self.assertEqual("b", room.choose({"VCPU": 1, "DISK_GB": 0}))

    def test_slots(self):
        room = self.room({"b": 9999}, busy={"b": 3})
        self.assertTrue(room.slot("b"))
        room.take("b", SMALL)
        self.assertFalse(room.slot("b"))
        self.assertIsNone(room.choose(SMALL))
        self.assertFalse(room.full_up(SMALL))  # waits, does not give up

    def test_what_to_avoid_is_taken_only_without_another(self):
        room = self.room({"b": 9999, "c": 1024})
        self.assertEqual("c", room.choose(SMALL, avoid=["b"]))
        self.assertEqual("b", self.room({"b": 999}).choose(SMALL, ["b"]))

    def test_the_callers_numbers_stay_as_they_are(self):
        free = {"VCPU": 8}
        room = targets.Room([model.Target(host="b", free=free)], {}, {}, 4)
        room.take("b", {"VCPU": 1})
        self.assertEqual({"VCPU": 8}, free)


class WithinTestCase(base.TestCase):
    def test_a_part_of_the_room(self):
        free = {"VCPU": 1}
        room = targets.Room(
            [model.Target(host=host, free=free) for host in "abc"], {}, {}, 5
        )
        part = room.within({"b", "elsewhere"})
        self.assertEqual(["b"], list(part.hosts))
        self.assertEqual("b", part.choose(free))
        self.assertTrue(part.fits("b", free))
        part.take("b", free)
        self.assertFalse(room.fits("b", free))
        self.assertTrue(part.full_up(free))
        self.assertFalse(room.full_up(free))
