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

"""Commands with a deadline: no shell, no input, no survivors."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence

_REAP_SECONDS = 1.0
"""How long a killed command may take to vanish before it counts as hung."""


class CommandFailed(Exception):
    """A command could not be run to its end.

    :ivar problem: why; names the program, never its arguments, which may
        hold anything.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class Command:
    """One command line, run again and again; not reentrant."""

    def __init__(self, argv: Sequence[str], *, deadline: float) -> None:
        """:param deadline: seconds."""
        self._argv = list(argv)
        self._deadline = deadline
        self._hung: subprocess.Popen[str] | None = None

    def run(self) -> tuple[int, str]:
        """Run it; return its exit status and standard output.

        :raises CommandFailed: it cannot be started, does not end in time,
            is killed, or an earlier run of it still cannot be killed.
        """
        if self._hung is not None and self._hung.poll() is None:
            # Uninterruptible (a dead NFS server): do not pile up more.
            raise CommandFailed(
                f"an earlier {self._argv[0]} hangs and cannot be killed"
            )
        self._hung = None
        process = self._start()
        try:
            output, _ = process.communicate(timeout=self._deadline)
        except subprocess.TimeoutExpired:
            self._kill(process)
            raise CommandFailed(
                f"no answer within {self._deadline:g} s"
            ) from None
        except UnicodeDecodeError:
            self._kill(process)
            raise CommandFailed(
                f"{self._argv[0]} printed something that is not text"
            ) from None
        if process.returncode < 0:
            raise CommandFailed(
                f"{self._argv[0]} was killed by signal {-process.returncode}"
            )
        return process.returncode, output

    def _start(self) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "LC_ALL": "C"},
                encoding="utf-8",
                # Its own group, so that what it starts ends with it.
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(
                f"cannot run {self._argv[0]}: {error.strerror}"
            ) from error

    def _kill(self, process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdout is not None:
            process.stdout.close()
        try:
            process.wait(timeout=_REAP_SECONDS)
        except subprocess.TimeoutExpired:
            self._hung = process
