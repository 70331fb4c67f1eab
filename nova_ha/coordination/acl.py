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

"""Who may do what: the access control lists of the tree.

ZooKeeper can power off a fleet through us, so no node is open to the world.
There are four roles, each with one password, and every node's list follows
from its place in the tree by :data:`GRANTS`. The role of the agents only
reads: what an agent writes it writes with a second credential, that of its
own host, which opens nothing but the place of that host. Two peculiarities of
ZooKeeper shape it:

* Lists are not inherited: whoever creates a node brings its list, which names
  the other roles by id, ``user:base64(sha1(user:password))``. The operator
  publishes these ids in the node ``roles``, which only the roles can read. A
  digest can be guessed at, offline, by who sees it; so short passwords are
  refused.
* Deleting a node is a right on its *parent*. So agents write below a parent
  of their own host's, and nobody needs rights on a common one. An operator
  makes it (:mod:`.credentials`); its list says whose credential counts there.
"""

import base64
import dataclasses
import enum
import hashlib
from collections.abc import Mapping, Sequence

from nova_ha import exception
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import Acl
from nova_ha.coordination.znodes import Perm
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core.model import record

MIN_PASSWORD = 16
"""Characters. ``openssl rand -hex 24`` gives 48."""

REMEDY = "run: nova-ha zk init, as the operator"


class Role(enum.StrEnum):
    """Whoever talks to ZooKeeper; also the user name of the role."""

    ENGINE = "engine"
    AGENT = "agent"
    SCHEDULER = "scheduler"
    OPERATOR = "operator"


HOST = "host"
"""In the table, the one host whose place it is: no role, as each has its own
credential."""

R, W, C, D, A = Perm.READ, Perm.WRITE, Perm.CREATE, Perm.DELETE, Perm.ADMIN
ALL = Perm.ALL

GRANTS: Mapping[str, Mapping[str, Perm]] = {
    # Engine, agent, scheduler, operator. "*" is any one name.
    # The operator makes the tree, and mends it: A everywhere.
    "": {"engine": R, "agent": R, "scheduler": R, "operator": ALL},
    # Whoever creates nodes needs the ids; the scheduler creates none.
    "roles": {"engine": R, "agent": R, "operator": ALL},
    # Engines enrol a host when its agent first shows up. Only an operator
    # takes a host's record away.
    "hosts": {"engine": R | C, "scheduler": R, "operator": ALL},
    "hosts/*": {
        "engine": R | W,
        "agent": R,
        "scheduler": R,
        "operator": ALL,
    },
    # Only an operator says who speaks for a host.
    "agents": {"engine": R, "agent": R, "scheduler": R, "operator": ALL},
    "agents/*": {
        # To have a silent host show its beacon again.
        "engine": R | D,
        "agent": R,
        HOST: C | D,
        "scheduler": R,
        "operator": R | D | A,
    },
    # The engine only listens here: nobody else speaks for a hypervisor.
    "agents/*/*": {
        "engine": R,
        "agent": R,
        HOST: W,
        "scheduler": R,
        "operator": R | A,
    },
    # Agents see who leads, to know whether an engine runs beside them.
    "leader": {"engine": R | C | D, "agent": R, "operator": R | A},
    "leader/*": {"engine": R | W, "agent": R, "operator": R | A},
    "lease": {"engine": R | W, "operator": ALL},
    # A returning host waits for the end of its own case.
    "cases": {"engine": R | C | D, "agent": R, "operator": R | A},
    "cases/*": {"engine": R | W, "agent": R, "operator": R | A},
    "verdicts": {"engine": R | C | D, "scheduler": R, "operator": R | A},
    "verdicts/*": {"engine": R | W, "scheduler": R, "operator": R | A},
    # A confirmation is proof enough to evacuate: only the operator's word
    # makes one, and the engine can only use it up.
    "confirmations": {"engine": R | D, "operator": ALL},
    "confirmations/*": {"engine": R, "operator": ALL},
    # So is what an operator asks for.
    "requests": {"engine": R | D, "operator": ALL},
    "requests/*": {"engine": R, "operator": ALL},
    "history": {"engine": R | C | D, "operator": R | A},
    "history/*": {"engine": R | W, "operator": R | A},
    # What operators did to the power of hosts is theirs to write and read.
    "audit": {"operator": ALL},
    "audit/*": {"operator": ALL},
    # Arming is the operator's alone.
    "control": {"engine": R, "scheduler": R, "operator": ALL},
}

