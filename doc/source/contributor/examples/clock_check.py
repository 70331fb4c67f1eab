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

"""Check that the clock of the hypervisor is set by somebody (an example)."""

import subprocess
from collections.abc import Mapping
from typing import Any, Self

from nova_ha import clock as nova_clock
from nova_ha import ports
from nova_ha.core import model

_ASK = ("timedatectl", "show", "--property=NTPSynchronized", "--value")


class ClockCheck(ports.Check):
    """systemd says that the clock is synchronized."""

    name = "clock"

    def __init__(self, deadline: float) -> None:
        """:param deadline: seconds."""
        self._deadline = deadline

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], clock: nova_clock.Clock
    ) -> Self:
        return cls(settings["check_deadline"])

    def run(self) -> model.CheckResult:
        detail = ""
        try:
            answer = subprocess.run(
                _ASK,
                capture_output=True,
                text=True,
                check=True,
                timeout=self._deadline,
            )
            if answer.stdout.strip() != "yes":
                detail = "the clock is not synchronized"
        except (OSError, subprocess.SubprocessError) as error:
            detail = f"timedatectl does not tell: {error}"
        return model.CheckResult(name=self.name, ok=not detail, detail=detail)
