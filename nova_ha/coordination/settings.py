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

"""How to reach ZooKeeper, checked before the first connection."""

import dataclasses
import os
import stat
from collections.abc import Sequence

from oslo_config import cfg

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.core import model

_TOO_OPEN = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of ``[zookeeper]``, with the password at hand.

    :raises ConfigError: they contradict each other, or name files that
        cannot be used. ``section`` is what the options are called in the
        error.
    """

    hosts: str
    namespace: str = "default"
    session_timeout: float = 10.0
    connect_timeout: float = 15.0
    username: str = ""
    password: str = dataclasses.field(default="", repr=False)
    host_username: str = ""
    host_password: str = dataclasses.field(default="", repr=False)
    """Of an agent's second credential, which is its host's own."""
    use_ssl: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify: bool = True
    section: str = "[zookeeper] "

    def __post_init__(self) -> None:
        if not self.hosts.strip():
            self._refuse("hosts", "empty", "name at least one server")
        if not self.username or not self.password:
            self._refuse(
                "username",
                "there are no credentials",
                "set username to the role of this process and password_file "
                "to the file with its password",
            )
        if ":" in self.username:
            self._refuse("username", "contains a colon", "")
        for option in ("ca_file", "cert_file", "key_file"):
            path = getattr(self, option)
            if path and not os.access(path, os.R_OK):
                self._refuse(option, f"{path} cannot be read", "")
        if bool(self.cert_file) != bool(self.key_file):
            self._refuse(
                "cert_file", "set without key_file, or the reverse", ""
            )

    @property
    def credentials(self) -> Sequence[tuple[str, str]]:
        """User and password of each credential that the session has."""
        role = (self.username, self.password)
        if not self.host_username:
            return (role,)
        return (role, (self.host_username, self.host_password))

    def _refuse(self, option: str, problem: str, remedy: str) -> None:
        raise exception.ConfigError(self.section + option, problem, remedy)


def read_password(path: str, option: str) -> str:
    """Return the secret that a file holds, without its last newline.

    :param option: the option that names the file, for the error.
    :raises ConfigError: it cannot be read, is empty, or others can read it.
    """
    try:
        with open(path, encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise exception.ConfigError(option, f"{path}: {reason}") from None
    if mode & _TOO_OPEN:
        raise exception.ConfigError(
            option,
            f"{path} is open to others (mode {stat.S_IMODE(mode):o})",
            f"chmod 640 {path}",
        )
    if not secret or "\n" in secret:
        raise exception.ConfigError(
            option, f"{path} must hold one line: the password"
        )
    return secret


def from_conf(conf: cfg.ConfigOpts) -> Settings:
    """Return the settings of group ``[zookeeper]``.

    :raises ConfigError:
    """
    group = conf.zookeeper
    password = group.password or ""
    if group.password_file:
        password = read_password(
            group.password_file, "[zookeeper] password_file"
        )
    return Settings(
        hosts=group.hosts,
        namespace=group.namespace,
        session_timeout=group.session_timeout,
        connect_timeout=group.connect_timeout,
        username=group.username or "",
        password=password,
        use_ssl=group.use_ssl,
        ca_file=group.ca_file,
        cert_file=group.cert_file,
        key_file=group.key_file,
        verify=group.verify,
    )


def for_agent(conf: cfg.ConfigOpts, host: model.HostName) -> Settings:
    """Return the settings of a host's agent, with its own credential.

    :raises ConfigError:
    """
    settings = from_conf(conf)
    path = conf.zookeeper.host_password_file
    if not path:
        return settings
    return dataclasses.replace(
        settings,
        host_username=acl.host_user(host),
        host_password=read_password(path, "[zookeeper] host_password_file"),
    )
