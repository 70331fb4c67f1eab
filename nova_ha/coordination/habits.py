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
"""What following the tree shows of hosts and the tree itself does not keep.

Since when a goodbye has been there, and when an agent was lost. Both on the
observer's own monotonic clock: no two machines' clocks are compared. A process
that has just started knows of none.
"""

from collections.abc import Container

from nova_ha.core import model
from nova_ha.core.model import HostName

KEPT = 20
"""How many flaps of a host are kept: the newest."""


class Habits:
    """Of all hosts; of one thread."""

    def __init__(self) -> None:
        self._goodbyes: dict[HostName, tuple[model.Goodbye, float]] = {}
        self._flaps: dict[HostName, tuple[float, ...]] = {}

    def note(
        self,
        before: model.HostFacts | None,
        facts: model.HostFacts,
        now: float,
    ) -> None:
        """A host's facts have been read.

        :param before: as they were read the last time, if they were.
        :param now: monotonic seconds.
        """
        host, goodbye = facts.host, facts.goodbye
        if goodbye is None:
            self._goodbyes.pop(host, None)
        elif self._goodbyes.get(host, (None,))[0] != goodbye:
            self._goodbyes[host] = (goodbye, now)
        if before is not None and _lost(before, facts):
            self._flaps[host] = (*self._flaps.get(host, ()), now)[-KEPT:]

    def keep(self, hosts: Container[HostName]) -> None:
        """Forget all other hosts."""
        for known in (self._goodbyes, self._flaps):
            for host in [one for one in known if one not in hosts]:
                del known[host]

    def goodbye_age(self, host: HostName, now: float) -> float:
        """Seconds since the goodbye was first seen; 0 if there is none."""
        known = self._goodbyes.get(host)
        return 0.0 if known is None else now - known[1]

    def flap_ages(self, host: HostName, now: float) -> list[float]:
        """How long ago its agent was lost, in seconds, once each."""
        return [now - at for at in self._flaps.get(host, ())]


def _lost(before: model.HostFacts, facts: model.HostFacts) -> bool:
    """Whether the agent was lost between two reads, without a goodbye."""
    if before.beacon is None:
        return False
    if facts.beacon is None:
        return facts.goodbye is None
    # It may have been gone for less time than it takes to read.
    return before.beacon.session != facts.beacon.session
