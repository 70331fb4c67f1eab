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

"""Who speaks for a hypervisor: the operator's word on its credential.

The list of ``agents/<host>`` names the one id that may write below it. An
operator makes that node, and so the credential; an agent can neither make its
own nor change another's.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence

from oslo_log import log

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.core import model

LOG = log.getLogger(__name__)


class Credential(enum.StrEnum):
    """Whose credential counts at the place of a host."""

    OWN = "own"
    SHARED = "shared"
    """That of all agents: a release without own ones has made the place."""
    NONE = "none"
    """It has been revoked."""


def enrol(
    tree: znodes.GuardedZnodes,
    paths: paths_module.Paths,
    host: model.HostName,
    own: str,
) -> None:
    """Let one credential, and no other, speak for a host.

    May be repeated with another one: what the host's agent has said stays,
    and a session that shows its beacon keeps it.

    :param own: the id of the credential (:func:`.acl.identity`).
    :raises ConfigError: the tree has not been made.
    :raises CoordinationDenied: not the operator.
    """
    ids = acl.read_ids(tree, paths.root)
    place = paths.agent(host)
    wanted = acl.acl_for(paths.root, place, ids, own)
    try:
        tree.create_guarded(place, b"", wanted)
    except znodes.NodeExists:
        # First the place: from now on the old credential makes no node.
        tree.set_acl(place, wanted)
    for name in tree.children(place):
        path = f"{place}/{name}"
        _secure(tree, path, acl.acl_for(paths.root, path, ids, own))


def revoke(
    tree: znodes.GuardedZnodes,
    paths: paths_module.Paths,
    host: model.HostName,
) -> None:
    """Let nobody speak for a host, and forget what was said in its name.

    A session that shows its beacon would keep it otherwise, and a stolen
    credential may have said anything.

    :raises CoordinationError: the host has never been enrolled.
    :raises CoordinationDenied: not the operator.
    """
    ids = acl.read_ids(tree, paths.root)
    place = paths.agent(host)
    try:
        tree.set_acl(place, acl.acl_for(paths.root, place, ids))
    except znodes.NodeMissing:
        raise exception.CoordinationError(
            f"{host} is not enrolled: its name is not that of an agent"
        ) from None
    for name in tree.children(place):
        _remove(tree, f"{place}/{name}")


def lists(
    tree: znodes.GuardedZnodes,
    paths: paths_module.Paths,
    ids: Mapping[str, str],
) -> Iterator[tuple[str, Sequence[znodes.Acl]]]:
    """Each node below ``agents`` with the list that it should have; those of
    a host before its place, whose own list tells the credential."""
    for name in tree.children(paths.agents):
        place = f"{paths.agents}/{name}"
        try:
            host = model.HostName(paths_module.unescape(name))
            owner = acl.owner_of(host, tree.acl(place), ids)
            said = tree.children(place)
        except exception.PayloadError as error:
            LOG.warning("Left alone below %s: %s", paths.agents, error)
            continue
        except znodes.NodeMissing:
            continue
        for path in (*(f"{place}/{one}" for one in said), place):
            yield path, acl.acl_for(paths.root, path, ids, owner)


def mend(
    tree: znodes.GuardedZnodes,
    paths: paths_module.Paths,
    ids: Mapping[str, str],
) -> Sequence[str]:
    """Give each node below ``agents`` the list that it should have.

    Each host keeps its credential.

    :param ids: of the roles, as they are to be from now on.
    :returns: the paths of those that had another list.
    """
    mended = []
    for path, wanted in lists(tree, paths, ids):
        try:
            if set(tree.acl(path)) == set(wanted):
                continue
        except znodes.NodeMissing:
            continue
        except exception.CoordinationDenied:
            LOG.warning("%s is closed by the agent that has made it", path)
        _secure(tree, path, wanted)
        mended.append(path)
    return mended


def _secure(
    tree: znodes.GuardedZnodes, path: str, wanted: Sequence[znodes.Acl]
) -> None:
    """Set a list. What an agent has closed to the operator goes, and the
    agent writes it anew."""
    try:
        tree.set_acl(path, wanted)
    except exception.CoordinationDenied:
        _remove(tree, path)
    except znodes.NodeMissing:
        return


def _remove(tree: znodes.Znodes, path: str) -> None:
    try:
        tree.delete(path)
    except znodes.NodeMissing:
        return
    except znodes.NodeNotEmpty:
        LOG.warning(
            "%s has children that nova_ha does not know: it takes "
            "ZooKeeper's superuser to remove it",
            path,
        )


def of_hosts(
    tree: znodes.GuardedZnodes, paths: paths_module.Paths
) -> Mapping[model.HostName, Credential]:
    """Whose credential counts for each host.

    Not the scheduler's business, which does not know the ids of the roles.
    """
    ids = acl.read_ids(tree, paths.root)
    found = {}
    for name in tree.children(paths.agents):
        try:
            host = model.HostName(paths_module.unescape(name))
            entries = tree.acl(f"{paths.agents}/{name}")
        except (exception.PayloadError, znodes.NodeMissing):
            continue
        found[host] = _credential(acl.owner_of(host, entries, ids), ids)
    return found


def _credential(owner: str, ids: Mapping[str, str]) -> Credential:
    if not owner:
        return Credential.NONE
    shared = owner == ids[acl.Role.AGENT]
    return Credential.SHARED if shared else Credential.OWN
