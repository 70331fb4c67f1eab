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

"""Runs a program that speaks to a fence device for a driver.

A child process can be killed, whatever it waits for: a hung device costs one
call and nothing else. It gets secrets by its environment or its standard
input, never on its command line, which every user of the machine can read.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from nova_ha import exception


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """What a program left behind that ended by itself in time."""

    code: int
    output: str
    errors: str


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """A program, on behalf of one device.

    :ivar device: its name in ``fencing.yaml``.
    :ivar install: what to install where the program is missing.
    """

    device: str
    install: str

    def run(
        self,
        command: Sequence[str],
        timeout: float,
        environment: Mapping[str, str] | None = None,
        text: str | None = None,
    ) -> Ended:
        """Run it; kill it, with all it started, at the deadline.

        :param command: program and arguments; there is no shell.
        :param timeout: seconds until it is killed.
        :param environment: what it gets beside ``PATH`` and ``LC_ALL``.
        :param text: what it reads from standard input.
        :raises DeviceTimeout: it had to be killed.
        :raises DeviceUnreachable: it cannot be run.
        """
        child = self._start(command, environment or {}, text is not None)
        try:
            output, errors = child.communicate(text, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise exception.DeviceTimeout(
                self.device, f"no answer within {timeout:g} s"
            ) from None
        finally:
            _end(child)
        return Ended(child.returncode, output, errors)

    def _start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        reads: bool,
    ) -> "subprocess.Popen[str]":
        try:
            return subprocess.Popen(  # noqa: S603 - no shell, checked words
                command,
                stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "LC_ALL": "C.UTF-8",
                    **environment,
                },
                start_new_session=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise exception.DeviceUnreachable(
                self.device,
                f"{os.path.basename(command[0])} cannot be run: "
                f"{error.strerror}; install {self.install} on this machine",
            ) from None


def _end(child: "subprocess.Popen[str]") -> None:
    """Make sure that nothing is left of a child.

    One that ended in time, and whose output has come to its end, has no
    children left that could matter.
    """
    streams = (child.stdin, child.stdout, child.stderr)
    opened = [each for each in streams if each and not each.closed]
    if child.poll() is None or opened:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for stream in opened:
        # What it was told and has not read is lost with it.
        with contextlib.suppress(BrokenPipeError):
            stream.close()
