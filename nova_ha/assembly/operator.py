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

"""What the operator's command works with, and what it is configured with.

:mod:`.tree_store` reads and changes the tree; :mod:`.tree` makes it.
"""

import abc
import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Protocol

from oslo_config import cfg

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import settings as settings_module
from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.core import policy as policy_module
from nova_ha.core.model import HostName
from nova_ha.core.model import record


@record
class Picture:
    """Everything that the tree holds, but the history, at one moment."""

    at: datetime.datetime
    control: model.Control
    contenders: tuple[model.Contender, ...]  # the leader first
    hosts: Mapping[HostName, model.HostFacts]
    verdicts: Mapping[HostName, model.PublishedVerdict]
    cases: Mapping[HostName, model.RecoveryCase]  # the open ones


class Trail(Protocol):
    """What operators did to the power of hosts. An entry is written before
    its deed, and completed after; all methods raise CoordinationUnavailable
    and CoordinationDenied."""

    def begin(self, entry: audit.Entry) -> audit.Entry:
        """Add an entry; returns it as it is kept, to be completed."""

    def end(self, entry: audit.Entry) -> None:
        """Complete an entry with its result."""

    def read(self) -> Sequence[audit.Entry]:
        """All that are kept, the newest first."""


class Store(abc.ABC):
    """What an operator may read and change. All methods raise
    CoordinationUnavailable and CoordinationDenied."""

    @abc.abstractmethod
    def picture(self) -> Picture:
        """Read everything now."""

    @abc.abstractmethod
    def history(self) -> Sequence[model.RecoveryCase]:
        """The closed cases that are kept."""

    @abc.abstractmethod
    def switch(
        self,
        *,
        by: str,
        reason: str,
        armed: bool | None = None,
        paused: bool | None = None,
    ) -> model.Control:
        """Change switches (None leaves one as it is); returns all."""

    @abc.abstractmethod
    def confirm(
        self, case: model.RecoveryCase, *, by: str, comment: str
    ) -> None:
        """Vouch that the host of a case is off.

        :raises CoordinationError: that is not wanted any more.
        """

    @abc.abstractmethod
    def request(
        self, request: model.EvacuationRequest
    ) -> model.EvacuationRequest:
        """Ask the leading engine for an evacuation; replaces an earlier
        request for the same host. Returns the request as it is kept.

        :raises ConfigError: the tree has no place for it yet.
        """

    @abc.abstractmethod
    def requests(self) -> Mapping[HostName, model.EvacuationRequest]:
        """Those that no engine has followed yet, by host."""

    @abc.abstractmethod
    def maintenance(
        self, host: HostName, on: bool, *, by: str, reason: str
    ) -> model.HostRecord:
        """Take a host out or bring it back.

        :raises CoordinationError: it is not enrolled.
        """

    @abc.abstractmethod
    def release(self, host: HostName, *, by: str) -> model.Quarantine | None:
        """Take a host out of quarantine and forget its deaths; returns the
        quarantine, None where there was none. Failed evacuations of its open
        case are decided about: their instances stay on it.

        :raises CoordinationError: it is not enrolled.
        """

    @abc.abstractmethod
    def reserve(self, host: HostName, on: bool) -> model.HostRecord:
        """Keep a host free for evacuated instances, or give it back.

        :raises CoordinationError: it is not enrolled.
        """

    @abc.abstractmethod
    def domains(
        self,
        host: HostName,
        *,
        failure: str | None = None,
        storage: str | None = None,
    ) -> model.HostRecord:
        """Say which failure domain and which storage domain a host belongs
        to; None leaves one as it is, the empty string is none.

        :raises CoordinationError: it is not enrolled.
        """

    @abc.abstractmethod
    def facts(self, host: HostName) -> model.HostFacts:
        """Read one host now."""

    @abc.abstractmethod
    def clear(self, host: HostName, device: str) -> model.Bar | None:
        """Believe a barred device of a host again; returns what it was
        barred for, None where it was not.

        :raises CoordinationError: the host is not enrolled.
        """

    @property
    @abc.abstractmethod
    def trail(self) -> Trail:
        """What operators did to the power of hosts."""

    @abc.abstractmethod
    def close(self) -> None: ...


def policy(conf: cfg.ConfigOpts) -> policy_module.Policy:
    """The engine's numbers that a report needs: the brake's and the soak."""
    return policy_module.Policy(
        small_cloud=conf.engine.small_cloud,
        brake_fraction=conf.engine.brake_fraction,
        brake_window=conf.engine.brake_window,
        soak_time=float(conf.engine.soak_time),
    )


def settings(conf: cfg.ConfigOpts) -> settings_module.Settings:
    """How to reach ZooKeeper as the operator.

    :raises ConfigError: the credentials are missing, or another role's.
    """
    operators_own(conf)
    return settings_module.from_conf(conf)


def engines_settings(conf: cfg.ConfigOpts) -> settings_module.Settings:
    """How an engine reaches ZooKeeper as the operator, beside its own way:
    to write down what operators ask it for on the message bus.

    :raises ConfigError: the operator's password cannot be read.
    """
    option = "[rpc] zookeeper_password_file"
    path = conf.rpc.zookeeper_password_file
    if not path:
        raise exception.ConfigError(
            option,
            "is not set, and [rpc] enabled is",
            "name the file with the password of ZooKeeper's role operator",
        )
    return dataclasses.replace(
        settings_module.from_conf(conf),
        username=acl.Role.OPERATOR.value,
        password=settings_module.read_password(path, option),
    )


def operators_own(conf: cfg.ConfigOpts) -> None:
    """:raises ConfigError: the credentials are another role's."""
    username = conf.zookeeper.username
    if username and username != acl.Role.OPERATOR.value:
        raise exception.ConfigError(
            "[zookeeper] username",
            f"is {username!r}, but this command speaks as the operator",
            "name a --config-file with username = operator and its "
            "password_file, behind the others",
        )
