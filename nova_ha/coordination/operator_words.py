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

"""What the operator has said, as the engine reads it."""

from collections.abc import Mapping

from nova_ha import exception
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.core import model
from nova_ha.core.model import CaseId
from nova_ha.core.model import HostName

UNREADABLE = model.Control(
    armed=False, paused=True, reason="the node 'control' cannot be read"
)
"""A switch that cannot be read is off."""


def control(
    tree: znodes.Znodes,
    paths: paths_module.Paths,
    decoder: reading.Decoder,
    watch: znodes.Watch | None = None,
) -> model.Control:
    """The switches; where there are none, or unreadable ones, all is off."""
    node = tree.get(paths.control, watch)
    if node is None or not node.data:
        return model.Control()
    return decoder.decode(model.Control, node) or UNREADABLE


def confirmations(
    tree: znodes.Znodes,
    paths: paths_module.Paths,
    decoder: reading.Decoder,
    watch: znodes.Watch | None = None,
) -> Mapping[CaseId, model.Confirmation]:
    """Those that wait to be used, by case; an unreadable one is none.

    ``watch`` fires when one comes or goes; they are never changed.
    """
    try:
        names = tree.children(paths.confirmations, watch)
    except znodes.NodeMissing:
        return {}
    nodes = tree.get_many([f"{paths.confirmations}/{name}" for name in names])
    decoder.keep_below(paths.confirmations, nodes)
    found: dict[CaseId, model.Confirmation] = {}
    for node in nodes.values():
        one = decoder.decode(model.Confirmation, node)
        if one is not None and node is not None and _in_place(one, node.path):
            found[one.case] = one
    return found


def requests(
    tree: znodes.Znodes,
    paths: paths_module.Paths,
    decoder: reading.Decoder,
    watch: znodes.Watch | None = None,
) -> Mapping[HostName, model.EvacuationRequest]:
    """Evacuations that operators ask for, by host; an unreadable one is none,
    nor is one in the place of another host's.

    ``watch`` fires when one comes, goes or is replaced.
    """
    try:
        names = tree.children(paths.requests, watch)
    except znodes.NodeMissing:
        return {}
    nodes = tree.get_many(
        [f"{paths.requests}/{name}" for name in names], watch
    )
    decoder.keep_below(paths.requests, nodes)
    found: dict[HostName, model.EvacuationRequest] = {}
    for node in nodes.values():
        one = decoder.decode(model.EvacuationRequest, node)
        if one is not None and node is not None and _named(one, node.path):
            found[one.host] = one
    return found


def _named(one: model.EvacuationRequest, path: str) -> bool:
    """It speaks of the host that its node is named after."""
    try:
        return paths_module.escape(one.host) == paths_module.name_of(path)
    except exception.PayloadError:
        return False


def _in_place(one: model.Confirmation, path: str) -> bool:
    """It speaks of the case that its node is named after."""
    try:
        return paths_module.escape(one.case) == paths_module.name_of(path)
    except exception.PayloadError:
        return False
