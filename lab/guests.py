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
"""The guests of a fake machine, which really write to shared storage.

One runner a machine stands for its qemu processes: it survives the death of
nova-compute and dies with the machine. For each running guest it appends a
line to the guest's journal on the shared storage, five times a second; who
wrote when is what :mod:`lab.witness` judges by.

A journal line: monotonic time (s), host, boot id, run id, number, blanks
between them.

    python -m lab.guests run MACHINE            the runner
    python -m lab.guests list-running MACHINE   UUIDs, one a line
    python -m lab.guests start MACHINE UUID     behind Nova's back
    python -m lab.guests stop MACHINE UUID
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import socket
import socketserver
import struct
import sys
import threading
import time
import uuid
from typing import Any, TextIO

from lab import machine as lab_machine

#: Seconds between two lines of a guest.
BEAT = 0.2
#: Seconds that a runner may take to answer.
PATIENCE = 5.0


class RunnerUnavailable(Exception):
    """The machine's runner does not answer: what runs is not known."""


class Runner:
    """Client of one machine's runner."""

    def __init__(self, machine: lab_machine.Machine) -> None:
        self._address = _address(machine)

    def running(self) -> list[str]:
        """UUIDs of the guests that run there.

        :raises RunnerUnavailable:
        """
        answer = self._ask({"do": "list"})
        return [str(guest) for guest in answer["running"]]

    def start(self, guest: str) -> None:
        """Start a guest; returns when it has written its first line.

        :raises RunnerUnavailable:
        """
        self._ask({"do": "start", "guest": guest})

    def stop(self, guest: str) -> None:
        """Stop a guest; returns when it has written its last line.

        :raises RunnerUnavailable:
        """
        self._ask({"do": "stop", "guest": guest})

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(PATIENCE)
                stream.connect(self._address)
                stream.sendall(json.dumps(question).encode() + b"\n")
                with stream.makefile("rb") as answers:
                    answer = json.loads(answers.readline() or b"{}")
        except (OSError, ValueError) as error:
            raise RunnerUnavailable(str(error)) from error
        if not answer.get("ok"):
            raise RunnerUnavailable(answer.get("error", "no answer"))
        return dict(answer)


def _address(machine: lab_machine.Machine) -> str:
    """An abstract socket: gone with the process, and never too long."""
    digest = hashlib.sha256(str(machine.directory).encode()).hexdigest()
    return f"\0nova-ha-lab-{digest[:32]}"


@dataclasses.dataclass(slots=True)
class _Guest:
    """A guest that runs."""

    run: str
    journal: TextIO
    lines: int = 0


class _Guests:
    """The running guests and their writer."""

    def __init__(
        self, machine: lab_machine.Machine, journals: pathlib.Path
    ) -> None:
        self._host = machine.name
        self._boot = machine.boot_id.read_text(encoding="ascii").strip()
        self._journals = journals
        self._guests: dict[str, _Guest] = {}
        self._lock = threading.Lock()

    def running(self) -> list[str]:
        with self._lock:
            return sorted(self._guests)

    def start(self, guest: str) -> None:
        path = self._journals / f"{uuid.UUID(guest)}.journal"
        with self._lock:
            if guest not in self._guests:
                journal = path.open("a", encoding="ascii", buffering=1)
                self._guests[guest] = _Guest(uuid.uuid4().hex[:8], journal)
                self._write(self._guests[guest])

    def stop(self, guest: str) -> None:
        with self._lock:
            stopped = self._guests.pop(guest, None)
            if stopped is not None:
                self._write(stopped)
                stopped.journal.close()

    def beat(self) -> None:
        """Let every guest write a line."""
        with self._lock:
            for guest in self._guests.values():
                self._write(guest)

    def _write(self, guest: _Guest) -> None:
        # One write of one line: another host's guest appends to the same
        # file when things go wrong, and both must stay readable.
        guest.lines += 1
        guest.journal.write(
            f"{time.monotonic():.4f} {self._host} {self._boot} "
            f"{guest.run} {guest.lines}\n"
        )


class _Handler(socketserver.StreamRequestHandler):
    """Answers one question."""

    guests: _Guests

    def handle(self) -> None:
        try:
            answer = self._answer(json.loads(self.rfile.readline()))
        except (ValueError, KeyError, OSError) as error:
            answer = {"ok": False, "error": str(error)}
        self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _answer(self, question: dict[str, str]) -> dict[str, object]:
        if not _is_us(self.request):
            return {"ok": False, "error": "not your machine"}
        verb = question["do"]
        if verb == "list":
            return {"ok": True, "running": self.guests.running()}
        act = {"start": self.guests.start, "stop": self.guests.stop}[verb]
        act(question["guest"])
        return {"ok": True}


def _is_us(stream: socket.socket) -> bool:
    """An abstract socket has no file mode: look who is calling."""
    size = struct.calcsize("3i")
    raw = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return bool(struct.unpack("3i", raw)[1] == os.getuid())


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def _run(machine: lab_machine.Machine) -> int:
    journals = machine.directory.parent.parent / "shared" / "guests"
    guests = _Guests(machine, journals)
    _Handler.guests = guests
    server = _Server(_address(machine), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        guests.beat()
        time.sleep(BEAT)


def main(arguments: list[str]) -> int:
    """Run, list, start or stop; returns the exit status."""
    verb, machine = (
        arguments[0],
        lab_machine.Machine(pathlib.Path(arguments[1])),
    )
    if verb == "run":
        return _run(machine)
    runner = Runner(machine)
    try:
        if verb == "list-running":
            sys.stdout.writelines(f"{one}\n" for one in runner.running())
        elif verb == "start":
            runner.start(arguments[2])
        elif verb == "stop":
            runner.stop(arguments[2])
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except RunnerUnavailable as error:
        print(f"{machine.name}: not known: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
