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
"""A fake machine: its directory, its power, its operating system.

The processes of a machine, from the outside in:

* the chassis, whose life *is* the power;
* the operating system below it, which supervises its units: the guest
  runner, the agent, and behind its start gate nova-compute.

A crash ends the operating system and leaves the chassis, as a crashed
machine still has power. Power off ends the chassis, and the kernel ends
every process below with it.

Standard library only and quick to import: BMCs run this at each request.
"""

import contextlib
import ctypes
import dataclasses
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from lab import files
from lab import proc

#: Environment variable that marks everything above the chassis.
MARKER = "NOVA_HA_LAB_MACHINE"

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass(frozen=True, slots=True)
class Knobs:
    """What a test may turn while the machine runs (``knobs.json``)."""

    #: Seconds before a guest starts.
    spawn_delay: float = 0.0
    #: "before" or "after": fail a spawn before or after the guest started.
    spawn_failure: str = ""
    #: Whether this host sees the shared storage.
    shared_storage: bool = True
    #: Whether the operating system starts the agent again when it ended.
    restart_agent: bool = True
    #: Resources, read when nova-compute starts.
    vcpus: int = 64
    memory_mb: int = 262144
    disk_gb: int = 4096


class Machine:
    """Paths and state of one machine.

    :param directory: absolute; its name is the Nova service host name.
    """

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.name = directory.name
        self.machine_id = directory / "machine-id"
        self.system_uuid = directory / "product_uuid"
        self.boot_id = directory / "boot_id"
        self.units = directory / "units.json"
        self.run = directory / "run"
        self.log = directory / "log"
        self._knobs = directory / "knobs.json"
        self._chassis = directory / "chassis.json"

    @property
    def marker(self) -> str:
        """``NAME=value`` in the environment of all that runs here."""
        return f"{MARKER}={self.directory}"

    def pid_file(self, unit: str) -> pathlib.Path:
        """Holds the process number of a unit, as text."""
        return self.run / f"{unit}.pid"

    def knobs(self) -> Knobs:
        """The knobs as they are now."""
        return Knobs(**files.read_json(self._knobs))

    def turn(self, **changes: Any) -> None:
        """Change knobs; unknown ones raise TypeError."""
        values = dataclasses.asdict(self.knobs()) | changes
        files.write_json(self._knobs, dataclasses.asdict(Knobs(**values)))

    # Power. A BMC has no other hold on the machine than this.

    def powered(self) -> bool:
        """Whether the machine has power, whatever runs on it."""
        return self.chassis() is not None

    def chassis(self) -> proc.Identity | None:
        """The process whose life is the power; None without power."""
        recorded = self._recorded_chassis()
        return recorded if recorded and recorded.alive() else None

    def power_on(self) -> None:
        """Give it power, and so start a boot; no-op when it has."""
        with self._power_lock():
            if self.powered():
                return
            proc.kill_marked(self.marker)
            self.log.mkdir(parents=True, exist_ok=True)
            with open(self.log / "chassis.log", "ab") as log:
                child = subprocess.Popen(
                    [sys.executable, "-S", "-m", __name__, self.directory],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=0o077,
                )
            identity = proc.identify(child.pid)
            if identity is not None:
                files.write_json(self._chassis, dataclasses.asdict(identity))
            proc.reap_later(child)

    def power_off(self, pid: int | None = None) -> int:
        """Take its power away; returns when nothing runs any more.

        :param pid: do so only if this is still the chassis's process: a
            late power-off is not for a machine that was turned on since.
        :returns: the number of processes that could not be killed: 0.
        """
        with self._power_lock():
            chassis = self.chassis()
            if chassis is not None:
                if pid not in (None, chassis.pid):
                    return 0
            # The chassis last: who reads "off" may rely on it that nothing
            # runs any more.
            if left := proc.kill_marked(self.marker):
                return left
            if chassis is not None:
                _kill_and_wait(chassis)
            return proc.kill_marked(self.marker)

    def _recorded_chassis(self) -> proc.Identity | None:
        value = files.read_json(self._chassis)
        return proc.Identity(**value) if value else None

    @contextlib.contextmanager
    def _power_lock(self) -> Iterator[None]:
        with open(self.directory / "power.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _kill_and_wait(identity: proc.Identity) -> None:
    identity.signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while identity.alive() and time.monotonic() < deadline:
        time.sleep(0.005)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies.

    :param parent: the parent's number, in case that it is dead already.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def start_child(
    argv: list[str], log: pathlib.Path, env: dict[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a process that the kernel kills when this one dies.

    Only for processes with a single thread: the kernel counts the death of
    the thread that started the child.
    """
    parent = os.getpid()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        die_with(parent)

    with open(log, "ab") as stream:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=env,
            preexec_fn=prepare,
        )


def main() -> None:
    """The chassis: boots the machine, and then just has power."""
    machine = Machine(pathlib.Path(sys.argv[1]))
    # What the operating system leaves behind in a crash is reaped here.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    name, _, value = machine.marker.partition("=")
    print(json.dumps({"power": "on", "monotonic": time.monotonic()}))
    start_child(
        [sys.executable, "-S", "-m", "lab.boot", str(machine.directory)],
        machine.log / "boot.log",
        dict(os.environ) | {name: value},
    )
    while True:
        try:
            os.wait()
        except ChildProcessError:
            signal.pause()


if __name__ == "__main__":
    main()
