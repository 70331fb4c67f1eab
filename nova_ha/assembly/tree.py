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

"""From configuration to the tree itself: to make it, mend it, check it."""

import dataclasses
from collections.abc import Iterable, Mapping

from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.coordination import acl
from nova_ha.coordination import credentials
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import settings as settings_module
from nova_ha.coordination import tree as tree_module
from nova_ha.coordination.credentials import Credential
from nova_ha.core import model

ROLE_OPTION = "--role-password-file"

_NAMED = 10
"""Hosts that a message names."""

_PLACE_OPTIONS = tuple(
    field.name
    for field in dataclasses.fields(settings_module.Settings)
    if "username" not in field.name
    and "password" not in field.name
    and field.name != "section"
)
"""Options of ``[zookeeper]`` that say where it is, not who speaks."""


def init_tree(
    conf: cfg.ConfigOpts, clock: nova_clock.Clock, files: Iterable[str]
) -> tree_module.InitReport:
    """Make the tree, or mend it.

    :param files: ``ROLE=FILE``: where the roles' passwords are. The
        operator's is that of the configuration unless it is among them.
    :raises ConfigError: a role's is missing or cannot be used.
    """
    passwords = _passwords(files)
    own = _init_settings(conf, passwords)
    given = passwords.setdefault(acl.Role.OPERATOR, own.password)
    if given != own.password:
        # The first list that named the new one would shut this session out
        # of the rest.
        raise exception.ConfigError(
            f"{ROLE_OPTION} operator",
            "is not the password in the configuration, and the operator's "
            "own cannot be changed by this command",
            "leave it out, or give the same file",
        )
    ids = acl.identities(passwords)
    paths = paths_module.Paths(own.namespace)
    session = opening.new_session(own, clock)
    try:
        session.start()
        return tree_module.init_tree(session, paths, ids)
    except exception.CoordinationDenied as error:
        raise exception.CoordinationDenied(
            error.path,
            "the tree was made with another operator's password: configure "
            "that one",
        ) from None
    finally:
        session.close()


def _passwords(files: Iterable[str]) -> dict[acl.Role, str]:
    found: dict[acl.Role, str] = {}
    for one in files:
        name, separator, path = one.partition("=")
        try:
            role = acl.Role(name)
        except ValueError:
            role = None
        if role is None or not separator or not path or role in found:
            raise exception.ConfigError(
                ROLE_OPTION,
                f"{one!r:.200} is not ROLE=FILE, or a role's second file",
                f"roles are {', '.join(acl.Role)}",
            )
        found[role] = settings_module.read_password(
            path, f"{ROLE_OPTION} {name}"
        )
    return found


def _init_settings(
    conf: cfg.ConfigOpts, passwords: Mapping[acl.Role, str]
) -> settings_module.Settings:
    """The configured operator; before there is one, the one given."""
    operator.operators_own(conf)
    password = passwords.get(acl.Role.OPERATOR)
    if conf.zookeeper.username or password is None:
        return settings_module.from_conf(conf)
    return settings_module.Settings(
        username=acl.Role.OPERATOR.value,
        password=password,
        **{name: conf.zookeeper[name] for name in _PLACE_OPTIONS},
    )


@dataclasses.dataclass(frozen=True, slots=True)
class TreeReport:
    """A tree that can be used."""

    session_timeout: float
    """Seconds that the ensemble grants."""
    hosts: Mapping[model.HostName, Credential]
    """Whose credential counts for each."""


def check_tree(conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> TreeReport:
    """Refuse a tree that is missing or open to others.

    :raises ConfigError: naming the node and the remedy.
    """
    own = operator.settings(conf)
    paths = paths_module.Paths(own.namespace)
    session = opening.new_session(own, clock)
    try:
        session.start()
        tree_module.check_tree(session, paths)
        tree_module.check_agents(session, paths)
        return TreeReport(
            session.session_timeout, credentials.of_hosts(session, paths)
        )
    finally:
        session.close()


def who_shares(hosts: Mapping[model.HostName, Credential]) -> str:
    """What is to be done about hosts whose agents still share a password;
    empty if there are none."""
    sharing = sorted(
        host for host, kind in hosts.items() if kind is Credential.SHARED
    )
    if not sharing:
        return ""
    some = ", ".join(sharing[:_NAMED]) + (", ..." if sharing[_NAMED:] else "")
    return (
        f"agents of {len(sharing)} hosts still write with the password that "
        f"all agents have ({some}): whoever knows it can speak for them; "
        "give each host its own with nova-ha zk enrol"
    )
