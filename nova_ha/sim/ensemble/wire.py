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

"""A connection: in order, with latency, and nothing lost while it lasts."""

import collections
from collections.abc import Callable

from nova_ha.sim import kernel as kernel_mod

LATENCY = (0.0005, 0.003)
"""Seconds one way, least and most, on the management network."""

RETRANSMIT = 0.2
"""Seconds; TCP's shortest time-out on Linux. A cut that is mended before
anybody noticed only delays."""

GIVE_UP = 60.0
"""Seconds after which TCP stops repeating."""


def latency(kernel: kernel_mod.Kernel) -> float:
    return kernel.chance("messages of ZooKeeper").uniform(*LATENCY)


class Wire:
    """One direction of a connection.

    :param passes: whether the network lets a message through now.
    """

    def __init__(
        self, kernel: kernel_mod.Kernel, passes: Callable[[], bool]
    ) -> None:
        self._kernel = kernel
        self._passes = passes
        self._queue: collections.deque[tuple[float, kernel_mod.Call]]
        self._queue = collections.deque()
        self._coming = False
        self._stuck: float | None = None
        self.open = True

    def send(self, call: kernel_mod.Call, extra: float = 0.0) -> None:
        """Have ``call`` called at the other end.

        :param extra: seconds that the sender takes before it sends.
        """
        if not self.open:
            return
        due = self._kernel.now + extra + latency(self._kernel)
        self._queue.append((due, call))
        self._expect()

    def close(self) -> None:
        """What is under way is lost."""
        self.open = False
        self._queue.clear()

    def _expect(self) -> None:
        if self._queue and not self._coming:
            self._coming = True
            self._kernel.at(self._queue[0][0], self._arrive)

    def _arrive(self) -> None:
        if not self.open:
            return
        if not self._passes():
            self._repeat()
            return
        self._stuck = None
        # In order: one that was quicker waits for those before it.
        while self._queue and self._queue[0][0] <= self._kernel.now:
            self._queue.popleft()[1]()
        self._coming = False
        self._expect()

    def _repeat(self) -> None:
        now = self._kernel.now
        self._stuck = now if self._stuck is None else self._stuck
        if now - self._stuck > GIVE_UP:
            self.close()
        else:
            self._kernel.after(RETRANSMIT, self._arrive)
