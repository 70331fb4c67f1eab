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

import dataclasses

from nova_ha.core import brake
from nova_ha.core import policy as policy_mod
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import CaseState
from tests import base
from tests.unit.core import builders as make


class LimitTestCase(base.TestCase):
    def test_small_clouds_lose_one_host_at_a_time(self):
        for monitored in range(6):
            self.assertEqual(1, brake.limit(monitored, make.POLICY))

    def test_a_fraction_of_larger_ones(self):
        limits = {
            monitored: brake.limit(monitored, make.POLICY)
            for monitored in (6, 19, 20, 29, 30, 100)
        }
        self.assertEqual({6: 1, 19: 1, 20: 2, 29: 2, 30: 3, 100: 10}, limits)

    def test_what_is_small_and_the_fraction_are_settings(self):
        policy = policy_mod.Policy(small_cloud=2, brake_fraction=0.5)
        self.assertEqual(1, brake.limit(2, policy))
        self.assertEqual(1, brake.limit(3, policy))
        self.assertEqual(2, brake.limit(4, policy))


class TooManyTestCase(base.TestCase):
    def message(self, host, monitored, *, suspects="", busy="", fenced=""):
        """Why not; empty if the host may be fenced."""
        load = brake.Load(
            monitored=monitored,
            suspects=frozenset(suspects),
            busy=frozenset(busy),
            fenced=frozenset(fenced),
        )
        block = brake.too_many(host, load, make.POLICY)
        if block is None:
            return ""
        self.assertIs(BrakeRule.TOO_MANY, block.rule)
        return block.message

    def test_the_only_suspect_of_a_small_cloud(self):
        for monitored in (3, 4, 5):
            self.assertEqual("", self.message("a", monitored, suspects="a"))

    def test_two_suspects_of_a_small_cloud(self):
        for monitored in (3, 4, 5):
            why = self.message("a", monitored, suspects="ab")
            self.assertIn(f"2 of {monitored} hosts", why)
            self.assertIn("1 allowed", why)
            self.assertIn("suspect: a, b", why)

    def test_a_host_in_recovery_counts(self):
        self.assertIn(
            "in recovery: b", self.message("a", 5, suspects="a", busy="b")
        )
        self.assertEqual("", self.message("a", 20, suspects="a", busy="b"))

    def test_one_that_was_just_switched_off_counts(self):
        why = self.message("a", 5, suspects="a", fenced="b")
        self.assertIn("switched off in the last 60 s: b", why)

    def test_a_host_counts_once(self):
        why = self.message("a", 4, suspects="a", busy="a", fenced="a")
        self.assertEqual("", why)

    def test_the_host_itself_counts_even_if_nobody_suspects_it(self):
        self.assertNotEqual("", self.message("a", 4, suspects="b"))

    def test_ten_percent(self):
        self.assertEqual("", self.message("a", 30, suspects="abc"))
        self.assertNotEqual("", self.message("a", 30, suspects="abcd"))

    def test_a_fleet_is_not_listed_as_a_whole(self):
        hosts = [f"cmp{number:03}" for number in range(100)]
        why = self.message("cmp001", 100, suspects=hosts)
        self.assertIn("cmp009 and 90 more", why)

    def test_a_recovery_that_cannot_end_before_does_not_count(self):
        load = brake.Load(
            monitored=4, suspects=frozenset("a"), busy=frozenset("b")
        )
        self.assertIsNone(
            brake.too_many("a", load.without({"b"}), make.POLICY)
        )
        fenced = dataclasses.replace(load, fenced=frozenset("b"))
        self.assertIsNotNone(
            brake.too_many("a", fenced.without({"b"}), make.POLICY)
        )


class PaceTestCase(base.TestCase):
    def paced(self, busy):
        load = brake.Load(
            monitored=5,
            suspects=frozenset("abcde"),
            busy=frozenset(busy),
            fenced=frozenset("de"),
        )
        return brake.pace("a", load, make.POLICY)

    def test_the_silence_of_others_casts_no_doubt_on_a_proven_host(self):
        self.assertIsNone(self.paced(""))
        self.assertIsNone(self.paced("a"))

    def test_the_pace_is_limited_for_proven_hosts_too(self):
        block = self.paced("b")
        self.assertIs(BrakeRule.PACE, block.rule)
        self.assertIn("1 in recovery, 1 allowed at a time: b", block.message)


class BusyTestCase(base.TestCase):
    def test_what_counts_as_in_recovery(self):
        """From the decision to fence to the end of the evacuation: one that
        waits for an operator or for its host does not stop the others."""
        self.assertEqual(
            {
                CaseState.FENCING,
                CaseState.FENCE_FAILED,
                CaseState.FENCED,
                CaseState.EVACUATING,
            },
            brake.BUSY,
        )
