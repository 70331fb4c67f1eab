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

"""An engine in numbers: what it sees and does at one moment."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping

from nova_ha.core import fleet as fleet_mod
from nova_ha.core import model
from nova_ha.core import world as world_mod
from nova_ha.core.model import record

Counts = Mapping[str, int]
"""How many, by the value of the enum that they are counted by."""


@record
class Census:
    """Counted in one go, so that the numbers fit each other."""

    taken_at: float
    """Seconds, monotonic: a loop that stands still takes no new one."""
    connected: bool
    """See :attr:`nova_ha.core.fleet.Fleet.connected`."""
    epoch: model.Epoch | None = None
    """Of the leadership of this very engine; None: it does not lead."""
    armed: bool = False
    paused: bool = False
    monitored: int = 0
    """Hosts that may be fenced."""
    engines: int = 0
    """Engines that take part in the election."""
    verdicts: Counts = dataclasses.field(default_factory=dict)
    """Hosts by what is believed of them."""
    cases: Counts = dataclasses.field(default_factory=dict)
    """Open cases by state. Only a leader knows of any."""
    holds: Counts = dataclasses.field(default_factory=dict)
    """Open cases that do not go on, by what holds them."""
    unreadable: int = 0
    """Stored cases that nobody can read."""
    moves: Counts = dataclasses.field(default_factory=dict)
    """Instances of the open cases, by what has become of them."""
    storms: Counts = dataclasses.field(default_factory=dict)
    """Storms that the brake knows of, by rule."""
    unfenceable: int = 0
    """Hosts without a single working fence level, by the latest check."""
    barred: int = 0
    """Fence devices that are not believed, of all hosts together."""
    read_at: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """When each view was last read completely; seconds, monotonic."""


def take(
    world: world_mod.World,
    cases: Iterable[model.RecoveryCase],
    now: float,
    *,
    epoch: model.Epoch | None,
    unreadable: int,
    read_at: Mapping[str, float],
) -> Census:
    """Count everything.

    :param cases: the open ones, as people are to see them.
    """
    shown = list(cases)
    fleet = world.fleet
    unfenceable, barred = _devices(fleet)
    return Census(
        taken_at=now,
        connected=fleet.connected,
        epoch=epoch,
        armed=world.control.armed,
        paused=world.control.paused,
        monitored=len(fleet.roster.hosts),
        engines=len(fleet.contenders),
        verdicts=_counts(one.kind for one in world.verdicts.values()),
        cases=_counts(case.state for case in shown),
        holds=_counts(case.hold for case in shown if case.hold),
        unreadable=unreadable,
        moves=_counts(move.state for case in shown for move in case.moves),
        storms=_counts(one.rule for one in world.memory.storms.values()),
        unfenceable=unfenceable,
        barred=barred,
        read_at=dict(read_at),
    )


def _counts(values: Iterable[str]) -> Counts:
    return collections.Counter(str(value) for value in values)


def _devices(fleet: fleet_mod.Fleet) -> tuple[int, int]:
    """Hosts that cannot be fenced, and devices that are barred."""
    unfenceable = barred = 0
    for view in fleet:
        kept = view.facts.record
        if kept is None:
            continue
        barred += len(kept.barred)
        if kept.fencing is not None and not kept.fencing.fenceable:
            unfenceable += not kept.protected
    return unfenceable, barred
