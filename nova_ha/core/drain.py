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

"""Moving the instances off a hypervisor that lives, for planned work on it.

Nova chooses the targets and does the moving. Here it is decided what to ask it
for: live migrations, and cold ones of what is stopped where the operator wants
that; so many at a time. What is under way already, whoever has begun it, is
waited for and not asked for again.
"""

import enum
from collections.abc import Collection, Iterator, Mapping

from nova_ha.core import model
from nova_ha.core import runners
from nova_ha.core.model import HostName
from nova_ha.core.model import InstanceId
from nova_ha.core.model import record

REASON = "nova-ha: maintenance"
"""Prefix of the reason with which a host's nova-compute is disabled, so that
nothing new lands on it; with another one it is not ours to enable."""

AT_ONCE = 4
"""Moves under way at the same time. nova-compute lets one live migration out
at a time by default; what Nova has taken cannot be called back by Ctrl-C."""

GRACE = 60.0
"""Seconds until a request that Nova has taken shows, as a task of the instance
or as a record."""

FINISHED = "finished"
"""Of a cold migration: the instance is on its new host, and its former disk is
kept until somebody confirms."""

_MIGRATION = "migration"
_KINDS = runners.COLD | {runners.LIVE}


class Way(enum.StrEnum):
    """How an instance is moved."""

    LIVE = "live migration"
    COLD = "cold migration"


_WAYS = {
    "active": Way.LIVE,
    "paused": Way.LIVE,
    "stopped": Way.COLD,
}
"""By vm_state; of others Nova moves none."""


class Standing(enum.StrEnum):
    """Where an instance stands."""

    READY = "ready"  # can be asked for
    MOVING = "moving"
    ARRIVED = "arrived"  # a cold migration that is yet to be confirmed
    LEFT = "left"  # nothing more is done about it in this run


@record
class Try:
    """A request of this run."""

    at: float
    """Seconds, monotonic: when it was sent."""
    newest: int = 0
    """Id of the instance's newest record before."""
    refused: str = ""
    """What Nova has said against it."""


@record
class Item:
    """One instance that keeps a host from being empty."""

    instance: InstanceId
    name: str
    standing: Standing
    way: Way = Way.LIVE
    newest: int = 0
    """Id of its newest migration record; 0: it has none."""
    reason: str = ""
    """What it does, or why nothing is done about it."""


@record
class Look:
    """How far the drain of a host is."""

    items: tuple[Item, ...]

    def of(self, standing: Standing) -> list[Item]:
        return [one for one in self.items if one.standing is standing]

    @property
    def next(self) -> list[Item]:
        """What is to be asked for now."""
        room = AT_ONCE - len(self.of(Standing.MOVING))
        return self.of(Standing.READY)[: max(0, room)]

    @property
    def over(self) -> bool:
        """Nothing more will move."""
        return len(self.of(Standing.LEFT)) == len(self.items)


def look(
    host: HostName,
    instances: Collection[model.Instance],
    records: Collection[model.Migration],
    tries: Mapping[InstanceId, Try],
    now: float,
    *,
    cold: bool,
) -> Look:
    """Judge what Nova shows of a host.

    :param instances: all of the host; read before ``records``.
    :param records: all that name the host.
    :param tries: the requests of this run.
    :param now: seconds, monotonic.
    :param cold: stopped instances are moved, too.
    """
    newest = _newest(records)
    listed = [
        _judge(host, one, newest.get(one.id), tries.get(one.id), now, cold)
        for one in instances
    ]
    known = {one.id for one in instances}
    others = [
        item
        for one in newest.values()
        if one.instance not in known
        for item in _elsewhere(host, one, tries, cold)
    ]
    return Look(items=(*listed, *others))


def _newest(
    records: Collection[model.Migration],
) -> dict[InstanceId, model.Migration]:
    ordered = sorted(records, key=lambda one: one.id)
    return {one.instance: one for one in ordered if one.kind in _KINDS}


def _judge(
    host: HostName,
    instance: model.Instance,
    newest: model.Migration | None,
    tried: Try | None,
    now: float,
    cold: bool,
) -> Item:
    """One that Nova books on the host."""
    moving = _moving(host, instance, newest, tried, now)
    left = moving or _left(instance, newest, tried, cold)
    standing = Standing.LEFT if left else Standing.READY
    return Item(
        instance=instance.id,
        name=instance.name,
        standing=Standing.MOVING if moving else standing,
        way=_WAYS.get(instance.vm_state, Way.LIVE),
        newest=0 if newest is None else newest.id,
        reason=left,
    )


def _moving(
    host: HostName,
    instance: model.Instance,
    newest: model.Migration | None,
    tried: Try | None,
    now: float,
) -> str:
    """What it is doing; empty if it is not on its way."""
    if newest is not None and newest.source == host:
        open_ = newest.status not in runners.TERMINAL
        just_left = newest.status == "completed" and _ours(newest, tried)
        # A record that nobody goes on with has no task.
        if just_left or (open_ and instance.task_state is not None):
            return _words(newest)
    if tried is None or tried.refused or _ours(newest, tried):
        return ""
    if instance.task_state is not None or now - tried.at < GRACE:
        return "asked for"
    return ""


def _ours(newest: model.Migration | None, tried: Try | None) -> bool:
    """Whether a record has come of the request of this run."""
    return (
        newest is not None and tried is not None and newest.id > tried.newest
    )


def _words(one: model.Migration) -> str:
    target = f" to {one.dest}" if one.dest else ""
    return f"{one.kind}{target}: {one.status}"


def _left(
    instance: model.Instance,
    newest: model.Migration | None,
    tried: Try | None,
    cold: bool,
) -> str:
    """Why it is not asked to move; empty if it can be."""
    if tried is not None:
        return _failed(instance, newest, tried)
    if instance.task_state is not None:
        return f"a task is under way: {instance.task_state}"
    way = _WAYS.get(instance.vm_state)
    if way is None:
        return f"Nova moves none whose state is {instance.vm_state}"
    if way is Way.COLD and not cold:
        return f"it is {instance.vm_state}: only --cold moves it"
    return ""


def _failed(
    instance: model.Instance, newest: model.Migration | None, tried: Try
) -> str:
    if tried.refused:
        return f"Nova refuses: {tried.refused}"
    if newest is None or not _ours(newest, tried):
        return "Nova has taken the request, and shows nothing of it"
    fault = f" ({instance.fault})" if instance.fault else ""
    return f"{_words(newest)}{fault}"


def _elsewhere(
    host: HostName,
    one: model.Migration,
    tries: Mapping[InstanceId, Try],
    cold: bool,
) -> Iterator[Item]:
    """One that Nova does not book on the host, and whose newest record names
    it all the same: its disk may be here, or it may be about to arrive."""
    if one.status in runners.TERMINAL:
        return
    leaving = one.source == host and one.kind in runners.COLD
    if not leaving and one.dest != host:
        return
    standing = Standing.LEFT
    if leaving and one.kind == _MIGRATION and cold:
        ours = _ours(one, tries.get(one.instance))
        if one.status == FINISHED:
            standing = Standing.ARRIVED
        elif ours or one.status == "confirming":
            standing = Standing.MOVING
    words = "leaves" if leaving else "arrives"
    if leaving and one.status == FINISHED:
        words = "waits to be confirmed or reverted"
    yield Item(
        instance=one.instance,
        name=str(one.instance),
        standing=standing,
        newest=one.id,
        reason=f"{words} ({_words(one)})",
    )
