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

"""JSON of Nova's API (2.94) to the nouns of the core.

These raise KeyError, TypeError and ValueError for what they do not
understand; callers wrap them in :func:`nova_ha.compute.rest.translated`.
"""

import datetime

from nova_ha.compute.rest import Json
from nova_ha.core import model

_GIB_IN_MIB = 1024


def timestamp(text: str | None) -> datetime.datetime | None:
    """Nova's times are UTC, with or without saying so."""
    if not text:
        return None
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=datetime.UTC)
    return moment.astimezone(datetime.UTC)


def service(entry: Json) -> model.ServiceReport:
    return model.ServiceReport(
        host=model.HostName(entry["host"]),
        service_id=str(entry["id"]),
        reported_at=timestamp(entry.get("updated_at")),
        up=entry["state"] == "up",
        forced_down=bool(entry["forced_down"]),
        disabled=entry["status"] == "disabled",
        disabled_reason=entry.get("disabled_reason") or "",
        zone=entry.get("zone") or "",
    )


def of_down_cell(entry: Json) -> bool:
    """Whether a server or service is shown by its name only, because the
    database of its cell did not answer (2.69)."""
    return entry.get("status") == "UNKNOWN"


def instance(entry: Json) -> model.Instance:
    """A server in detail; ``resources`` are those of its flavor."""
    host = entry.get("OS-EXT-SRV-ATTR:host")
    flavor = entry.get("flavor") or {}
    image = entry.get("image") or {}
    return model.Instance(
        id=model.InstanceId(entry["id"]),
        name=entry.get("name") or "",
        host=model.HostName(host) if host else None,
        vm_state=entry["OS-EXT-STS:vm_state"].lower(),
        task_state=entry.get("OS-EXT-STS:task_state"),
        power_state=int(entry.get("OS-EXT-STS:power_state") or 0),
        launched=bool(entry.get("OS-SRV-USG:launched_at")),
        resources=flavor_resources(flavor, volume_backed=not image),
        metadata=dict(entry.get("metadata") or {}),
        project=entry.get("tenant_id") or "",
        image=image["id"] if image else "",
        flavor_specs=dict(flavor.get("extra_specs") or {}),
        ephemeral=bool(flavor.get("ephemeral") or flavor.get("swap")),
        fault=(entry.get("fault") or {}).get("message") or "",
    )


def flavor_resources(flavor: Json, *, volume_backed: bool) -> dict[str, int]:
    """What Nova's scheduler makes of an embedded flavor (2.47).

    The root disk of a volume-backed server counts for nothing; swap is in
    MiB, the other disks in GiB (nova.scheduler.utils.ResourceRequest).
    """
    if "vcpus" not in flavor:
        return {}
    root = 0 if volume_backed else int(flavor.get("disk") or 0)
    swap = -(-int(flavor.get("swap") or 0) // _GIB_IN_MIB)
    extra = flavor.get("extra_specs") or {}
    dedicated = extra.get("hw:cpu_policy") == "dedicated"
    amounts = {
        "PCPU" if dedicated else "VCPU": int(flavor["vcpus"]),
        "MEMORY_MB": int(flavor.get("ram") or 0),
        "DISK_GB": root + int(flavor.get("ephemeral") or 0) + swap,
    }
    for name, value in extra.items():
        if name.startswith("resources:"):
            amounts[name.removeprefix("resources:")] = int(value)
    return {name: amount for name, amount in amounts.items() if amount > 0}


def migration(entry: Json) -> model.Migration:
    source, dest = entry.get("source_compute"), entry.get("dest_compute")
    return model.Migration(
        id=int(entry["id"]),
        instance=model.InstanceId(entry["instance_uuid"]),
        kind=entry["migration_type"] or "",
        status=entry["status"] or "",
        source=model.HostName(source) if source else None,
        dest=model.HostName(dest) if dest else None,
        created_at=timestamp(entry.get("created_at")),
        updated_at=timestamp(entry.get("updated_at")),
    )
