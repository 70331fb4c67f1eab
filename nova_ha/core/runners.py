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

"""Who else could be running an instance: invariant 1.

Nova's records do not tell. A record ``failed`` does not mean "not running"
(the exception may come after the spawn), the instance's host changes only at
the very end, and after a live migration has switched over the guest runs on
the destination while Nova names the source. So every destination of every
record is a possible runner until something proves otherwise: the record
itself (refused before any target was asked, or the guest has left again),
the fencing of that host, or its own agent, in a collection of guests that
took place entirely after we began to ask.
"""

import dataclasses
from collections.abc import Collection, Mapping

from nova_ha.core import guests as guests_mod
from nova_ha.core import model
from nova_ha.core.model import record

EVACUATION = "evacuation"
LIVE = "live-migration"

DONE = frozenset(["done", "completed"])
"""An evacuation whose guest runs at its destination."""

TERMINAL = DONE | frozenset(
    ["failed", "error", "cancelled", "confirmed", "reverted"]
)
"""Nova does no more for a record in one of these."""

COLD = frozenset(["migration", "resize"])

NOT_HANDED_OVER = frozenset(
    ["queued", "accepted", "pre-migrating", "migrating"]
)
"""Of a cold migration or resize: its source has not stopped the guest yet, or
is about to; ``post-migrating`` is what it says when it has
(nova.compute.manager ``_resize_instance``)."""

_LEFT = {
    EVACUATION: "completed",
    LIVE: "completed",
    "migration": "confirmed",
    "resize": "confirmed",
}
"""The status in which the *source* of a record has been cleaned up."""

Mark = tuple[model.BootId, int]
"""Boot and sequence of a host's inventory when we began to ask."""

Marks = Mapping[tuple[model.InstanceId, model.HostName], Mark]

FRESH = 2
"""The collection after the next one began after the mark was taken."""


@record
class Agents:
    """What agents and fences prove about other hosts."""

    guests: guests_mod.Guests
    """As live agents list them."""
    fenced: frozenset[model.HostName] = frozenset()
    """Proven to be off in their own current incident."""

    def listed(
        self, instance: model.InstanceId, source: model.HostName
    ) -> frozenset[model.HostName]:
        """Other hosts whose agents say that they run the guest."""
        return self.guests.hosts_of(instance) - {source}

    def inventory(self, host: model.HostName) -> model.GuestInventory | None:
        """What the live agent of a host lists, in its present boot."""
        return self.guests.inventories.get(host)


def destinations(
    instance: model.InstanceId,
    source: model.HostName,
    records: Collection[model.Migration],
    over: Collection[int] = (),
) -> dict[model.HostName, bool]:
    """Hosts that the records of an instance make possible runners, and
    whether Nova may still start it there.

    :param over: ids of open records of which nothing more will come.
    """
    mine = [one for one in records if one.instance == instance]
    found: dict[model.HostName, bool] = {}
    for one in mine:
        if one.dest is None or one.dest == source:
            continue
        if _refused(one) or _has_left(one, mine):
            continue
        found[one.dest] = found.get(one.dest, False) or (
            _startable(one) and one.id not in over
        )
    return found


def _refused(one: model.Migration) -> bool:
    """The scheduler refused: no target was ever asked."""
    return one.kind == EVACUATION and one.status == "error"


def _has_left(
    one: model.Migration, records: Collection[model.Migration]
) -> bool:
    """A later record moved the guest away from there, cleaned up."""
    return any(
        later.id > one.id
        and later.source == one.dest
        and later.status == _LEFT.get(later.kind)
        for later in records
    )


def _startable(one: model.Migration) -> bool:
    """A live migration needs its source, which is off; anything else that
    is not over may still be started at its destination."""
    return one.status not in TERMINAL and one.kind != LIVE


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Hosts that may run an instance, and the marks set while asking."""

    runners: frozenset[model.HostName]
    marks: Marks
    asking: frozenset[model.HostName] = frozenset()
    """Those of them whose live agents are about to say."""


def possible(
    instance: model.InstanceId,
    source: model.HostName,
    records: Collection[model.Migration],
    agents: Agents,
    marks: Marks,
    asked: Collection[model.HostName] = (),
    over: Collection[int] = (),
) -> Finding:
    """The hosts beside the dead ``source`` that may run ``instance``.

    :param records: at least every migration record of the instance that
        names a host without an inventory in ``agents``, or ``source``.
    :param marks: what earlier calls returned.
    :param asked: hosts that a request without a record may have reached.
    :param over: see :func:`destinations`.
    """
    marked = dict(marks)
    listed = agents.listed(instance, source)
    runners, asking = set(listed), set()
    found = dict.fromkeys(asked, False)
    found.update(destinations(instance, source, records, over))
    for host, startable in found.items():
        if host in agents.fenced:
            continue
        inventory = agents.inventory(host)
        if startable or inventory is None:
            runners.add(host)
            continue
        mark = marked.setdefault(
            (instance, host), (inventory.boot_id, inventory.sequence)
        )
        if mark[0] != inventory.boot_id:
            # A new boot: what ran in the old one is gone, but its own
            # inventory has to say so again.
            mark = (inventory.boot_id, inventory.sequence)
            marked[(instance, host)] = mark
        if inventory.sequence < mark[1] + FRESH:
            runners.add(host)
            asking.add(host)
    return Finding(frozenset(runners), marked, frozenset(asking - listed))
