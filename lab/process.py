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

"""Processes of the lab: start, watch, stop, and find again by pid file."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from lab import files
from lab import proc

#: Environment variable that marks every process of one cloud.
CLOUD_MARKER = "NOVA_HA_LAB_CLOUD"

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


class LabError(Exception):
    """The lab could not do what it was asked; the text says why."""


def log_tail(path: pathlib.Path, lines: int = 15) -> str:
    """The last lines of a log, indented, for error messages."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "    (no log was written)"
    tail = text.splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in tail) or "    (empty log)"


def wait_until(
    condition: Callable[[], object],
    timeout: float,
    what: str,
    process: "Process | None" = None,
    interval: float = 0.05,
) -> None:
    """Wait until ``condition`` is true.

    :param timeout: seconds.
    :param what: what is waited for, to complete "gave up waiting for ...".
    :param process: the process that should bring it about; when it ends
        first there is nothing left to wait for.
    :raises LabError: with the end of the process's log.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        ended = process is not None and not process.alive()
        if not ended and time.monotonic() < deadline:
            time.sleep(interval)
            continue
        reason = "its process ended" if ended else f"{timeout:g} s went by"
        message = f"gave up waiting for {what}: {reason}"
        if process is not None:
            message += f"; end of {process.log}:\n{log_tail(process.log)}"
        raise LabError(message)


def environment(
    state_dir: pathlib.Path, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What a process of the cloud in ``state_dir`` sees."""
    result = {
        name: value
        for name, value in os.environ.items()
        # An operator's own cloud must not leak into this one.
        if not name.startswith(("OS_", "RABBITMQ_", "PYTHON"))
    }
    result.update(
        {
            CLOUD_MARKER: str(state_dir),
            "PYTHONPATH": str(REPOSITORY),
            # No caches that only we can read in somebody's work tree.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
            # Titles of Nova's processes must not be written over the mark.
            "SPT_NOENV": "1",
        }
    )
    result.update(extra or {})
    return result


class Process:
    """One server with a log file and a pid file of its own.

    It leads its own session, so that a Ctrl-C meant for the caller does not
    reach it, and survives the caller.

    :param run_dir: where ``<name>.pid`` goes.
    :param log: appended to.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        run_dir: pathlib.Path,
        log: pathlib.Path,
        env: Mapping[str, str],
        cwd: pathlib.Path = REPOSITORY,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.log = log
        self._pid_file = run_dir / f"{name}.pid"
        self._env = dict(env)
        self._cwd = cwd

    def start(self) -> None:
        """Start it.

        :raises LabError: when it runs already or cannot be executed.
        """
        if self.alive():
            raise LabError(f"{self.name} runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            try:
                child = subprocess.Popen(
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    cwd=self._cwd,
                    start_new_session=True,
                    umask=0o077,
                )
            except OSError as error:
                raise LabError(f"cannot start {self.name}: {error}") from error
        proc.reap_later(child)
        identity = proc.identify(child.pid)
        if identity is not None:
            files.write_json(
                self._pid_file,
                {"pid": identity.pid, "started": identity.started},
            )

    def identity(self) -> proc.Identity | None:
        """The recorded process, dead or alive."""
        return read_pid_file(self._pid_file)

    def alive(self) -> bool:
        """Whether the recorded process runs (a frozen one does)."""
        identity = self.identity()
        return identity is not None and identity.alive()

    def signal(self, number: int) -> None:
        """Send a signal to the process and all of its group."""
        identity = self.identity()
        if identity is not None and identity.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(identity.pid, number)

    def freeze(self) -> None:
        """Stop it in its tracks (SIGSTOP)."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL the group and wait until the process is gone."""
        self.signal(signal.SIGKILL)
        wait_until(lambda: not self.alive(), 10, f"the end of {self.name}")

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end; kill it when it has not within ``grace`` s."""
        self.thaw()
        self.signal(signal.SIGTERM)
        with contextlib.suppress(LabError):
            wait_until(lambda: not self.alive(), grace, self.name)
        self.kill()
        self._pid_file.unlink(missing_ok=True)


def read_pid_file(path: pathlib.Path) -> proc.Identity | None:
    """The process that a pid file of ours names; None when unreadable."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return proc.Identity(int(value["pid"]), int(value["started"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def kill_recorded(run_dir: pathlib.Path) -> None:
    """SIGKILL whatever the pid files in a directory name, with its group.

    A number that belongs to another process by now is left alone.
    """
    for path in run_dir.glob("*.pid"):
        identity = read_pid_file(path)
        if identity is not None and identity.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(identity.pid, signal.SIGKILL)


def run(
    argv: Sequence[str],
    *,
    log: pathlib.Path,
    env: Mapping[str, str],
    timeout: float = 120.0,
) -> None:
    """Run a command to its end, its output appended to ``log``.

    :raises LabError: when it fails or takes longer than ``timeout`` s.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    name = pathlib.Path(argv[0]).name
    with open(log, "ab") as stream:
        try:
            done = subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=REPOSITORY,
                timeout=timeout,
                check=False,
                umask=0o077,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LabError(f"{name}: {error}") from error
    if done.returncode != 0:
        raise LabError(
            f"{name} answered {done.returncode}; end of {log}:\n"
            f"{log_tail(log)}"
        )
