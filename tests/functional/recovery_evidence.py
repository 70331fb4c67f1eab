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

"""Raw evidence of a cloud: what nova-api and the BMCs were asked, and when.

All times are seconds on this machine's monotonic clock, so that they can be
compared with each other.
"""

import dataclasses
import json
import pathlib
from typing import Any

from lab import cloud as lab_cloud
from lab import host as lab_host


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A request to nova-api that changes something."""

    started: float
    ended: float
    method: str
    path: str
    action: str
    arguments: dict[str, Any]
    status: int

    @property
    def subject(self) -> str:
        """UUID of the server or the service that it is about."""
        parts = self.path.split("/")
        return parts[-2] if parts[-1] == "action" else parts[-1]

    @property
    def evacuates(self) -> bool:
        return self.action == "evacuate"

    @property
    def forces_down(self) -> bool:
        return self.arguments.get("forced_down") is True


def calls(cloud: lab_cloud.Cloud, since: float = 0.0) -> list[Call]:
    """Requests that came after ``since``, in the order they came."""
    found = [
        Call(
            started=entry["started"],
            ended=entry["ended"],
            method=entry["method"],
            path=entry["path"],
            action=entry["action"] or "",
            arguments=entry["arguments"],
            status=entry["status"] or 0,
        )
        for entry in _lines(cloud.nova_services.call_log)
        if entry["started"] >= since
    ]
    return sorted(found, key=lambda call: call.started)


def transcript(
    host: lab_host.Host, since: float = 0.0
) -> list[dict[str, Any]]:
    """What a host's BMC was asked and answered after ``since``."""
    return [
        entry
        for entry in _lines(host.bmc.controller.transcript)
        if entry["monotonic"] >= since
    ]


def power_offs(host: lab_host.Host, since: float) -> list[float]:
    """When a host's BMC was told to change the power."""
    return [
        entry["monotonic"]
        for entry in transcript(host, since)
        if entry["answer"] == "received"
        and (entry["request"] == "set power 0" or "Reset" in entry["request"])
    ]


def seen_off(host: lab_host.Host, since: float) -> list[float]:
    """When a host's BMC answered that the power is off."""
    return [
        entry["monotonic"]
        for entry in transcript(host, since)
        if entry["answer"] == "power:0" or entry.get("power") == "Off"
    ]


def exposed(cloud: lab_cloud.Cloud) -> list[str]:
    """Files of the cloud that hold the password of a BMC, apart from
    those that it is meant for: logs, ZooKeeper's data, messages, states."""
    passwords = [
        str(host.bmc.device()["password"]).encode() for host in cloud.hosts
    ]
    names = {
        path.relative_to(cloud.state_dir): path
        for path in cloud.state_dir.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    return [
        str(name)
        for name, path in names.items()
        if not _keeps_passwords(name) and _holds(path, passwords)
    ]


def _keeps_passwords(name: pathlib.Path) -> bool:
    return name.name in ("fencing.yaml", "passwords.json") or name.match(
        "hosts/*/bmc/*"
    )


def _holds(path: pathlib.Path, words: list[bytes]) -> bool:
    try:
        content = path.read_bytes()
    except OSError:  # gone since, or no ordinary file
        return False
    return any(word in content for word in words)


def _lines(path: pathlib.Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    # The last line may be half written.
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]
