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

An identity is a *role*: all agents share one credential. So the lists keep an
agent from arming, confirming, leading, judging, or touching what engines have
written; they do not keep it from writing below ``agents/<another host>``.
Whoever steals one agent's password can show, delete or forge any host's
beacon. It takes a credential for each host to prevent that.
"""

from collections.abc import Sequence

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination.znodes import Acl
from nova_ha.coordination.znodes import Perm
from nova_ha.sim.ensemble import tree

IDS = acl.identities({role: f"simulated-{role}-password" for role in acl.Role})
"""ZooKeeper's id of each role, for ``init_tree``."""


def identity(user: str) -> str:
    """ZooKeeper's id of a user: a role, or a stranger with a guessed
    password."""
    return IDS.get(user) or acl.identity(user, "guessed")


def granted(entries: Sequence[Acl], who: str) -> Perm:
    perms = Perm.NONE
    for entry in entries:
        if entry.scheme == "world" or entry.id == who:
            perms |= entry.perms
    return perms


def guard(who: str) -> tree.Allow:
    """What a tree asks before a change by ``who``."""

    def allow(record: tree.Record, perms: Perm, path: str) -> None:
        if perms not in granted(record.acl, who):
            raise exception.CoordinationDenied(path)

    return allow


def resolved(entries: Sequence[Acl], who: str) -> Sequence[Acl]:
    """A list as it is kept: ``auth`` stands for whoever sets it."""
    return [
        Acl("digest", who, entry.perms) if entry.scheme == "auth" else entry
        for entry in entries
    ]


def shown(record: tree.Record, who: str, path: str) -> Sequence[Acl]:
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
