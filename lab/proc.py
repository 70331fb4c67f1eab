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

"""What /proc tells about processes: identity, life, markers.

Standard library only and quick to import: BMC scripts run it at each power
request.
"""

import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import threading
import time
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """A process that cannot be mistaken for a later one with its number.

    ``started`` is field 22 of /proc/<pid>/stat (clock ticks since boot).
    """

    pid: int
    started: int

    def alive(self) -> bool:
        """Whether the process exists and is more than a zombie."""
        found = _stat(self.pid)
        return found is not None and found == (self.started, True)

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens when the process is gone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _stat(pid: int) -> tuple[int, bool] | None:
    """(start time, runs) of a process; None when there is none."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="latin-1")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command in parentheses may hold blanks and parentheses itself.
    fields = text.rpartition(")")[2].split()
    return int(fields[19]), fields[0] not in "ZX"


def identify(pid: int) -> Identity | None:
    """The living process with this number, or None."""
    found = _stat(pid)
    if found is None or not found[1]:
        return None
    return Identity(pid, found[0])


def state_letter(identity: Identity) -> str:
    """The one-letter state (R, S, D, T, Z ...); ``X`` when it is gone."""
    if not identity.alive():
        return "X"
    try:
        path = pathlib.Path(f"/proc/{identity.pid}/stat")
        return path.read_text(encoding="latin-1").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def marked(marker: str) -> Iterator[Identity]:
    """Living processes that were started with ``NAME=value`` in their
    environment; this process is left out.

    A child inherits its parent's marker whatever else it does (session,
    group, parent), which makes it the one sure way to find a whole tree.
    """
    wanted = marker.encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        identity = identify(int(entry))
        if identity is None:
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as stream:
                environment = stream.read().split(b"\0")
        except OSError:
            continue
        if wanted in environment:
            yield identity


def signal_marked(marker: str, number: int) -> int:
    """Signal every marked process once; returns how many there were."""
    found = list(marked(marker))
    for identity in found:
        identity.signal(number)
    return len(found)


def kill_marked(marker: str, timeout: float = 5.0) -> int:
    """SIGKILL all marked processes until none is left.

    Returns the number of survivors after ``timeout`` seconds: 0 when all
    are gone. A process that forks while we look is found the next time.
    """
    deadline = time.monotonic() + timeout
    while left := signal_marked(marker, signal.SIGKILL):
        if time.monotonic() > deadline:
            return left
        time.sleep(0.01)
    return 0


def reap_later(child: "subprocess.Popen[bytes]") -> None:
    """Collect a child's exit status whenever it comes: no zombie stays.

    For children that may outlive us: we do not wait for them at our end.
    """
    threading.Thread(
        target=child.wait, name=f"reap-{child.pid}", daemon=True
    ).start()
