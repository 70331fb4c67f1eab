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
"""

from collections.abc import Collection

from nova_ha.core import model
from nova_ha.core import policy as policy_mod
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


@record
class Load:
    """What the brake counts."""

    monitored: int
    suspects: frozenset[model.HostName] = frozenset()
    """Hosts that may be dying and have not been fenced."""
    busy: frozenset[model.HostName] = frozenset()
    """Hosts whose case is in one of :data:`BUSY`."""


def limit(monitored: int, policy: policy_mod.Policy) -> int:
    """How many hosts may be suspect or in recovery at the same time.

    One in a small cloud: there, two at once are already a large part of it.
    """
    if monitored <= policy.small_cloud:
        return 1
    return max(1, int(policy.brake_fraction * monitored))


def blocks(
    host: model.HostName,
    load: Load,
    policy: policy_mod.Policy,
    *,
    proven: bool,
) -> str:
    """Why ``host`` may not be fenced now; empty if it may.

    :param proven: it is known to be off already. Then the silence of the
        others casts no doubt on it, and only the pace is limited.
    """
    allowed = limit(load.monitored, policy)
    others = load.busy - {host}
    counted: Collection[model.HostName] = others | {host}
    if not proven:
        counted = others | load.suspects | {host}
    if len(counted) <= allowed:
        return ""
    names = ", ".join(sorted(set(counted) - {host}))
    return (
        f"{len(counted)} of {load.monitored} hosts are suspect or in "
        f"recovery, {allowed} allowed at a time (also: {names})"
    )
