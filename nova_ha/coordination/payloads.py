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

"""Whether this release can read all that is stored.

Everything else that reads the tree makes do with what it understands; before
an upgrade one wants to know what that would leave out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nova_ha import exception
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.core import audit
from nova_ha.core import codec
from nova_ha.core import model


def unreadable(
    tree: znodes.Znodes, paths: paths_module.Paths
) -> Iterator[str]:
    """Yield what is wrong with each payload that cannot be read.

    :raises CoordinationUnavailable:
    """
    tree.sync(paths.root)
    yield from _among(
        tree, {paths.control: model.Control, paths.lease: model.Lease}
    )
    for parent, cls in _parents(paths).items():
        yield from _among(tree, dict.fromkeys(_children(tree, parent), cls))
    for agent in _children(tree, paths.agents):
        yield from _among(
            tree,
            {
                f"{agent}/beacon": model.Beacon,
                f"{agent}/goodbye": model.Goodbye,
                f"{agent}/guests": model.GuestInventory,
            },
        )


def _parents(paths: paths_module.Paths) -> Mapping[str, type]:
    """What the children of a node are."""
    return {
        paths.hosts: model.HostRecord,
        paths.cases: model.RecoveryCase,
        paths.verdicts: model.PublishedVerdict,
        paths.confirmations: model.Confirmation,
        paths.requests: model.EvacuationRequest,
        paths.history: model.RecoveryCase,
        paths.audit: audit.Entry,
    }


def _children(tree: znodes.Znodes, parent: str) -> Sequence[str]:
    try:
        return [f"{parent}/{name}" for name in tree.children(parent)]
    except znodes.NodeMissing:
        return []  # made by a release that did not have it yet


def _among(tree: znodes.Znodes, kinds: Mapping[str, type]) -> Iterator[str]:
    for path, node in tree.get_many(list(kinds)).items():
        if node is not None:  # it may have gone meanwhile
            problem = _problem(kinds[path], node)
            if problem:
                yield problem


def _problem(cls: type, node: znodes.Node) -> str:
    if node.data is None:
        return f"{node.path}: access denied"
    # Who owns a beacon is a matter of its node, not of its payload.
    others: dict[str, Any] = {}
    if cls is model.Beacon:
        others["session"] = node.owner
    try:
        codec.decode(cls, node.data, node.path, **others)
    except exception.PayloadError as error:
        return str(error)
    return ""
