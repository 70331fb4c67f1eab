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
"""How a BMC misbehaves, and what it notes. Standard library only."""

import dataclasses
import datetime
import json
import pathlib
import subprocess
import sys
import time
from typing import Any

from lab import files
from lab import machine as lab_machine
from lab import proc

#: Seconds between an accepted power-off and the power going: a device that
#: obeys at once. Real ones take up to 11; a test turns it up.
OFF_DELAY = 0.3


@dataclasses.dataclass(frozen=True, slots=True)
class Faults:
    """``faults.json`` of a BMC, read at each request.

    :param mode: "" for none; "ignore": accepts a power change and does
        nothing; "refuse": answers it with an error; "lie": reads off after
        a power-off that it never did.
    :param off_delay: seconds.
    """

    mode: str = ""
    off_delay: float = OFF_DELAY

    def __post_init__(self) -> None:
        if self.mode not in ("", "ignore", "refuse", "lie"):
            raise ValueError(f"no such fault: {self.mode}")


class Controller:
    """What a BMC does to its machine: the same for every protocol.

    :param directory: the BMC's own, in the machine's.
    """

    def __init__(self, directory: pathlib.Path) -> None:
        self.machine = lab_machine.Machine(directory.parent)
        self.transcript = directory / "transcript.jsonl"
        self._faults = directory / "faults.json"
        self._said_off = directory / "said-off"

    def faults(self) -> Faults:
        """The faults as they are now."""
        return Faults(**files.read_json(self._faults))

    def set_faults(self, faults: Faults) -> None:
        """Misbehave like this from now on."""
        self._said_off.unlink(missing_ok=True)
        files.write_json(self._faults, dataclasses.asdict(faults))

    def read_power(self) -> bool:
        """What the BMC says about the power."""
        if self.faults().mode == "lie" and self._said_off.exists():
            return False
        return self.machine.powered()

    def change_power(self, verb: str) -> bool:
        """Act on "on", "off", "cycle" or "reset".

        Power goes after a while, as it does on real devices; it comes at
        once.

        :returns: whether the request is accepted.
        """
        faults = self.faults()
        if faults.mode == "refuse":
            return False
        if faults.mode == "lie" and verb == "off":
            self._said_off.touch()
        elif faults.mode == "" and verb == "on":
            self._give()
        elif faults.mode == "":
            self._later(verb, faults.off_delay)
        return True

    def _give(self) -> None:
        if not self.machine.powered():
            self.machine.power_on()
            self.note("machine", "powered on")

    def _later(self, verb: str, delay: float) -> None:
        """Have the power cut by a process that whoever asked us does not
        wait for, and that a hung or dying BMC does not hold up."""
        chassis = self.machine.chassis()
        if chassis is None:
            return
        arguments = (self.transcript.parent, verb, chassis.pid, delay)
        child = subprocess.Popen(
            [sys.executable, "-S", "-m", __name__, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        proc.reap_later(child)

    def cut(self, verb: str, pid: int, delay: float) -> None:
        """Take the power away after ``delay`` seconds; give it back unless
        the verb is "off".

        :param pid: the chassis's process when the request came.
        """
        time.sleep(delay)
        left = self.machine.power_off(pid)
        self.note("machine", "powered off", survivors=left)
        if verb != "off":
            self._give()

    def note(self, request: str, answer: str, **more: Any) -> None:
        """Add a line to the transcript."""
        entry = {
            "utc": datetime.datetime.now(datetime.UTC).isoformat(),
            "monotonic": round(time.monotonic(), 4),
            "host": self.machine.name,
            "request": request,
            "answer": answer,
        } | more
        with open(self.transcript, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    _controller = Controller(pathlib.Path(sys.argv[1]))
    _controller.cut(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
