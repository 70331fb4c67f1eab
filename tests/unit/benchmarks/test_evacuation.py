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
"""The benchmark of evacuations runs, on a cloud that keeps account."""

import contextlib
import io
import itertools

from benchmarks import evacuation
from tests import base

HOSTS = [f"cmp{number}" for number in range(1, 9)]


class FakeCloud:
    """Takes known times, and notes what it is asked."""

    hosts = HOSTS

    def __init__(self, bare=10.0, ours=(8.0,)):
        self.calls = []
        self._bare = bare
        self._ours = itertools.cycle(ours)

    def gather(self, instances, host):
        self.calls.append(("gather", instances, host))

    def bare(self, host, pool, spawn_delay):
        self.calls.append(("bare", host, pool, spawn_delay))
        return self._bare

    def ours(self, host, spawn_delay):
        self.calls.append(("ours", host, spawn_delay))
        return evacuation.Recovery(seconds=next(self._ours), requests=60)


class EvacuationTest(base.TestCase):
    def setUp(self):
        super().setUp()
        quiet = contextlib.redirect_stderr(io.StringIO())
        self.enterContext(quiet)

    def run_on(self, cloud, series=evacuation.USUAL, pairs=3):
        return evacuation.run(
            lambda: contextlib.nullcontext(cloud), series, pairs
        )

    def test_figures(self):
        found = self.run_on(FakeCloud(ours=(8.0, 12.0, 9.0)))
        self.assertEqual(0.9, found["ratio_30"])
        self.assertEqual(0.9, found["ratio_30_slow"])
        self.assertEqual(2.0, found["requests_per_instance"])
        self.assertEqual([8.0, 12.0, 9.0], found["seconds"]["30"]["ours"])
        self.assertEqual([10.0] * 3, found["seconds"]["30"]["bare"])

    def test_large(self):
        found = self.run_on(FakeCloud(), [evacuation.LARGE])
        self.assertEqual(0.8, found["ratio_100"])
        self.assertEqual(0.6, found["requests_per_instance"])

    def test_the_worst_recovery_counts(self):
        pair = evacuation.Pair(bare=1.0, ours=1.0, requests=2.0)
        worse = evacuation.Pair(bare=1.0, ours=1.0, requests=7.0)
        found = evacuation.figures({"30": [pair, worse, pair]})
        self.assertEqual(7.0, found["requests_per_instance"])

    def test_both_lose_a_host_with_all_instances_by_turns(self):
        cloud = FakeCloud()
        self.run_on(cloud)
        kinds = [call[0] for call in cloud.calls]
        self.assertEqual(["gather", "bare", "gather", "ours"] * 6, kinds)
        for gather, lost in zip(
            cloud.calls[::2], cloud.calls[1::2], strict=True
        ):
            self.assertEqual(("gather", 30, lost[1]), gather)

    def test_spawns_are_slow_for_both(self):
        cloud = FakeCloud()
        self.run_on(cloud, evacuation.USUAL[1:], pairs=1)
        self.assertEqual(("bare", "cmp1", 16, 3.0), cloud.calls[1])
        self.assertEqual(("ours", "cmp5", 3.0), cloud.calls[3])

    def test_each_host_is_lost_in_its_turn(self):
        cloud = FakeCloud()
        self.run_on(cloud, (*evacuation.USUAL, evacuation.LARGE))
        lost = [call[1] for call in cloud.calls if call[0] != "gather"]
        for number in range(len(lost) - 6):
            self.assertEqual(7, len(set(lost[number : number + 7])))

    def test_by_turns(self):
        groups = (["a1", "a2", "a3"], [], ["b1"], ["c1", "c2"])
        self.assertEqual(
            ["a1", "b1", "c1", "a2", "c2", "a3"], evacuation.by_turns(groups)
        )
        self.assertEqual([], evacuation.by_turns([]))

    def test_no_pairs(self):
        self.assertRaises(SystemExit, evacuation.main, ["--pairs", "0"])
