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

"""When the reserve is touched, and what is told of it."""

import dataclasses

from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import reserved
from nova_ha.core import targets
from tests import base
from tests.unit.core import builders as make
from tests.unit.core import scenario

SMALL = {"MEMORY_MB": 512}


def view(host, **record):
    return liveness.HostView(
        host=host, facts=make.facts(host, record=make.record(host, **record))
    )


class RoomTestCase(base.TestCase):
    def room(self, free, *, busy=None, reserve=("r",)):
        return targets.Room(
            [
                model.Target(host=host, free={"MEMORY_MB": memory})
                for host, memory in free.items()
            ],
            busy or {},
            {},
            2,
            reserved.Preference(reserve=frozenset(reserve)),
        )

    def test_the_reserve_comes_last(self):
        room = self.room({"b": 512, "r": 99999})
        self.assertEqual("b", room.choose(SMALL))

    def test_it_is_taken_when_no_other_has_room(self):
        room = self.room({"b": 100, "r": 99999})
        self.assertEqual("r", room.choose(SMALL))

    def test_a_busy_host_is_waited_for(self):
        room = self.room({"b": 512, "r": 99999}, busy={"b": 2})
        self.assertIsNone(room.choose(SMALL))
        self.assertFalse(room.full_up(SMALL))

    def test_it_is_taken_when_all_others_have_refused(self):
        room = self.room({"b": 512, "r": 99999})
        self.assertEqual("r", room.choose(SMALL, avoid=["b"]))

    def test_another_one_when_it_refuses(self):
        room = self.room({"r": 99999, "s": 512}, reserve="rs")
        self.assertEqual("s", room.choose(SMALL, avoid=["r"]))


class ZoneTestCase(base.TestCase):
    """``b`` and the reserved ``r`` are in the dead host's zone."""

    def among(self, fitting, avoid=""):
        preference = reserved.Preference(
            reserve=frozenset("rs"), near=frozenset("br")
        )
        return "".join(preference.among(list(fitting), avoid))

    def test_its_own_zone_comes_first(self):
        self.assertEqual("b", self.among("bcrs"))

    def test_its_reserve_is_in_its_zone(self):
        self.assertEqual("r", self.among("crs"))
        self.assertEqual("br", self.among("bcrs", avoid="b"))

    def test_then_the_others(self):
        self.assertEqual("c", self.among("cs"))
        self.assertEqual("bc", self.among("bcrs", avoid="br"))

    def test_when_all_have_refused_all_are_asked_again(self):
        self.assertEqual("bcrs", self.among("bcrs", avoid="bcrs"))


class HostsTestCase(base.TestCase):
    def test_only_those_whose_record_says_so(self):
        fleet = [
            view("b"),
            view("r", reserved=True),
            liveness.HostView(host="c", facts=make.facts("c", record=None)),
        ]
        self.assertEqual({"r"}, reserved.hosts(fleet))


class WaveTestCase(scenario.ScenarioTestCase):
    def reserve(self, *hosts):
        for host in hosts:
            self.cloud.hosts[host].reserved = True
        self.engine.run(10)

    def targets(self):
        return {call[2] for call in self.calls("evacuate")}

    def test_it_stays_free_while_there_is_room(self):
        self.reserve("b", "c")
        self.to_evacuated()
        self.assertEqual({"d"}, self.targets())
        self.assertNotIn("case.reserve_used", self.codes())

    def test_one_that_is_used_is_told_of_once(self):
        for number in range(8):
            self.cloud.boot("a", f"more{number}")
        self.reserve("b", "c", "d")
        self.to_evacuated()
        self.assertEqual({"b", "c", "d"}, self.targets())
        self.assertEqual(3, self.codes().count("case.reserve_used"))
        self.assertNotIn("case.reserve_used_up", self.codes())

    def test_one_that_is_used_up_is_told_of(self):
        targets_of = self.cloud.targets

        def small(resources):
            return [
                dataclasses.replace(one, free={"VCPU": 1, "MEMORY_MB": 512})
                for one in targets_of(resources)
                if one.host == "b"
            ]

        self.cloud.targets = small
        self.reserve("b")
        self.crash()
        self.engine.run(30)
        self.assertIn("case.reserve_used_up", self.codes())
