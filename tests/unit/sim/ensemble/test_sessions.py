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

"""When a session ends, for all phases of the leader's clock."""

import hypothesis
from hypothesis import strategies

from nova_ha.sim.ensemble import sessions
from tests import base

TICKS = strategies.sampled_from([0.1, 0.5, 2.0])
SHARES = strategies.floats(0.0, 1.0)
MOMENTS = strategies.floats(-100.0, 1e6)

EPSILON = 1e-6
"""Seconds; what floating point may be wrong by, after a million."""


class RhythmTest(base.TestCase):
    @hypothesis.given(TICKS, SHARES, MOMENTS, strategies.floats(1.0, 40.0))
    def test_expiry(
        self, tick: float, share: float, heard: float, timeout: float
    ) -> None:
        rhythm = sessions.Rhythm(tick, share * tick)
        age = rhythm.expiry(heard, timeout) - heard
        self.assertGreater(age, timeout - EPSILON)
        self.assertLessEqual(age, timeout + tick + EPSILON)

    @hypothesis.given(TICKS, SHARES, MOMENTS)
    def test_reports(self, tick: float, share: float, now: float) -> None:
        wait = sessions.Rhythm(tick, share * tick).report(now) - now
        self.assertGreater(wait, -EPSILON)
        self.assertLessEqual(wait, tick / 2 + EPSILON)

    def test_granted(self) -> None:
        self.assertEqual(
            [1.0, 5.0, 10.0],
            [sessions.granted(asked, 0.5) for asked in (0.2, 5.0, 30.0)],
        )


class SessionTest(base.TestCase):
    def session(self) -> sessions.Session:
        return sessions.Session(
            id=1, owner="c1", identities=(), timeout=10.0, heard=0.0,
            heard_before=0.0, seen=0.0,
        )  # fmt: skip

    def test_what_was_not_reported_is_lost(self) -> None:
        session = self.session()
        session.hear(1.0, 1.2)
        session.hear(2.0, 2.2)
        session.hear(2.1, 2.2)
        session.lose_report(2.15)
        self.assertEqual(1.2, session.heard)

    def test_what_was_reported_stays(self) -> None:
        session = self.session()
        session.hear(1.0, 1.2)
        session.lose_report(1.3)
        self.assertEqual(1.2, session.heard)

    def test_a_leader_hears_at_once(self) -> None:
        session = self.session()
        session.hear(1.0, 1.0)
        session.lose_report(1.0)
        self.assertEqual(1.0, session.heard)
