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

"""ZooKeeper, alone or as an ensemble."""

import pathlib
import socket

from lab import files
from lab import network
from lab import process
from lab.services import base

JAR = pathlib.Path("/usr/share/java/zookeeper.jar")


class ZooKeeper:
    """The members, numbered from 1.

    :param members: 1, or an odd number for an ensemble with a quorum.
    """

    def __init__(self, site: base.Site, members: int = 1) -> None:
        self._site = site
        self.members = [
            self._member(number) for number in range(1, members + 1)
        ]

    @property
    def hosts(self) -> str:
        """A connection string that names every member."""
        return ",".join(
            f"{network.LOOPBACK}:{self._port('client', number)}"
            for number in range(1, len(self.members) + 1)
        )

    def _port(self, kind: str, number: int) -> int:
        return self._site.ports.get(f"zookeeper-{kind}-{number}")

    def _member(self, number: int) -> process.Process:
        java = base.system_command("java")
        etc = self._site.etc / f"zookeeper-{number}"
        return self._site.server(
            f"zookeeper-{number}",
            # A small heap and no optimizing compiler: it starts in half a
            # second and stays at 60 MiB.
            f"{java} -Xms32m -Xmx96m -XX:+UseSerialGC "
            f"-XX:TieredStopAtLevel=1 -cp {etc}:{JAR} "
            "org.apache.zookeeper.server.quorum.QuorumPeerMain "
            f"{etc}/zoo.cfg".split(" "),
        )

    def _configure(self, number: int) -> None:
        data = self._site.data(f"zookeeper-{number}")
        options = {
            # Sessions of 1 to 60 s may be asked for.
            "tickTime": 500,
            "minSessionTimeout": 1000,
            "maxSessionTimeout": 60000,
            "dataDir": data,
            "clientPort": self._port("client", number),
            "clientPortAddress": network.LOOPBACK,
            "maxClientCnxns": 0,
            "admin.enableServer": "false",
            "4lw.commands.whitelist": "*",
            # Nothing here has to survive a power cut of this machine.
            "forceSync": "no",
        }
        if len(self.members) > 1:
            options |= {"initLimit": 20, "syncLimit": 10}
            for other in range(1, len(self.members) + 1):
                quorum = self._port("quorum", other)
                election = self._port("election", other)
                options[f"server.{other}"] = (
                    f"{network.LOOPBACK}:{quorum}:{election}"
                )
            files.write(data / "myid", f"{number}\n")
        files.write(
            self._site.etc / f"zookeeper-{number}" / "zoo.cfg",
            "".join(f"{name}={value}\n" for name, value in options.items()),
        )

    def start(self) -> None:
        """Start the members that do not run; wait until all serve.

        :raises lab.process.LabError: when one does not.
        """
        for number, member in enumerate(self.members, 1):
            if not member.alive():
                self._configure(number)
                member.start()
        for number, member in enumerate(self.members, 1):
            port = self._port("client", number)
            process.wait_until(
                lambda port=port: serves(port),  # type: ignore[misc]
                30,
                f"{member.name} to serve clients",
                member,
            )

    def leader(self) -> process.Process | None:
        """The member that leads the ensemble; None while there is none."""
        for number, member in enumerate(self.members, 1):
            if b"Mode: leader" in _about(self._port("client", number)):
                return member
        return None

    def stop(self) -> None:
        """Stop every member (all sessions lose their connection)."""
        for member in self.members:
            member.stop()


def serves(port: int) -> bool:
    """Whether a member is in a quorum and takes sessions."""
    return b"Mode:" in _about(port)


def _about(port: int) -> bytes:
    try:
        with socket.create_connection((network.LOOPBACK, port), 1) as stream:
            stream.settimeout(1)
            stream.sendall(b"srvr")
            return b"".join(iter(lambda: stream.recv(4096), b""))
    except OSError:
        return b""
