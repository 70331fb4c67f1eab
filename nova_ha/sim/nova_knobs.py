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

"""What a script can do to Nova: how fast it is, and what goes wrong in it."""

import collections
import dataclasses
import enum

from nova_ha.core import model
from nova_ha.sim import kernel as kernel_mod


class Outcome(enum.StrEnum):
    """What becomes of an evacuation that the API has accepted."""

    DONE = "done"
    FAILED = "failed"  # on the target, before the guest was started
    FAILED_RUNNING = "failed-running"  # after it: the guest runs there
    STUCK = "stuck"  # claimed by the target, and nothing more
    STUCK_RUNNING = "stuck-running"  # the same, but the guest runs there
    LOST = "lost"  # never reaches the target: accepted for ever
    ERROR = "error"  # the scheduler finds no valid host


class Change(enum.StrEnum):
    """The requests of an engine that change something."""

    EVACUATE = "evacuate"
    FORCE_DOWN = "force-down"
    DISABLE = "disable"
    ENABLE = "enable"
    REPAIR = "repair"
    STOP = "stop"


LATENCY = 0.03
"""Usual mean time of a request, and of an answer, on its way, in seconds."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fate:
    """What befalls a request on its way."""

    delay: float = 0.0
    """Seconds that it is late."""
    request_lost: bool = False
    answer_lost: bool = False


@dataclasses.dataclass(slots=True)
class _Coming:
    """What befalls the next requests."""

    fate: Fate
    left: int
    kind: Change | None


class Knobs:
    """All that can be turned while a run goes on. Seconds throughout."""

    def __init__(
        self,
        kernel: kernel_mod.Kernel,
        report_interval: float,
        rebuild_seconds: tuple[float, float],
    ) -> None:
        self._kernel = kernel
        self._usual = rebuild_seconds
        self._coming: list[_Coming] = []
        self.report_interval = report_interval
        """Between two reports of a nova-compute."""
        self.service_down_time = 60.0
        """After the last report, until the API shows a service as down."""
        self.rebuild_seconds = rebuild_seconds
        """Shortest and longest time that a target takes for a rebuild."""
        self.rebuild_outcomes: collections.deque[str] = collections.deque()
        """Of the next evacuations in the order in which the conductor takes
        them, each an :class:`Outcome`; the others are ``done``."""
        self.live_seconds = 8.0
        """How long a live migration copies memory."""
        self.post_seconds = 2.0
        """From its switch-over until Nova books the guest on its new host."""
        self.copy_seconds = 6.0
        """How long a cold migration has its guest down."""
        self.request_timeout = 15.0
        """After which an engine gives a request up."""
        self.api_down = False
        """The API refuses connections. What it has accepted goes on."""
        self.api_latency = LATENCY
        """Mean time of a request, and of an answer, on its way."""
        self.down_cells: set[str] = set()
        """Hosts whose cell's database does not answer."""

    def mend(self) -> None:
        """All goes well from now on; what has gone wrong stays so."""
        self._coming.clear()
        self.rebuild_outcomes.clear()
        self.rebuild_seconds = self._usual
        self.api_down, self.api_latency = False, LATENCY
        self.down_cells.clear()

    # -- the next changes ----------------------------------------------------

    def lose_answers(self, count: int = 1, kind: str = "") -> None:
        """The next changes take effect, but their senders never hear of it.

        :param kind: only of such a :class:`Change`; empty: of any.
        """
        self._befall(Fate(answer_lost=True), count, kind)

    def lose_requests(self, count: int = 1, kind: str = "") -> None:
        """The next changes never arrive."""
        self._befall(Fate(request_lost=True), count, kind)

    def delay_requests(
        self, count: int, seconds: float, kind: str = ""
    ) -> None:
        """The next changes take effect so much later, whoever has given them
        up or died meanwhile."""
        self._befall(Fate(delay=seconds), count, kind)

    def _befall(self, fate: Fate, count: int, kind: str) -> None:
        self._coming.append(
            _Coming(fate, count, Change(kind) if kind else None)
        )

    def fate(self, change: Change) -> Fate:
        """What befalls a request that is leaving now."""
        for coming in self._coming:
            if coming.kind in (None, change):
                coming.left -= 1
                if coming.left <= 0:
                    self._coming.remove(coming)
                return coming.fate
        return Fate()

    def outcome(self) -> Outcome:
        """Of the evacuation that the conductor is taking now."""
        if not self.rebuild_outcomes:
            return Outcome.DONE
        return Outcome(self.rebuild_outcomes.popleft())

    # -- chance --------------------------------------------------------------

    def latency(self, of: str) -> float:
        """Of one message between an engine and the API.

        :param of: what kind of message.
        """
        chance = self._kernel.chance(f"{of} to Nova")
        return self.api_latency * chance.uniform(0.5, 1.5)

    def hop(self) -> float:
        """Of one message inside Nova."""
        return self._kernel.chance("messages in Nova").uniform(0.02, 0.1)

    def rebuild_time(self, instance: model.InstanceId) -> float:
        chance = self._kernel.chance(f"rebuilds of {instance}")
        return chance.uniform(*self.rebuild_seconds)

    def cell_answers(self, host: model.HostName | str | None) -> bool:
        return host not in self.down_cells
