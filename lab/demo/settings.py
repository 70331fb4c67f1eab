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

"""What the environment asks of the demo."""

import dataclasses
import os
import pathlib

from lab import host
from lab import process

STATE = process.REPOSITORY / ".lab" / "demo"
OUT = process.REPOSITORY / "demo-out"

INJECTIONS = ("", "double-start")

REFERENCE_FROM = 30
"""With this many instances, a bare script evacuates them too, for the
ratio."""


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """``DEMO_*`` in the environment."""

    hosts: int = 4
    instances: int = 12
    inject: str = ""
    reference: bool = False

    @classmethod
    def from_environment(cls) -> "Settings":
        """:raises lab.process.LabError: a value makes no sense."""
        hosts = _number("DEMO_HOSTS", 4, least=3)
        instances = _number("DEMO_INSTANCES", 12, least=1)
        inject = os.environ.get("DEMO_INJECT", "")
        if inject not in INJECTIONS:
            raise process.LabError(
                f"DEMO_INJECT={inject} is not known; there is "
                + ", ".join(filter(None, INJECTIONS))
            )
        wanted = os.environ.get("DEMO_REFERENCE", "")
        reference = wanted == "1" or (
            wanted == "" and instances >= REFERENCE_FROM
        )
        return cls(hosts, instances, inject, reference)

    def specs(self) -> list[host.HostSpec]:
        """All but the last host have an IPMI device, that one Redfish."""
        names = [f"cmp{number}" for number in range(1, self.hosts + 1)]
        return [
            host.HostSpec(name, "redfish" if name == names[-1] else "ipmi")
            for name in names
        ]

    @property
    def state(self) -> pathlib.Path:
        return STATE


def _number(name: str, default: int, least: int) -> int:
    text = os.environ.get(name, "") or str(default)
    if not text.isdecimal() or int(text) < least:
        raise process.LabError(
            f"{name}={text} must be a whole number of at least {least}"
        )
    return int(text)
