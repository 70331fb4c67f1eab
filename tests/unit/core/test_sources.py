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

"""A source is judged by being seen to move, on our own clock alone."""

from nova_ha.core import sources
from tests import base
from tests.unit.core import builders as make

ASSUMED = 10.0


def watched(moves, interval=1.0, until=None):
    """A source that is looked at every ``interval`` seconds and reports at
    the given times; a look takes no time."""
    source = sources.Source(value=None, moved_at=0.0, looked_at=0.0)
    reported, at = None, 0.0
    waiting = sorted(moves)
    until = moves[-1] if until is None else until
    while at <= until:
        while waiting and waiting[0] <= at:
            reported = make.utc(waiting.pop(0))
        source = source.look(reported, at, at)
        at += interval
    return source


class SourceTestCase(base.TestCase):
    def test_the_largest_gap_of_the_latest_counts(self):
        source = watched([10, 20, 35, 45])
        self.assertEqual((10.0, 15.0, 10.0), source.gaps)
        self.assertEqual(4, source.moves)

    def test_the_time_before_the_first_move_is_no_gap(self):
        self.assertEqual((), watched([50]).gaps)

    def test_a_move_is_dated_by_the_end_of_the_look(self):
        source = sources.Source(value=None, moved_at=0.0, looked_at=0.0)
        source = source.look(make.utc(1), 10.0, 12.0)
        self.assertEqual((12.0, 10.0), (source.moved_at, source.looked_at))

    def test_silent_after_twice_its_largest_gap(self):
        moves = [10, 20, 30]
        self.assertFalse(watched(moves, until=49).silent(2.0, ASSUMED))
        self.assertTrue(watched(moves, until=50).silent(2.0, ASSUMED))

    def test_an_unknown_habit_is_assumed(self):
        self.assertFalse(watched([10], until=29).silent(2.0, ASSUMED))
        self.assertTrue(watched([10], until=30).silent(2.0, ASSUMED))

    def test_no_look_no_silence(self):
        """Time that passes without a look proves nothing: a source judged
        later is as silent as at the latest look."""
        source = watched([10, 20, 30], until=35)
        self.assertFalse(source.silent(2.0, ASSUMED))

    def test_a_gap_in_our_looking_is_no_gap_of_the_source(self):
        source = watched([10, 20, 30])
        source = source.look(make.utc(600), 605.0, 605.0)
        self.assertEqual((10.0, 10.0), source.gaps)

    def test_a_gap_in_our_looking_is_no_silence_of_the_source(self):
        """Nova was away for ten minutes: that the source had nothing to say
        at the first look after it does not mean that it is silent."""
        source = watched([10, 20, 30])
        source = source.look(source.value, 630.0, 630.0)
        self.assertFalse(source.silent(2.0, ASSUMED))

    def test_a_gap_in_our_looking_is_no_move(self):
        source = watched([10, 20, 30], until=35)
        source = source.look(source.value, 60.0, 60.0)
        self.assertFalse(source.moved_since(30.0))
        self.assertTrue(source.moved_since(29.0))

    def test_silence_goes_on_after_a_gap_in_our_looking(self):
        """It lasted five seconds before, and has to last fifteen more."""
        source = watched([10, 20, 30], until=35)
        for at in range(60, 75):
            source = source.look(source.value, float(at), float(at))
        self.assertFalse(source.silent(2.0, ASSUMED))
        self.assertTrue(
            source.look(source.value, 75.0, 75.0).silent(2.0, ASSUMED)
        )

    def test_old_gaps_are_forgotten(self):
        moves = [10, 20, 120]
        moves += [130 + 10 * number for number in range(sources.GAPS)]
        self.assertEqual(10.0, max(watched(moves).gaps))

    def test_a_promised_gap_counts_until_a_larger_one_was_seen(self):
        source = sources.Source(
            value="a", moved_at=0.0, looked_at=4.0, promised=2.0
        )
        self.assertTrue(source.silent(2.0, ASSUMED))
        source = source.look("b", 5.0, 5.0, promised=3.0)
        self.assertEqual(3.0, source.gap(ASSUMED))
        source = source.look("c", 9.0, 10.0, promised=3.0)
        self.assertEqual(5.0, source.gap(ASSUMED))

    def test_the_first_sight_is_no_move(self):
        source = sources.Source(value="a", moved_at=5.0, looked_at=5.0)
        self.assertFalse(source.moved_since(0.0))
        source = source.look("b", 6.0, 6.5)
        self.assertTrue(source.moved_since(6.0))
        self.assertFalse(source.moved_since(6.5))

    def test_a_source_that_nobody_looks_at(self):
        source = sources.Source(value="a", moved_at=0.0, looked_at=5.0)
        self.assertFalse(source.stale(15.0))
        self.assertTrue(source.stale(15.1))

    def test_each_source_has_words(self):
        self.assertIn("storage", sources.moves(sources.STORAGE))
        self.assertIn("lldp", sources.moves("lldp"))