CONTAINERS = tuple(
    place
    for place in GRANTS
    if place and "*" not in place and place != "roles"
)
"""Nodes that `nova-ha zk init` creates below the root."""


@record
class Roles:
    """Payload of the node ``roles``: ZooKeeper's id of each role."""

    ids: Mapping[str, str] = dataclasses.field(repr=False)


def identity(user: str, password: str) -> str:
    """ZooKeeper's id of a digest user (its DigestAuthenticationProvider)."""
    digest = hashlib.sha1(
        f"{user}:{password}".encode(), usedforsecurity=False
    ).digest()
    return f"{user}:{base64.b64encode(digest).decode()}"


def identities(passwords: Mapping[Role, str]) -> Mapping[str, str]:
    """Return the id of each role.

    :raises ConfigError: a password is missing, short, or used twice.
    """
    seen: dict[str, Role] = {}
    for role in Role:
        password = passwords.get(role, "")
        if len(password) < MIN_PASSWORD:
            raise exception.ConfigError(
                f"password of the role {role}",
                f"has {len(password)} characters"
                if password
                else "is missing",
                f"at least {MIN_PASSWORD} are needed: openssl rand -hex 24",
            )
        if password in seen:
            raise exception.ConfigError(
                f"password of the role {role}",
                f"is that of the role {seen[password]}, too",
                "give each role one of its own",
            )
        seen[password] = role
    return {role.value: identity(role, passwords[role]) for role in Role}


def host_user(host: model.HostName) -> str:
    """User name of the credential that is one host's own."""
    return f"{Role.AGENT}@{paths_module.escape(host)}"


def owner_of(
    host: model.HostName, found: Sequence[Acl], ids: Mapping[str, str]
) -> str:
    """Whose credential counts at the place of a host.

    :param found: the list of its node, as an administrator is shown it.
    :param ids: of the roles.
    :returns: its own id; that of the role where a release without own
        credentials has made the node; nothing where it has been revoked.
    """
    shared = ""
    for entry in found:
        if entry.who == f"digest:{host_user(host)}":
            return entry.id
        if entry.who == f"digest:{Role.AGENT}" and Perm.CREATE in entry.perms:
            shared = ids[Role.AGENT]
    return shared


def place_of(root: str, path: str) -> str:
    """The entry of :data:`GRANTS` for a path below ``root``.

    :raises ValueError: nova_ha keeps nothing there.
    """
    if path != root and not path.startswith(root + "/"):
        raise ValueError(path)
    first, *rest = path[len(root) :].lstrip("/").split("/")
    place = "/".join([first, *("*" for _ in rest)])
    if place not in GRANTS:
        raise ValueError(path)
    return place


def acl_for(
    root: str, path: str, ids: Mapping[str, str], owner: str = ""
) -> Sequence[Acl]:
    """The list of a node, by its place in the tree.

    :param ids: of the roles.
    :param owner: id of the host's own credential, if it is a host's place.
    """
    known = {**ids, HOST: owner} if owner else ids
    return [
        Acl("digest", known[who], perms)
        for who, perms in GRANTS[place_of(root, path)].items()
        if who in known
    ]


class PublishedAcls:
    """Lists for the nodes that a session creates, by the published ids.

    They are read again for each node: created nodes are few, and a changed
    password must take effect without a restart.

    :param own: id of the own credential of a host's agent. One that has none
        lives on where its role may still write (:func:`owner_of`).
    """

    def __init__(self, root: str, own: str = "") -> None:
        self._root = root
        self._own = own

    def __call__(self, tree: znodes.Znodes, path: str) -> Sequence[Acl]:
        ids = read_ids(tree, self._root)
        return acl_for(self._root, path, ids, self._own or ids[Role.AGENT])


def read_ids(tree: znodes.Znodes, root: str) -> Mapping[str, str]:
    """Return the published ids of the roles.

    :raises ConfigError: the tree has not been made.
    :raises PayloadError:
    :raises CoordinationDenied: wrong credentials.
    """
    path = f"{root}/roles"
    try:
        node = tree.get(path)
    except exception.CoordinationDenied:
        raise exception.CoordinationDenied(
            path, "check [zookeeper] username and password"
        ) from None
    if node is None or node.data is None:
        raise exception.ConfigError(
            "[zookeeper] namespace", f"{root} has not been made", REMEDY
        )
    return codec.decode(Roles, node.data, path).ids
