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

"""When the servers take a session for dead.

The leader keeps the time-outs, and looks once a tick: a session ends between
T and T + tick after the leader has last heard of it. What a follower's
clients do, the leader hears at the follower's next report, every half tick;
what the follower has not reported when it dies, never.
"""

import dataclasses
import math
from collections.abc import Sequence

LEAST_TICKS = 2
MOST_TICKS = 20
"""A server grants no time-outs but between these, in ticks."""


def granted(asked: float, tick: float) -> float:
    """The session time-out T that is negotiated, seconds."""
    return min(max(asked, LEAST_TICKS * tick), MOST_TICKS * tick)


@dataclasses.dataclass(frozen=True, slots=True)
class Rhythm:
    """When the leader looks, and followers report.

    :param tick: seconds.
    :param phase: seconds by which its ticks are off the whole ones.
    """

    tick: float
    phase: float

    def expiry(self, heard: float, timeout: float) -> float:
        """The first look at which the session is found too old."""
        return self._after(heard + timeout, self.tick)

    def report(self, now: float) -> float:
        """When the leader hears of what a follower hears now."""
        return self._after(now, self.tick / 2)

    def _after(self, moment: float, step: float) -> float:
        count = math.floor((moment - self.phase) / step) + 1
        return self.phase + count * step


@dataclasses.dataclass(slots=True)
class Session:
    """One session, as the servers know it."""

    id: int
    owner: str
    """Name of the program that opened it."""
    identities: Sequence[str]
    """ZooKeeper's ids; the first is that of its role."""
    timeout: float
    """T in seconds, as negotiated."""
    heard: float
    """When the leader last hears of it: in the future, if a follower has
    yet to report."""
    heard_before: float
    """The last time that does not depend on such a report."""
    seen: float
    """The moment as of which its server shows it the tree, if it lags."""
    looked_at: float = math.inf
    """When the leader is going to look at it next."""

    def hear(self, now: float, at: float) -> None:
        """It has been heard now; the leader hears it ``at``."""
        if self.heard <= now:
            self.heard_before = self.heard
        self.heard = max(self.heard, at)

    def lose_report(self, now: float) -> None:
        """Its server dies, and what it has not reported with it."""
        if self.heard > now:
            self.heard = self.heard_before

    def restart(self, now: float) -> None:
        """A new leader counts anew."""
        self.heard = self.heard_before = now
