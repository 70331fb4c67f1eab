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


"""What is to become of an instance that is found on a dead host."""

from collections.abc import Collection

from nova_ha.core import disks
from nova_ha.core import eligibility
from nova_ha.core import model
from nova_ha.core import moves
from nova_ha.core import ordering
from nova_ha.core import runners
from nova_ha.core import storage
from nova_ha.core import treatments
from nova_ha.core.model import MoveState
from nova_ha.core.rules import Rules

_SHUT_DOWN = 4
"""Nova's power_state of a guest that is off (nova.compute.power_state)."""


def plan(
    instance: model.Instance,
    records: Collection[model.Migration],
    rules: Rules,
    shared: storage.Storage,
) -> model.Move:
    """The move of an instance, or why there is to be none.

    :param shared: who shares the disks of the host.
    """
    disk = disks.of(instance, rules, shared)
    priority, doubt = ordering.priority(instance, rules)
    state, reason = _fate(instance, rules, disk)
    notes = (_cost(instance), disk.note, doubt) if not reason else ()
    return model.Move(
        instance=instance.id,
        name=instance.name,
        state=state,
        reason=reason,
        was=instance.vm_state,
        was_off=_was_off(instance),
        reset=not reason and treatments.to_be_reset(instance),
        note="; ".join(note for note in notes if note),
        storage_domain=disk.domain,
        priority=priority,
        resources=instance.resources,
        ignored=_past(instance.id, records),
    )


def _fate(
    instance: model.Instance, rules: Rules, disk: disks.Disk
) -> tuple[MoveState, str]:
    excluded = eligibility.excluded(instance, rules)
    if excluded:
        return MoveState.EXCLUDED, excluded
    left = treatments.left(instance, rules) or disk.lost
    return (MoveState.SKIPPED if left else MoveState.PENDING), left


def _cost(instance: model.Instance) -> str:
    if treatments.to_be_reset(instance):
        return f"it was {instance.vm_state} and is started anew"
    return ""


def _was_off(instance: model.Instance) -> bool:
    """In ERROR only the last known state of its power tells."""
    if instance.vm_state == "error":
        return instance.power_state == _SHUT_DOWN
    return instance.vm_state == "stopped"


def _past(
    instance: model.InstanceId, records: Collection[model.Migration]
) -> int:
    """The latest record that belongs to the past: all up to it are over."""
    return max(
        (
            one.id
            for one in moves.evacuations(instance, records)
            if one.status in runners.TERMINAL
        ),
        default=0,
    )
