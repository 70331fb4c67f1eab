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

"""What else runs on this machine that must not be powered off.

Published in the beacon; the engine then protects the host: it is never
fenced. All-in-one test clouds would otherwise fence themselves.
"""

import contextlib
import enum
import pathlib
import socket
from collections.abc import Callable, Collection, Iterator

from oslo_log import log as logging

from nova_ha import exception
from nova_ha import ports

LOG = logging.getLogger(__name__)

_PROC = pathlib.Path("/proc")
_CONTROLLER_PROGRAMS = ("nova-conductor", "nova-api")
_ARGUMENTS = 3
"""A program's name is among the first words of its command line: after an
interpreter and its option, or in the title that a WSGI server sets."""


class Role(enum.StrEnum):
    """What a machine may be besides a hypervisor."""

    ENGINE = "engine"
    ZOOKEEPER = "zookeeper"
    CONTROLLER = "controller"


class RoleFinder:
    """Looks for roles, and remembers those it has seen."""

    def __init__(
        self,
        beacons: ports.Beacons,
        machine_id: str,
        *,
        given: Collection[str] | None,
        zookeeper_hosts: str,
        proc: pathlib.Path = _PROC,
    ) -> None:
        """:param given: the roles by configuration; None: look for them.
        :param zookeeper_hosts: ZooKeeper's connect string."""
        self._beacons = beacons
        self._machine_id = machine_id
        self._zookeeper_hosts = zookeeper_hosts
        self._proc = proc
        self._look = given is None
        self._seen = frozenset(given or ())

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted(self._seen))

    def refresh(self) -> bool:
        """Look again; return whether anything new was found.

        A role stays until the agent is restarted: an engine that is just
        being upgraded must not expose its machine.
        """
        if not self._look:
            return False
        new = frozenset(self._find()) - self._seen
        if not new:
            return False
        self._seen |= new
        LOG.warning(
            "This machine also runs: %s. It is therefore protected: it is "
            "never fenced, and its instances are never evacuated. Set "
            "[agent] colocated_services if that is not so",
            ", ".join(sorted(new)),
        )
        return True

    def _find(self) -> Iterator[str]:
        if is_local(self._zookeeper_hosts):
            yield Role.ZOOKEEPER
        if runs_controller(self._proc):
            yield Role.CONTROLLER
        # Last, because it needs ZooKeeper; without it nothing is forgotten.
        with contextlib.suppress(
            exception.CoordinationError, exception.PayloadError
        ):
            if any(
                contender.machine_id == self._machine_id
                for contender in self._beacons.contenders()
            ):
                yield Role.ENGINE


def is_local(
    connect_string: str,
    can_bind: Callable[[int, str], bool] | None = None,
) -> bool:
    """Whether an address of a ZooKeeper connect string is this machine's.

    A name that cannot be resolved is not local.
    """
    can_bind = can_bind or _can_bind
    servers = connect_string.partition("/")[0].split(",")
    for server in filter(None, (server.strip() for server in servers)):
        host = server.rpartition(":")[0] if ":" in server else server
        try:
            found = socket.getaddrinfo(
                host.strip("[]"), None, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            continue
        if any(can_bind(item[0], str(item[4][0])) for item in found):
            return True
    return False


def _can_bind(family: int, address: str) -> bool:
    # Only an address of this machine can be bound to; nothing is opened.
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def runs_controller(proc: pathlib.Path = _PROC) -> bool:
    """Whether nova-conductor or nova-api runs on this machine."""
    for directory in proc.iterdir():
        if not directory.name.isdigit():
            continue
        try:
            line = (directory / "cmdline").read_bytes()
        except OSError:  # ended meanwhile
            continue
        words = line.decode(errors="replace").replace("\0", " ").split()
        for word in words[:_ARGUMENTS]:
            if word.rpartition("/")[2].startswith(_CONTROLLER_PROGRAMS):
                return True
    return False
