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

"""Which hosts are watched, and which of them must never be fenced."""

import datetime
from collections.abc import Collection

from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import storage

IRONIC = "ironic"
"""Hypervisor type of a nova-compute that has no hypervisor of its own: its
"guests" are other people's machines."""


def wanted(
    view: liveness.HostView,
    service: model.ServiceReport | None,
    engines: Collection[model.Contender],
) -> bool:
    """Whether a host's record has to be written or brought up to date.

    Only a live agent and a nova-compute of the same name enrol a host.
    """
    beacon, record = view.facts.beacon, view.facts.record
    if beacon is None or service is None or not beacon.machine_id:
        return False
    if record is None:
        return True
    return (
        record.machine_id != beacon.machine_id
        or record.system_uuid != beacon.system_uuid
        or record.service_id != service.service_id
        or _proves_other(beacon, record)
        or (not record.protected and bool(protection(beacon, engines)))
    )


def _proves_other(beacon: model.Beacon, record: model.HostRecord) -> bool:
    proven = storage.claimed(beacon)
    return proven is not None and proven != (record.proven_storage or "")


def protection(
    beacon: model.Beacon,
    engines: Collection[model.Contender],
    hypervisor_type: str = "",
) -> str:
    """Why a host must never be fenced; empty if it may be."""
    if hypervisor_type.lower() == IRONIC:
        return "its nova-compute drives ironic nodes, not a hypervisor"
    roles = set(beacon.colocated)
    if any(one.machine_id == beacon.machine_id for one in engines):
        roles.add("engine")
    if roles:
        return "it also runs: " + ", ".join(sorted(roles))
    return ""


def enrol(
    beacon: model.Beacon,
    service: model.ServiceReport,
    engines: Collection[model.Contender],
    hypervisor_type: str,
    now: datetime.datetime,
) -> model.HostRecord:
    """The record of a host, from what its agent and Nova say."""
    return model.HostRecord(
        host=beacon.host,
        machine_id=beacon.machine_id,
        system_uuid=beacon.system_uuid,
        service_id=service.service_id,
        proven_storage=storage.claimed(beacon),
        protected=protection(beacon, engines, hypervisor_type),
        enrolled_at=now,
    )
