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

"""What the modules of this package share: the place they work in."""

import dataclasses
import os
import pathlib
import pwd
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence

from lab import files
from lab import network
from lab import process

#: Where the environment that we run in keeps its commands.
BIN = pathlib.Path(sys.prefix) / "bin"


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """Directories, ports and secrets of one cloud.

    :param state_dir: absolute; everything of the cloud lies below it.
    """

    state_dir: pathlib.Path
    ports: network.Ports
    passwords: "Passwords"

    @classmethod
    def at(cls, state_dir: pathlib.Path) -> "Site":
        """The site in a directory, new or found again."""
        return cls(
            state_dir,
            network.Ports(state_dir / "ports.json"),
            Passwords(state_dir / "passwords.json"),
        )

    @property
    def etc(self) -> pathlib.Path:
        """Configuration files."""
        return self.state_dir / "etc"

    @property
    def log(self) -> pathlib.Path:
        """Log files."""
        return self.state_dir / "log"

    @property
    def run(self) -> pathlib.Path:
        """Pid files."""
        return self.state_dir / "run"

    @property
    def var(self) -> pathlib.Path:
        """The servers' own data."""
        return self.state_dir / "var"

    @property
    def shared(self) -> pathlib.Path:
        """The storage that all hypervisors share."""
        return self.state_dir / "shared"

    def data(self, name: str) -> pathlib.Path:
        """A server's data directory, made when missing."""
        path = self.var / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def url(self, name: str) -> str:
        """The HTTP address of a service of ours."""
        return f"http://{network.LOOPBACK}:{self.ports.get(name)}"

    def environment(
        self, extra: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Environment for a process of this cloud."""
        return process.environment(self.state_dir, extra)

    def server(
        self,
        name: str,
        argv: Sequence[str | pathlib.Path],
        env: Mapping[str, str] | None = None,
    ) -> process.Process:
        """A process with its files in the usual places."""
        return process.Process(
            name,
            [str(word) for word in argv],
            run_dir=self.run,
            log=self.log / f"{name}.log",
            env=self.environment(env),
        )

    def command(
        self,
        name: str,
        argv: Sequence[str | pathlib.Path],
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command of a service to its end, logged under its name.

        :raises lab.process.LabError: when it fails.
        """
        process.run(
            [str(word) for word in argv],
            log=self.log / f"{name}.log",
            env=self.environment(env),
        )

    def wait_listening(self, waited: process.Process, port: int) -> None:
        """Wait until a server accepts connections.

        :raises lab.process.LabError: when it does not within 60 s.
        """
        process.wait_until(
            lambda: network.listening(port),
            60,
            f"{waited.name} on port {port}",
            waited,
        )


class Passwords:
    """Random passwords by user, kept in a file with mode 600."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._values: dict[str, str] = files.read_json(path)

    def get(self, user: str) -> str:
        """The password of ``user``, made up at the first question."""
        if user not in self._values:
            self._values[user] = secrets.token_hex(12)
            files.write_json(self._path, self._values)
        return self._values[user]


def system_command(name: str, *directories: str) -> pathlib.Path:
    """A command of the system's packages.

    :raises lab.process.LabError: when it is not installed.
    """
    path = ":".join([*directories, "/usr/sbin:/usr/bin:/sbin:/bin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise process.LabError(
            f"{name} is not installed: run lab/system-packages.sh"
        )
    return pathlib.Path(found)


def account() -> str:
    """The user that we run as, for servers that would change theirs."""
    return pwd.getpwuid(os.getuid()).pw_name
