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

"""Check ``compute_service``: nova-compute runs."""

import pathlib
from collections.abc import Mapping
from typing import Any, Self

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha import ports
from nova_ha.agent import command
from nova_ha.core import model

_PROC = pathlib.Path("/proc")


class ComputeServiceCheck(ports.Check):
    """nova-compute's systemd unit is active, or its process lives."""

    name = "compute_service"

    def __init__(
        self, *, unit: str, pid_file: str = "", deadline: float
    ) -> None:
        """:param unit: systemd unit.
        :param pid_file: looked at instead of the unit if not empty.
        :param deadline: seconds that systemd may take to answer."""
        self._unit = unit
        self._pid_file = pid_file
        self._systemctl = command.Command(
            ["systemctl", "is-active", "--", unit], deadline=deadline
        )

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], clock: nova_clock.Clock
    ) -> Self:
        if not settings["compute_unit"] and not settings["compute_pid_file"]:
            raise exception.ConfigError(
                "[agent] compute_unit",
                "neither it nor compute_pid_file is set",
                "set one of them, or take compute_service out of checks",
            )
        return cls(
            unit=settings["compute_unit"],
            pid_file=settings["compute_pid_file"],
            deadline=settings["check_deadline"],
        )

    def run(self) -> model.CheckResult:
        problem = (
            self._process_problem() if self._pid_file else self._unit_problem()
        )
        return model.CheckResult(
            name=self.name, ok=not problem, detail=problem
        )

    def _unit_problem(self) -> str:
        try:
            status, output = self._systemctl.run()
        except command.CommandFailed as error:
            return f"systemd was not asked about {self._unit}: {error}"
        if status == 0:
            return ""
        return f"{self._unit} is {output.strip() or 'not active'}"

    def _process_problem(self) -> str:
        try:
            text = pathlib.Path(self._pid_file).read_text().strip()
        except OSError as error:
            return f"{self._pid_file} cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            return f"{self._pid_file} is not text"
        if not (text.isascii() and text.isdigit()):
            return f"{self._pid_file} holds no process id"
        if _lives(int(text)):
            return ""
        return f"the process of {self._pid_file} is gone"


def _lives(pid: int) -> bool:
    """Whether a process exists and is more than an unreaped remainder."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (OSError, UnicodeDecodeError):
        return False
    # "pid (name) state ...": the name may hold spaces and parentheses.
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
