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

"""Who is who, and what a node's access control list lets them do.

The lists are the real ones: they come from :mod:`nova_ha.coordination.acl`,
by way of the real ``zk init`` and of whoever creates a node. Here they are
enforced, as ZooKeeper's digest scheme does.

A session has one identity or more: that of its *role*, and an agent's that of
its host. Whoever steals the credentials of one agent has both, and the lists
keep him from arming, confirming, leading, judging, touching what engines have
written, and from speaking for any other host.
"""

from collections.abc import Collection, Sequence

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination.znodes import Acl
from nova_ha.coordination.znodes import Perm
from nova_ha.core import model
from nova_ha.sim.ensemble import tree

IDS = acl.identities({role: f"simulated-{role}-password" for role in acl.Role})
"""ZooKeeper's id of each role, for ``init_tree``."""


Who = Collection[str]
"""The identities of a session."""


def identity(user: str) -> str:
    """ZooKeeper's id of a user: a role, or a stranger with a guessed
    password."""
    return IDS.get(user) or acl.identity(user, "guessed")


def host_identity(host: str) -> str:
    """ZooKeeper's id of the credential that is one host's own."""
    user = acl.host_user(model.HostName(host))
    return acl.identity(user, f"simulated-{host}-password")


def granted(entries: Sequence[Acl], who: Who) -> Perm:
    perms = Perm.NONE
    for entry in entries:
        if entry.scheme == "world" or entry.id in who:
            perms |= entry.perms
    return perms


def guard(who: Who) -> tree.Allow:
    """What a tree asks before a change by ``who``."""

    def allow(record: tree.Record, perms: Perm, path: str) -> None:
        if perms not in granted(record.acl, who):
            raise exception.CoordinationDenied(path)

    return allow


def resolved(entries: Sequence[Acl], who: Who) -> Sequence[Acl]:
    """A list as it is kept: ``auth`` stands for whoever sets it."""
    kept: list[Acl] = []
    for entry in entries:
        if entry.scheme == "auth":
            kept += [Acl("digest", one, entry.perms) for one in who]
        else:
            kept.append(entry)
    return kept


def shown(record: tree.Record, who: Who, path: str) -> Sequence[Acl]:
    """A list as ``who`` is shown it: others' digests are an administrator's
    business.

    :raises CoordinationDenied:
    """
    perms = granted(record.acl, who)
    if Perm.ADMIN in perms:
        return record.acl
    if Perm.READ not in perms:
        raise exception.CoordinationDenied(path)
    return [_masked(entry) for entry in record.acl]


def _masked(entry: Acl) -> Acl:
    if entry.scheme != "digest":
        return entry
    return Acl("digest", entry.id.partition(":")[0] + ":x", entry.perms)
