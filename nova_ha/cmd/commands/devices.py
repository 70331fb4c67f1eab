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

"""Which hosts could not be fenced, by the latest checks: for all that shows
it."""

from collections.abc import Iterator, Mapping
from typing import Any

from nova_ha.assembly.operator import Picture
from nova_ha.cmd import render
from nova_ha.core import model
from nova_ha.core.model import HostName


def fenceable(picture: Picture) -> Mapping[HostName, model.HostRecord]:
    """The enrolled hosts that may be fenced at all, sorted."""
    return {
        host: known.record
        for host, known in sorted(picture.hosts.items())
        if known.record is not None and not known.record.protected
    }


def without(picture: Picture) -> Mapping[HostName, str]:
    """Hosts without a working device, and why."""
    return {
        host: why
        for host, record in fenceable(picture).items()
        if (why := _why(record))
    }


def _why(record: model.HostRecord) -> str:
    health = record.fencing
    if health is None or health.fenceable:
        return ""
    failing = (
        f"{name}: {one}" for name, one in sorted(health.failing.items())
    )
    return health.problem or "; ".join(failing) or "no level could"


def barred(picture: Picture) -> Iterator[tuple[HostName, str, model.Bar]]:
    """Barred devices, by host."""
    for host, record in fenceable(picture).items():
        for device, bar in sorted(record.barred.items()):
            yield host, device, bar


def unchecked(picture: Picture) -> list[HostName]:
    """Hosts whose devices no engine has asked yet."""
    return [
        host
        for host, record in fenceable(picture).items()
        if record.fencing is None
    ]


def line(picture: Picture) -> str:
    """All of it in one line."""
    parts = []
    hosts = without(picture)
    if hosts:
        parts.append(f"NO WORKING DEVICE: {render.names(hosts)}")
    bars = [f"{device} of {host}" for host, device, _ in barred(picture)]
    if bars:
        parts.append(f"BARRED: {render.names(bars)}")
    others = [
        f"{device} of {host}"
        for host, record in fenceable(picture).items()
        if record.fencing is not None and host not in hosts
        for device in record.fencing.failing
        if device not in record.barred
    ]
    if others:
        parts.append(f"failing beside one that works: {render.names(others)}")
    new = unchecked(picture)
    if new:
        parts.append(f"{len(new)} hosts not checked yet")
    return "; ".join(parts) or "every host has a working device"


def word(record: model.HostRecord | None) -> str:
    """One host in a word; empty where there is nothing to say."""
    if record is None or record.protected or record.fencing is None:
        return "BARRED" if record is not None and record.barred else ""
    if not record.fencing.fenceable:
        return "NONE WORKS"
    if record.barred:
        return "BARRED"
    return "partly" if record.fencing.failing else "ok"


def data(picture: Picture) -> dict[str, Any]:
    """All of it as one object."""
    return {
        "without_device": [
            {"host": host, "why": why}
            for host, why in without(picture).items()
        ],
        "failing": [
            {"host": host, "device": device, "why": why}
            for host, record in fenceable(picture).items()
            if record.fencing is not None
            for device, why in sorted(record.fencing.failing.items())
        ],
        "barred": [
            {
                "host": host,
                "device": device,
                "reason": bar.reason,
                "since": render.instant(bar.since),
            }
            for host, device, bar in barred(picture)
        ],
        "not_checked": unchecked(picture),
    }


def of_record(record: model.HostRecord) -> dict[str, Any]:
    """What is known of one host's devices, as one object."""
    health = record.fencing
    return {
        "fenceable": None if health is None else health.fenceable,
        "since": None if health is None else render.instant(health.since),
        "problem": "" if health is None else health.problem,
        "failing": []
        if health is None
        else [
            f"{name}: {one}" for name, one in sorted(health.failing.items())
        ],
        "barred": [
            f"{device}: {bar.reason}, since {render.utc(bar.since)}"
            for device, bar in sorted(record.barred.items())
        ],
    }
