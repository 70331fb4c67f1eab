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

"""When a beacon is not believed: its host has to show it again.

A ZooKeeper session lives for as long as somebody pings it, and not only its
owner can: its password follows from its id, which whoever reaches the port is
shown (ZooKeeper's ``SessionTrackerImpl`` and ``checkPasswd``). So a dead
host's beacon can be kept there by another one. An agent that hangs may keep
its own, too: kazoo pings from a thread beside it.

What nobody else can do is write below the host's place. An agent does so
again and again, as it tells of its guests. Where that has stopped, and Nova's
nova-compute is silent as well, the leader takes the beacon away. A living
agent finds it gone at its next touch and shows another, a second later; from
a dead one none comes, and it is judged like any host whose beacon is gone.
"""

from nova_ha.core import liveness
from nova_ha.core import policy as policy_mod

QUIET = 30.0
"""Seconds without a word of a host's own after which its beacon may be
another one's: six collections of guests by default."""

AGAIN = 300.0
"""Seconds until a host is challenged once more: one that has answered lives,
whatever keeps it from telling of its guests."""

APART = 5.0
"""Seconds between two challenges, of any hosts: a ZooKeeper that takes no
writes for a while must not cost a whole fleet its beacons."""


def due(
    view: liveness.HostView, policy: policy_mod.Policy, now: float
) -> bool:
    """Whether a host that seems alive has to show it."""
    kept, nova = view.facts.record, view.nova
    if not view.present or kept is None or kept.maintenance or kept.protected:
        return False
    return (
        now - view.heard_at >= QUIET
        and nova is not None
        and not nova.stale(now)
        and nova.silent(policy.silence_factor, policy.assumed_gap)
    )
