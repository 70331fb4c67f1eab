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
"""A fake machine's operating system: starts its units, in order.

``python -m lab.boot DIRECTORY``, by the chassis at each power on. It is to
its units what systemd would be: a unit with a start gate waits for it, and
only a unit that says so is started again when it has ended.
"""

import dataclasses
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
import uuid
from typing import Any

from lab import files
from lab import machine as lab_machine

#: Seconds until an ended unit, or a gate that did not open, is tried again.
RESTART_DELAY = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """One service of a machine.

    :param gate: a command that must succeed before each start.
    :param restart: start it again when it has ended.
    """

    name: str
    argv: list[str]
    gate: list[str] = dataclasses.field(default_factory=list)
    restart: bool = False


def write_units(machine: lab_machine.Machine, units: list[Unit]) -> None:
    """Say what the machine starts at its next boot."""
    files.write_json(
        machine.units, {"units": [dataclasses.asdict(unit) for unit in units]}
    )


def _read_units(machine: lab_machine.Machine) -> list[Unit]:
    entries: list[dict[str, Any]] = files.read_json(machine.units)["units"]
    return [Unit(**entry) for entry in entries]


class _Supervised:
    """A unit and the process that it has at the moment."""

    def __init__(self, machine: lab_machine.Machine, unit: Unit) -> None:
        self.unit = unit
        self._machine = machine
        self._child: subprocess.Popen[bytes] | None = None
        self._at_gate = False
        self._not_before = 0.0
        self._started = False

    def look_after(self) -> None:
        """Do whatever the unit needs now; never waits."""
        if self._child is not None:
            status = self._child.poll()
            if status is not None:
                self._ended(status)
            return
        if self._wanted() and time.monotonic() >= self._not_before:
            self._next()

    def _wanted(self) -> bool:
        if not self._started:
            return True
        return self.unit.restart and self._machine.knobs().restart_agent

    def _next(self) -> None:
        self._at_gate = bool(self.unit.gate)
        self._run(self.unit.gate or self.unit.argv)

    def _ended(self, status: int) -> None:
        self._child = None
        what = "gate" if self._at_gate else "unit"
        _log(f"{what} of {self.unit.name} ended with status {status}")
        if self._at_gate and status == 0:
            self._at_gate = False
            self._run(self.unit.argv)
            return
        self._not_before = time.monotonic() + RESTART_DELAY

    def _run(self, argv: list[str]) -> None:
        _log(f"{self.unit.name}: {shlex.join(argv)}")
        log = self._machine.log / f"{self.unit.name}.log"
        self._child = lab_machine.start_child(argv, log, dict(os.environ))
        if not self._at_gate:
            self._started = True
            pid_file = self._machine.pid_file(self.unit.name)
            files.write(pid_file, f"{self._child.pid}\n")


def _log(text: str) -> None:
    print(f"{time.monotonic():.3f} {text}", flush=True)


def main() -> None:
    """Boot, and look after the units until the power goes."""
    machine = lab_machine.Machine(pathlib.Path(sys.argv[1]))
    # Before the first child, so that its end is never missed.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    for old in machine.run.glob("*.pid"):
        old.unlink()
    boot_id = str(uuid.uuid4())
    files.write(machine.boot_id, f"{boot_id}\n")
    files.write(machine.pid_file("boot"), f"{os.getpid()}\n")
    _log(f"boot {boot_id}")
    supervised = [_Supervised(machine, unit) for unit in _read_units(machine)]
    while True:
        for one in supervised:
            one.look_after()
        signal.sigtimedwait({signal.SIGCHLD}, RESTART_DELAY / 2)


if __name__ == "__main__":
    main()
