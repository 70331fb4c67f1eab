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
"""How far a host can be relied on, by how it has been lately.

For weighers: a host that died, or whose agent came and went, may well do so
again. Unlike quarantine this never keeps a host from being used; it makes
others come first.
"""

import datetime
from collections.abc import Iterable

from nova_ha.core import model

DEATH = 1.0
"""What a death counts at the moment it happened."""

FLAP = 0.25
"""The same of an agent that was gone without a goodbye. Less than a death,
as nothing may have happened but a break of its connection to ZooKeeper."""

FAILING = 1.0
"""What one failing check counts, for as long as it fails."""


def of(
    facts: model.HostFacts,
    flaps: Iterable[float],
    now: datetime.datetime,
    window: float,
) -> float:
    """1.0 of a host without blemish, and ever closer to 0 with each one.

    :param flaps: how long ago its agent was lost, in seconds, once each.
    :param window: seconds after which a death or a flap no longer counts;
        until then it counts less and less, evenly.
    """
    worn = FLAP * sum(_left(age, window) for age in flaps)
    if facts.record is not None:
        worn += DEATH * sum(
            _left((now - at).total_seconds(), window)
            for at in facts.record.incidents
        )
    if facts.beacon is not None:
        worn += FAILING * len(facts.beacon.failed_checks)
    return 1.0 / (1.0 + worn)


def _left(age: float, window: float) -> float:
    # A death that another machine's clock puts into the future is a new one.
    return min(1.0, max(0.0, 1.0 - age / window))
