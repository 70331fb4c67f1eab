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


"""Whether the root disk of an instance survives its host.

Nova finds out on the target whether the disk is there, and if it is not,
creates it anew from the instance's image without a word: whatever its user
has written is gone. So it is found out here, before anything is sent.
"""

from nova_ha.core import model
from nova_ha.core import storage
from nova_ha.core.model import record
from nova_ha.core.rules import Rules

_BEING_MOVED = frozenset(
    ["resize_migrating", "resize_migrated", "resize_finish"]
)
"""The source of a resize has renamed the directory of the instance by then
(nova.virt.libvirt.driver ``migrate_disk_and_power_off``): a target that
shares it would not find it."""


@record
class Disk:
    """Where a root disk can be reached from, and what else is to be said."""

    lost: str = ""
    """Why it would be created anew; empty if it survives."""
    domain: str = ""
    """Only hosts of this storage domain reach it; empty: all do."""
    note: str = ""
    """What its recovery costs, for the result."""


def of(
    instance: model.Instance, rules: Rules, shared: storage.Storage
) -> Disk:
    """The root disk of an instance.

    :param shared: who shares the disks of its host.
    """
    if rules.shared_disks:
        return Disk()
    if not instance.image:
        return Disk(note=_ephemeral(instance))
    if shared.domain and instance.task_state not in _BEING_MOVED:
        return Disk(domain=shared.domain)
    lost = _why_lost(shared)
    if rules.recreate_disks:
        return Disk(note=f"{lost}: created anew from its image")
    return Disk(lost=f"{lost}, and would be created anew from its image")


def _why_lost(shared: storage.Storage) -> str:
    if shared.domain:
        return "a resize was moving its disk"
    if shared.doubt:
        return f"its disk may be on its host alone ({shared.doubt})"
    return "its disk is on its host alone"


def _ephemeral(instance: model.Instance) -> str:
    if instance.ephemeral:
        return "its ephemeral disks are created anew, empty"
    return ""
