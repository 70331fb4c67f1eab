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

"""Loopback ports for the life of a cloud."""

import pathlib
import random
import socket

from lab import files
from lab import process

LOOPBACK = "127.0.0.1"
_EPHEMERAL = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


def _candidates() -> range:
    """Ports that the kernel never gives to outgoing connections.

    A port from ``bind(0)`` could be taken by any connection between the
    moment we let go of it and the moment its server binds it.
    """
    try:
        first = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        first = 32768
    return range(max(1024, first - 16384), first)


def listening(port: int) -> bool:
    """Whether something accepts TCP connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


class Ports:
    """Ports by name, kept in a file so that a restart finds them again."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._ports: dict[str, int] = {
            name: int(port) for name, port in files.read_json(path).items()
        }

    def get(self, name: str) -> int:
        """The port of ``name``, found and noted at the first question.

        :raises LabError: when no port is free.
        """
        if name not in self._ports:
            self._ports[name] = self._find()
            files.write_json(self._path, self._ports)
        return self._ports[name]

    def _find(self) -> int:
        candidates = _candidates()
        taken = set(self._ports.values())
        for port in random.sample(candidates, len(candidates)):
            if port not in taken and _is_free(port):
                return port
        raise process.LabError(f"no free port in {candidates}")


def rmcp_ping(port: int, timeout: float = 0.5) -> bool:
    """Whether an IPMI device answers a presence ping (ASF 2.0, 3.2.4.2).

    :param timeout: seconds.
    """
    ping = bytes.fromhex("0600ff06 000011be 80000000")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(timeout)
        try:
            probe.connect((LOOPBACK, port))
            probe.send(ping)
            return bool(probe.recv(64))
        except OSError:
            return False
