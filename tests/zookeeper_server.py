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

"""A ZooKeeper server for tests: on a free loopback port, gone afterwards."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping

JAR = "/usr/share/java/zookeeper.jar"
NETTY = "/usr/share/java/netty-codec.jar"
"""TLS needs more of it than Debian's package of ZooKeeper names."""
CONF = "/etc/zookeeper/conf"


class ZooKeeperServer:
    """One server of its own ensemble, with a tick of ``tick`` seconds.

    ``start`` and ``stop`` may alternate: data and port stay.
    """

    def __init__(
        self,
        tick: float = 0.1,
        whitelist: str = "*",
        more: Mapping[str, object] | None = None,
    ) -> None:
        """:param more: further options of ``zoo.cfg``."""
        self.tick = tick
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nova-ha-zk-"))
        self._socket = reserve()
        self.port: int = self._socket.getsockname()[1]
        self.hosts = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._write_configuration(whitelist, more or {})

    def _write_configuration(
        self, whitelist: str, more: Mapping[str, object]
    ) -> None:
        tick = int(self.tick * 1000)
        lines = (
            f"tickTime={tick}",
            f"minSessionTimeout={2 * tick}",
            "maxSessionTimeout=60000",
            f"dataDir={self.directory}/data",
            f"clientPort={self.port}",
            "clientPortAddress=127.0.0.1",
            "maxClientCnxns=0",
            "admin.enableServer=false",
            f"4lw.commands.whitelist={whitelist}",
            "forceSync=no",
            *(f"{name}={value}" for name, value in more.items()),
        )
        (self.directory / "zoo.cfg").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        self._socket.close()
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    "java",
                    "-Xms32m",
                    "-Xmx128m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    f"{CONF}:{JAR}:{NETTY}",
                    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                    str(self.directory / "zoo.cfg"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, 30, self._why)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(self._why())
        return self.command("ruok") == "imok"

    def _why(self) -> str:
        return (self.directory / "log").read_text()[-2000:]

    def command(self, word: str) -> str:
        """A four-letter word; empty where there is no answer."""
        try:
            with socket.create_connection(
                ("127.0.0.1", self.port), timeout=2
            ) as connection:
                connection.sendall(word.encode())
                parts = iter(lambda: connection.recv(65536), b"")
                return b"".join(parts).decode()
        except OSError:
            return ""

    def freeze(self) -> None:
        """Answers nothing, closes nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Like a crash: clients lose their connection, nothing is lost."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def destroy(self) -> None:
        self.stop()
        self._socket.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def reserve() -> socket.socket:
    """Bind, so that no other test is given the port meanwhile."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def wait_until(
    condition: Callable[[], object],
    timeout: float = 10,
    why: Callable[[], str] | str = "the condition did not come true",
    interval: float = 0.02,
) -> None:
    """Wait for a condition; fail with ``why`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(why() if callable(why) else why)
        time.sleep(interval)
