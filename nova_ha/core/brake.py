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

"""The storm brake: how many hosts may be in trouble before nothing new is
fenced, because the trouble is probably ours.

A host counts, once, while it is *suspect* (its beacon is gone, and no other
evidence says that it lives), while it is *in recovery* (from the decision to
fence until its instances have been dealt with), and for ``brake_window`` after
*nova_ha* has switched it off. The window sees a failure that takes one host
after the other, each one dealt with before the next: an upgrade, or a mistake
of ours. A host that somebody else has switched off, or that an operator
vouches for, was not our doing and so does not linger.

Whoever is known to be off already is not fenced but only recovered: the
silence of the others casts no doubt on that, and only the pace is limited.
What failure domains add to this is in :mod:`.domains`; how a storm ends, in
:mod:`.storm`.
"""

import dataclasses
from collections.abc import Collection, Mapping

from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import CaseState
from nova_ha.core.model import record

BUSY = frozenset(
    [
        CaseState.FENCING,
        CaseState.FENCE_FAILED,
        CaseState.FENCED,
        CaseState.EVACUATING,
    ]
)
"""States in which a case counts: from the decision to fence until its
instances have been dealt with."""

NAMED = 10
"""How many hosts a message names."""


@record
class Load:
    """What the brake counts."""

    monitored: int
    suspects: frozenset[model.HostName] = frozenset()
    """Hosts that may be dying and have not been fenced."""
    busy: frozenset[model.HostName] = frozenset()
    """Hosts whose case is in one of :data:`BUSY`."""
    fenced: frozenset[model.HostName] = frozenset()
    """Hosts that nova_ha has switched off within the window."""

    @property
    def counted(self) -> frozenset[model.HostName]:
        return self.suspects | self.busy | self.fenced

    def without(self, hosts: Collection[model.HostName]) -> "Load":
        """The same, but for recoveries that cannot end yet. That their hosts
        were switched off counts all the same."""
        return dataclasses.replace(self, busy=self.busy.difference(hosts))


@record
class Block:
    """Why a host may not be fenced now."""

    rule: BrakeRule
    message: str
    domain: str = ""
    """The failure domain that it is about, if it is about one."""


@record
class Storm:
    """A rule of the brake holds somebody, or has until lately."""

    rule: BrakeRule
    quiet_since: float | None = None
    """Since when it holds nobody, in seconds, monotonic."""


@record
class Memory:
    """What a leader remembers for the brake; times are seconds, monotonic."""

    fenced_at: Mapping[model.HostName, float] = dataclasses.field(
        default_factory=dict
    )
    """When it saw that a power-off had been sent to a host."""
    storms: Mapping[str, Storm] = dataclasses.field(default_factory=dict)
    """By failure domain; the one that concerns all hosts has the key
    :data:`EVERYWHERE`."""


EVERYWHERE = ""


def limit(monitored: int, policy: policy_mod.Policy) -> int:
    """How many hosts may count at the same time.

    One in a small cloud: there, two at once are already a large part of it.
    """
    if monitored <= policy.small_cloud:
        return 1
    return max(1, int(policy.brake_fraction * monitored))


def too_many(
    host: model.HostName, load: Load, policy: policy_mod.Policy
) -> Block | None:
    """Whether ``host`` would be one too many in trouble."""
    allowed = limit(load.monitored, policy)
    count = len(load.counted | {host})
    if count <= allowed:
        return None
    return Block(
        rule=BrakeRule.TOO_MANY,
        message=f"{count} of {load.monitored} hosts count, {allowed} allowed "
        f"at a time: {_who_counts(load, policy)}",
    )


def _who_counts(load: Load, policy: policy_mod.Policy) -> str:
    groups = {
        "suspect": load.suspects,
        "in recovery": load.busy - load.suspects,
        f"switched off in the last {policy.brake_window:g} s": load.fenced
        - load.busy
        - load.suspects,
    }
    return "; ".join(
        f"{words}: {names(hosts)}" for words, hosts in groups.items() if hosts
    )


def pace(
    host: model.HostName, load: Load, policy: policy_mod.Policy
) -> Block | None:
    """Whether enough others are in recovery for a host that is off anyway."""
    allowed = limit(load.monitored, policy)
    others = load.busy - {host}
    if len(others) < allowed:
        return None
    return Block(
        rule=BrakeRule.PACE,
        message=f"it is off, and waits for its turn: {len(others)} in "
        f"recovery, {allowed} allowed at a time: {names(others)}",
    )


def names(hosts: Collection[model.HostName]) -> str:
    """The names of hosts, as long as they are not too many to read."""
    ordered = sorted(hosts)
    more = len(ordered) - NAMED
    text = ", ".join(ordered[:NAMED])
    return f"{text} and {more} more" if more > 0 else text
