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

"""Sources of evidence beside the beacon: seen to move, or silent.

A source shows something of each host that changes while the host lives: the
time stamp of its nova-compute's last report, the count in its storage
heartbeat. What it means does not matter here; whether it *moves* between two
of our own looks does. Its clock is never compared with ours.
"""

import dataclasses
import datetime

from nova_ha.core.model import record

NOVA = "nova"
"""Nova's own service report. The one source that every host has, and without
which no host is judged dead."""

STORAGE = "storage"
"""The storage heartbeat, as the engine itself reads it."""

PEERS = "peers"
"""The storage heartbeat, as other agents of the same storage see it."""

_MOVES = {
    NOVA: "its nova-compute reports",
    STORAGE: "its storage heartbeat moves",
    PEERS: "peers see its storage heartbeat move",
}


def moves(name: str) -> str:
    """What it means that a source moves, for people."""
    return _MOVES.get(name, f"the source {name} moves")


BREAK = 5.0
"""Seconds between two looks at a source after which what it did in between
is unknown: such a break counts neither as its silence nor as its habit."""

GAPS = 32
"""How many of the latest gaps of a source count for its largest: enough to
know its habits, few enough to forget the stall of a start."""

STALE = 10.0
"""Seconds without a look after which a source that is not required, and may
be away for good, is not waited for any longer."""

Value = datetime.datetime | str | None


@record
class Sign:
    """What a source shows of one host at one look."""

    value: Value
    gap: float = 0.0
    """Seconds between two moves that the source itself promises; 0: none."""


@record
class Source:
    """What has been seen of one source about one host."""

    value: Value
    moved_at: float
    """When the present value was first seen (the end of that look: the
    move itself was earlier, so that silence is never over-estimated)."""
    looked_at: float
    """Beginning of the latest successful look."""
    moves: int = 0
    gaps: tuple[float, ...] = ()
    promised: float = 0.0
    """The latest sign's own ``gap``."""
    unseen: float = 0.0
    """Seconds since ``moved_at`` in which nobody looked: :data:`BREAK`."""

    def look(
        self,
        value: Value,
        began: float,
        ended: float,
        *,
        steady: bool = True,
        promised: float = 0.0,
    ) -> "Source":
        """Fold one look that lasted from ``began`` to ``ended``.

        :param steady: the host was alive since the last move, by other
            evidence: only then is the gap a habit of the source, and not
            the time that the host was dead.
        """
        unseen = began - self.looked_at
        if value == self.value:
            return dataclasses.replace(
                self,
                looked_at=max(began, self.looked_at),
                promised=promised,
                unseen=self.unseen + (unseen if unseen > BREAK else 0.0),
            )
        gap = ended - self.moved_at - self.unseen
        # The time from the first look to the first move is no gap.
        seen = steady and self.moves > 0 and unseen <= BREAK
        return Source(
            value=value,
            moved_at=ended,
            looked_at=began,
            moves=self.moves + 1,
            gaps=(*self.gaps, gap)[-GAPS:] if seen else self.gaps,
            promised=promised,
        )

    def gap(self, assumed: float) -> float:
        """The longest time between two moves that is no silence yet."""
        return max((*self.gaps, self.promised)) or assumed

    def silent(self, factor: float, assumed: float) -> bool:
        """Whether it has been quiet for ``factor`` times its largest gap."""
        quiet = self.looked_at - self.moved_at - self.unseen
        return quiet >= factor * self.gap(assumed)

    def moved_since(self, moment: float) -> bool:
        """Whether it was seen to move after ``moment``. The first sight of
        a source is none of its moves, and neither is a break."""
        return self.moves > 0 and self.moved_at > moment

    def stale(self, now: float) -> bool:
        """Whether it has not been looked at for long."""
        return now - self.looked_at > STALE
