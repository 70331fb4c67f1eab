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

"""Making the tree, and refusing to work on one that is open to others."""

from collections.abc import Iterator, Mapping, Sequence

from oslo_log import log

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import credentials
from nova_ha.coordination import znodes
from nova_ha.coordination.paths import TOP
from nova_ha.coordination.paths import Paths
from nova_ha.coordination.znodes import Acl
from nova_ha.coordination.znodes import Perm
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core.model import record

LOG = log.getLogger(__name__)


@record
class InitReport:
    """What ``nova-ha zk init`` has done, as paths."""

    created: tuple[str, ...]
    secured: tuple[str, ...]
    """Existing nodes whose list was not as it should be."""


def init_tree(
    tree: znodes.GuardedZnodes, paths: Paths, ids: Mapping[str, str]
) -> InitReport:
    """Make the tree, or mend its lists; may be repeated at any time.

    :param ids: of all roles, from :func:`.acl.identities`.
    :raises CoordinationDenied: the tree belongs to another credential.
    :raises CoordinationError: the path behind ``[zookeeper] hosts`` is
        missing.
    """
    return _Maker(tree, paths, ids).run()


_OURS = Acl("auth", "", Perm.ALL)
"""Everything for the session's own credentials, which are not those of the
new lists while the operator's password changes; taken away at the end."""


class _Maker:
    def __init__(
        self,
        tree: znodes.GuardedZnodes,
        paths: Paths,
        ids: Mapping[str, str],
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._ids = ids
        self._top = [Acl("digest", ids[acl.Role.OPERATOR], Perm.ALL)]
        self._created: list[str] = []
        self._secured: list[str] = []

    def run(self) -> InitReport:
        root, roles = self._paths.root, self._paths.roles
        payload = codec.encode(acl.Roles(ids=dict(self._ids)), roles)
        self._ensure_top()
        self._ensure(root)
        # The ids first: what others create from now on is guarded by them.
        if not self._ensure(roles, payload):
            self._tree.set(roles, payload)
        for name in acl.CONTAINERS:
            path = f"{root}/{name}"
            self._ensure(path, self._first(path))
        # Deepest first: with the operator's password about to change, this
        # session loses what it has secured.
        self._secured += credentials.mend(self._tree, self._paths, self._ids)
        for path in self._below(root):
            self._secure(path)
        self._secure(root)
        self._secure_top()
        return InitReport(
            created=tuple(self._created), secured=tuple(self._secured)
        )

    def _first(self, path: str) -> bytes:
        """What a node of the tree's own begins with."""
        if path == self._paths.control:
            return codec.encode(model.Control(), path)
        if path == self._paths.lease:
            return codec.encode(model.Lease(epoch=model.Epoch(0)), path)
        return b""

    def _ensure_top(self) -> None:
        """``/nova-ha`` is shared by all namespaces of one operator."""
        try:
            self._tree.create_guarded(TOP, b"", [*self._top, _OURS])
            self._created.append(TOP)
        except znodes.NodeMissing:
            raise exception.CoordinationError(
                "the path behind [zookeeper] hosts does not exist in "
                "ZooKeeper: create it first"
            ) from None
        except znodes.NodeExists:
            return

    def _secure_top(self) -> None:
        found = self._acl_if_readable(TOP)
        # Not readable: made by the operator of another namespace, and fine.
        if found:
            self._set(TOP, self._top)

    def _acl_if_readable(self, path: str) -> Sequence[Acl]:
        try:
            return self._tree.acl(path)
        except exception.CoordinationDenied:
            return ()

    def _ensure(self, path: str, data: bytes = b"") -> bool:
        """Returns whether it has been created."""
        wanted = acl.acl_for(self._paths.root, path, self._ids)
        try:
            self._tree.create_guarded(path, data, [*wanted, _OURS])
        except znodes.NodeExists:
            return False
        self._created.append(path)
        return True

    def _secure(self, path: str) -> None:
        self._set(path, acl.acl_for(self._paths.root, path, self._ids))

    def _set(self, path: str, wanted: Sequence[Acl]) -> None:
        try:
            if set(self._acl_if_readable(path)) == set(wanted):
                return
            self._tree.set_acl(path, wanted)
        except znodes.NodeMissing:
            return  # gone meanwhile, like a beacon
        if path not in self._created:
            self._secured.append(path)

    def _below(self, path: str) -> Iterator[str]:
        if path == self._paths.agents:
            return  # each host's place has a list of its own
        try:
            names = self._tree.children(path)
        except znodes.NodeMissing:
            return
        for name in names:
            child = f"{path}/{name}"
            try:
                acl.place_of(self._paths.root, child)
            except ValueError:
                LOG.warning("%s is not of nova_ha's making: left alone", child)
                continue
            yield from self._below(child)
            yield child


def check_tree(tree: znodes.GuardedZnodes, paths: Paths) -> None:
    """Refuse a tree that has not been made, or that somebody else could
    write to.

    :raises ConfigError: names the path and the remedy.
    :raises CoordinationDenied: the credentials are not those of a role.
    """
    ids = acl.read_ids(tree, paths.root)
    checked = ["", "roles", *acl.CONTAINERS]
    for place in checked:
        path = f"{paths.root}/{place}" if place else paths.root
        try:
            found = tree.acl(path)
        except exception.CoordinationDenied:
            continue  # another role's business, and closed to this one
        except znodes.NodeMissing:
            _refuse(path, "is missing")
        _check_node(path, found, acl.acl_for(paths.root, path, ids))


def check_agents(tree: znodes.GuardedZnodes, paths: Paths) -> None:
    """Refuse a host's place that another than its agent could write to.

    :raises ConfigError: names the path and the remedy.
    :raises CoordinationDenied: the credentials are not those of a role that
        reads there.
    """
    ids = acl.read_ids(tree, paths.root)
    for path, wanted in credentials.lists(tree, paths, ids):
        try:
            found = tree.acl(path)
        except exception.CoordinationDenied:
            _refuse(path, "is closed by the agent that has made it")
        except znodes.NodeMissing:
            continue  # a beacon that is gone meanwhile
        _check_node(path, found, wanted)


def _check_node(
    path: str, found: Sequence[Acl], wanted: Sequence[Acl]
) -> None:
    if _open_to_world(found):
        _refuse(path, "can be written by anybody")
    # Whoever has no ADMIN is shown the users, but not their digests.
    if {(entry.who, entry.perms) for entry in found} != {
        (entry.who, entry.perms) for entry in wanted
    }:
        _refuse(path, "does not have the access list it should have")


def _open_to_world(entries: Sequence[Acl]) -> bool:
    return any(
        entry.scheme == "world" and entry.perms & ~Perm.READ
        for entry in entries
    )


def _refuse(path: str, problem: str) -> None:
    raise exception.ConfigError(path, problem, acl.REMEDY)
