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
"""What Nova's RequestSpec says, as far as it matters here.

Fields of Nova's objects may be unset, which ``getattr`` does not survive; so
each is asked for first.
"""

from typing import Any

from nova_ha.coordination import view as view_module
from nova_ha.core import model
from nova_ha.core import view
from nova_ha.scheduler import domains
from nova_ha.scheduler import selection


def instance(spec: Any) -> model.InstanceId:
    return model.InstanceId(_value(spec, "instance_uuid") or "")


def move(spec: Any) -> selection.Move | None:
    """What a request takes away from a host; None where it takes nothing.

    Nova marks an evacuation by nothing but the host that it must not end
    on, and so does every other move (nova.conductor.manager, nova.compute.api
    and nova.conductor.tasks.live_migrate set ``ignore_hosts``, the source
    first).
    """
    leaving = _value(spec, "ignore_hosts")
    if not leaving:
        return None
    wanted = _value(spec, "requested_destination")
    return selection.Move(
        instance=instance(spec),
        leaving=tuple(model.HostName(host) for host in leaving),
        named=bool(wanted and _value(wanted, "host")),
    )


def evacuated_from(
    spec: Any, snapshot: view_module.ViewSnapshot
) -> model.HostName | None:
    """The host that a request evacuates its instance from, if it does."""
    found = move(spec)
    if found is None:
        return None
    return view.evacuated_from(
        snapshot.hosts, snapshot.recoveries, found.instance, found.leaving
    )


def on_volume(spec: Any) -> bool:
    """Whether the instance boots from a volume, as far as is known."""
    return bool(_value(spec, "is_bfv"))


def group(spec: Any) -> domains.Group | None:
    """The server group of the instance; None if it is in none."""
    found = _value(spec, "instance_group")
    if not found:
        return None
    moving = move(spec)
    return domains.Group(
        policy=_value(found, "policy") or "",
        members=frozenset(_value(found, "members") or ()),
        hosts=frozenset(_value(found, "hosts") or ()),
        instance=instance(spec),
        source=moving.leaving[0] if moving else None,
    )


def _value(thing: Any, field: str) -> Any:
    return getattr(thing, field) if field in thing else None
