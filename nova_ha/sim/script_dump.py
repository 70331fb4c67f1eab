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

"""Writes a script as YAML that :mod:`nova_ha.sim.script_file` reads again.

What is as it would be without saying is not written.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

import yaml

from nova_ha.sim import script

_INTERVALS = {
    "service_poll": "service_poll_interval",
    "fence_poll": "poll_interval",
    "fence_call": "call_timeout",
    "storage_poll": "interval",
}
"""The names of their options."""


def dump(made: script.Script) -> str:
    """The script as a file."""
    document = {
        "cloud": _cloud(made.cloud, made.policy.tick),
        "policy": _policy(made),
        "minutes": _number(made.seconds / 60.0),
        "seed": made.seed,
        "faults": [_fault(one) for one in made.faults],
        "allow": list(made.allow),
        "expect": [_expectation(one) for one in made.expect],
    }
    kept = {key: one for key, one in document.items() if one not in ({}, [])}
    return yaml.safe_dump(kept, sort_keys=False, default_flow_style=None)


def _cloud(cloud: script.Cloud, tick: float) -> dict[str, Any]:
    document: dict[str, Any] = {
        "hosts": _counted(cloud.hosts, "host") or _hosts(cloud.hosts),
        "instances": [_changed(one) for one in cloud.instances],
        "engines": _counted(cloud.engines, "engine")
        or [_changed(one) for one in cloud.engines],
    }
    if cloud.zookeeper != script.ZooKeeperSpec(tick=tick):
        document["zookeeper"] = {
            "members": cloud.zookeeper.members,
            "tick": _number(cloud.zookeeper.tick),
        }
    if not cloud.armed:
        document["armed"] = False
    if cloud.heartbeats:
        document["heartbeats"] = True
    return document


def _counted(
    specs: Iterable[script.HostSpec | script.EngineSpec], kind: str
) -> int:
    """How many there are, if nothing else is to be said of them."""
    listed = list(specs)
    plain = [
        type(one)(name=f"{kind}-{number}")
        for number, one in enumerate(listed, 1)
    ]
    return len(listed) if listed == plain else 0


def _hosts(hosts: Iterable[script.HostSpec]) -> list[dict[str, Any]]:
    found = []
    for host in hosts:
        document = _changed(host)
        document.pop("further_bmcs", None)
        levels = [_changed(bmc) for bmc in host.levels]
        if levels != [{}]:
            document["bmc"] = (
                levels if len(levels) > 1 else levels[0] if levels else "none"
            )
        found.append(document)
    return found


def _changed(one: Any) -> dict[str, Any]:
    """What of a record is not as it is by default."""
    return {
        field.name: _plain(getattr(one, field.name))
        for field in dataclasses.fields(one)
        if getattr(one, field.name) != field.default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float:
    """As an integer where it is one: 30, not 30.0."""
    return int(value) if value == int(value) else value


def _policy(made: script.Script) -> dict[str, Any]:
    document = _changed(made.policy) | _changed(made.policy.rules)
    document.pop("rules", None)
    if "session_timeout" in document:
        # Which it would otherwise follow from.
        document["leader_lease"] = _number(made.policy.leader_lease)
    for name, value in _changed(made.cloud.intervals).items():
        document[_INTERVALS[name]] = value
    return document


def _fault(fault: script.Fault) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if fault.when is None:
        document["at"] = _number(fault.at)
    else:
        document["when"] = _changed(fault.when)
    targets = list(fault.targets)
    document[fault.verb] = (
        None if not targets else targets[0] if len(targets) == 1 else targets
    )
    for name, value in fault.parameters.items():
        document[name] = _plain(value)
    if fault.lasts is not None:
        document["for"] = _number(fault.lasts)
    return document


def _expectation(one: script.Expectation) -> dict[str, Any]:
    if isinstance(one, script.ExpectFenced):
        return {"fenced": list(one.hosts)}
    document = _changed(one)
    document.pop("line", None)
    if isinstance(one, script.ExpectCode):
        document.pop("least", None)
        document.pop("most", None)
        document["min"] = one.least
        if one.most is not None:
            document["max"] = one.most
    return document
