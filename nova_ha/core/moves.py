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

"""The recovery of one instance: from its records to its state."""

import dataclasses
from collections.abc import Collection

from nova_ha.core import model
from nova_ha.core import runners
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState

EVACUABLE = frozenset(["active", "stopped", "error"])
"""vm_states that Nova evacuates; it refuses all others."""


def evacuations(
    instance: model.InstanceId, records: Collection[model.Migration]
) -> list[model.Migration]:
    """Its records of evacuations, oldest first."""
    found = [
        one
        for one in records
        if one.instance == instance and one.kind == runners.EVACUATION
    ]
    return sorted(found, key=lambda one: one.id)


def evacuated_to(
    move: Move,
    source: model.HostName,
    records: Collection[model.Migration],
) -> model.HostName | None:
    """Where the latest evacuation since the move was planned has brought its
    instance; None where there was none."""
    arrived = [
        one.dest
        for one in _since(move, source, records)
        if one.status in runners.DONE
    ]
    return arrived[-1] if arrived else None


def follow(
    move: Move,
    source: model.HostName,
    records: Collection[model.Migration],
    now: model.Now,
    look: model.Instance | None = None,
    forgotten: Collection[int] = (),
) -> Move:
    """Bring a move up to date with the migration records.

    Adopts an evacuation that somebody else has started; success is a record
    ``done``, never an accepted request; while any record is not over, the
    move is running, whatever else has failed.

    :param look: the instance, looked at after the records were read, where
        they are :func:`unclear`.
    :param forgotten: ids of records that Nova will not go on with any more,
        where it has carried out another one.
    """
    if move.final and move.state is not MoveState.FAILED:
        return move
    mine = _since(move, source, records)
    if not mine:
        return move
    if any(one.status == "done" for one in mine):
        mine = [one for one in mine if one.id not in forgotten]
    move = dataclasses.replace(move, unanswered=False)
    if look is not None and _stale(mine, source, look):
        return _failed(move, mine)
    if _ambiguous(mine):
        return _by_look(move, source, mine, look, now)
    open_ones = [one for one in mine if one.status not in runners.TERMINAL]
    if open_ones:
        return _running(move, open_ones)
    done = [one for one in mine if one.status == "done"]
    if done:
        return _done(move, done[-1].dest, done[-1].id, now)
    return _failed(move, mine)


def _since(
    move: Move,
    source: model.HostName,
    records: Collection[model.Migration],
) -> list[model.Migration]:
    return [
        one
        for one in evacuations(move.instance, records)
        if one.source == source and one.id > move.ignored
    ]


def unclear(
    move: Move,
    source: model.HostName,
    records: Collection[model.Migration],
) -> bool:
    """Whether the records of a move do not tell what has become of it, so
    that the instance itself has to be looked at."""
    return not move.final and _ambiguous(_since(move, source, records))


def _ambiguous(records: list[model.Migration]) -> bool:
    """Two cases. A source that starts its nova-compute marks evacuations
    from it ``completed`` whether they had got anywhere or not
    (nova.compute.manager ``_destroy_evacuated_instances``). And a stale
    record ``accepted`` can take the place of a newer one, which then stays
    ``accepted`` for ever (nova.conductor.manager takes the first)."""
    statuses = {one.status for one in records}
    if "done" not in statuses:
        return "completed" in statuses
    return not statuses <= runners.TERMINAL


def waits_for_nobody(
    move: Move,
    source: model.HostName,
    records: Collection[model.Migration],
) -> bool:
    """Whether a running move rests on nothing that will surely end: on no
    record at all (Nova drops them with a deleted server), or on requests
    that no target has taken yet, or ever will: of two at the same time,
    Nova can settle one and forget the other."""
    if move.state is not MoveState.RUNNING:
        return False
    return all(
        one.status == "accepted"
        for one in _since(move, source, records)
        if one.status not in runners.TERMINAL
    )


def _stale(
    records: list[model.Migration],
    source: model.HostName,
    look: model.Instance,
) -> bool:
    """All requests still open were forgotten: no target has taken one, and
    Nova is doing nothing to the instance. The move stays bound to a target
    that one of them names."""
    open_ones = [one for one in records if one.status not in runners.TERMINAL]
    return (
        bool(open_ones)
        and all(one.status == "accepted" for one in open_ones)
        and look.host == source
        and look.task_state is None
    )


def _by_look(
    move: Move,
    source: model.HostName,
    records: list[model.Migration],
    look: model.Instance | None,
    now: model.Now,
) -> Move:
    """What Nova says of the instance decides what its records leave open."""
    open_ones = [one for one in records if one.status not in runners.TERMINAL]
    waiting = _running(move, open_ones or records)
    if look is None or look.task_state is not None:
        return waiting
    if look.host not in (None, source):
        elsewhere = {one.dest for one in open_ones} - {None, look.host}
        if elsewhere:
            return waiting
        return _done(move, look.host, records[-1].id, now)
    return waiting if open_ones else _failed(move, records)


def _done(
    move: Move,
    target: model.HostName | None,
    migration: int,
    now: model.Now,
) -> Move:
    return dataclasses.replace(
        move,
        state=MoveState.DONE,
        target=target or move.target,
        migration=migration,
        reason="",
        done_at=now.utc,
    )


def _running(move: Move, records: list[model.Migration]) -> Move:
    hosts = {one.dest for one in records if one.dest is not None}
    if move.target is not None:
        hosts.add(move.target)
    reason = ""
    if len(hosts) > 1:
        reason = "several evacuations are in flight, to " + ", ".join(
            sorted(hosts)
        )
    adopted = move.state is MoveState.PENDING
    return dataclasses.replace(
        move,
        state=MoveState.RUNNING,
        target=move.target or records[-1].dest,
        migration=records[-1].id,
        attempts=max(move.attempts, 1),
        reason=reason or ("adopted" if adopted else ""),
    )


def _failed(move: Move, records: list[model.Migration]) -> Move:
    last = records[-1]
    reached = [one for one in records if one.status != "error"]
    base = dataclasses.replace(
        move,
        state=MoveState.RETRY,
        ignored=last.id,
        migration=last.id,
        attempts=max(move.attempts, 1),
    )
    if not reached:
        return dataclasses.replace(
            base,
            # An earlier attempt may have reached it; whether it is still
            # bound to it is asked before the next one.
            reason=f"the scheduler refused {last.dest or 'every host'}",
        )
    dest = reached[-1].dest or move.target
    return dataclasses.replace(
        base, target=dest, reason=f"the rebuild on {dest} failed"
    )


def had_duplicate_failure(
    move: Move,
    source: model.HostName,
    records: Collection[model.Migration],
) -> bool:
    """Whether a finished move also has failed records of this case, so that
    Nova may show the running instance in ERROR."""
    return any(
        one.source == source
        and one.id > move.ignored
        and one.status not in runners.DONE
        for one in evacuations(move.instance, records)
    )


def target_died(move: Move, records: Collection[model.Migration] = ()) -> Move:
    """The target itself has been fenced: nothing runs there, and what it had
    taken from its message queue is over, whatever its record says."""
    taken = {
        one.id
        for one in evacuations(move.instance, records)
        if one.dest == move.target
        and one.status not in runners.TERMINAL
        and one.status != "accepted"
    }
    return dataclasses.replace(
        move,
        over=tuple(sorted(taken.union(move.over))),
        state=MoveState.RETRY,
        target=None,
        unanswered=False,
        ignored=max(move.ignored, move.migration or 0),
        reason=f"its target {move.target} died",
    )
