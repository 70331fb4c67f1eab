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
call and nothing else, and neither does a program that prints without end. It
gets secrets by its environment or its standard input, never on its command
line, which every user of the machine can read.
"""

import contextlib
import dataclasses
import os
import selectors
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from nova_ha import clock as clock_module
from nova_ha import exception

MAX_OUTPUT = 2**20
"""Bytes that a program may print in one call, output and errors together:
some 30 times what the most talkative fence agent says of itself."""

_CHUNK = 2**15  # bytes read at once

# A child lives in real time, whatever the clock of its caller shows.
_CLOCK = clock_module.SystemClock()


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
        :raises DeviceProtocolError: it prints more than MAX_OUTPUT, and was
            killed.
        :raises DeviceUnreachable: it cannot be run.
        """
        with _memory(text or "") as told:
            child = self._start(command, environment or {}, told)
        try:
            output, errors = _heard(child, timeout)
        except subprocess.TimeoutExpired:
            raise exception.DeviceTimeout(
                self.device, f"no answer within {timeout:g} s"
            ) from None
        except _TooMuchError:
            raise exception.DeviceProtocolError(
                self.device,
                f"{os.path.basename(command[0])} prints more than "
                f"{MAX_OUTPUT} bytes and has been killed",
            ) from None
        finally:
            _end(child)
        return Ended(child.returncode, output, errors)

    def _start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        told: IO[bytes],
    ) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(  # noqa: S603 - no shell, checked words
                command,
                stdin=told,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "LC_ALL": "C.UTF-8",
                    **environment,
                },
                start_new_session=True,
            )
        except OSError as error:
            raise exception.DeviceUnreachable(
                self.device,
                f"{os.path.basename(command[0])} cannot be run: "
                f"{error.strerror}; install {self.install} on this machine",
            ) from None


class _TooMuchError(Exception):
    """The child prints more than is kept."""


@contextlib.contextmanager
def _memory(text: str) -> Iterator[IO[bytes]]:
    """A file in memory, to be read from its beginning: unlike a pipe it
    takes any text at once, whether or not the child reads it."""
    with open(os.memfd_create("input"), "w+b") as file:
        file.write(text.encode(errors="surrogateescape"))
        file.seek(0)
        yield file


def _heard(
    child: "subprocess.Popen[bytes]", timeout: float
) -> tuple[str, str]:
    """Output and errors of a child that closes both, and ends.

    ``Popen.communicate`` would keep them without bound.

    :raises TimeoutExpired: it has not ended within ``timeout`` seconds.
    :raises _TooMuchError:
    """
    deadline = _CLOCK.monotonic() + timeout
    output, errors = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, said in ((child.stdout, output), (child.stderr, errors)):
            if stream is not None:  # as both are: pipes
                selector.register(stream, selectors.EVENT_READ, (stream, said))
        while selector.get_map():
            left = deadline - _CLOCK.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(child.args, timeout)
            for key, _ in selector.select(left):
                _read(key, selector)
            if len(output) + len(errors) > MAX_OUTPUT:
                raise _TooMuchError
    child.wait(max(0.0, deadline - _CLOCK.monotonic()))
    return _text(output), _text(errors)


def _read(
    key: selectors.SelectorKey, selector: selectors.BaseSelector
) -> None:
    """Take what is there; close a stream that has come to its end."""
    stream, said = key.data
    chunk = os.read(key.fd, _CHUNK)
    said.extend(chunk)
    if not chunk:
        selector.unregister(stream)
        stream.close()


def _text(said: bytearray) -> str:
    """With the ends of lines that patterns expect."""
    text = said.decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Make sure that nothing is left of a child.

    One that ended in time, and whose output has come to its end, has no
    children left that could matter.
    """
    streams = (child.stdout, child.stderr)
    opened = [each for each in streams if each and not each.closed]
    if child.poll() is None or opened:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for stream in opened:
        stream.close()
