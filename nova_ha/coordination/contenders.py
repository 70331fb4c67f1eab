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

"""The engines that stand for election, as their nodes show them.

Each has one ephemeral node below ``leader``, named ``c-<key>-<number>``. The
lowest number leads. Its *epoch* is the zxid of the node's creation: unique,
and larger for every later leader.
"""

from collections.abc import Sequence

from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.core import model
from nova_ha.core.model import Epoch


def order(names: Sequence[str]) -> list[str]:
    """The contenders' nodes, the leader first; other nodes are ignored."""
    numbered = [name for name in names if name[-10:].isdecimal()]
    return sorted(numbered, key=lambda name: int(name[-10:]))


def nodes(
    tree: znodes.Znodes,
    paths: paths_module.Paths,
    watch: znodes.Watch | None = None,
) -> list[znodes.Node]:
    """All contenders, the leader first.

    :raises CoordinationError: the tree has not been made.
    """
    names = order(tree.children(paths.leader, watch))
    # Only their coming and going is watched: who needs their data, reads.
    found = tree.get_many([f"{paths.leader}/{name}" for name in names])
    return [node for node in found.values() if node is not None]


def read(
    tree: znodes.Znodes,
    paths: paths_module.Paths,
    decoder: reading.Decoder,
    watch: znodes.Watch | None = None,
) -> tuple[model.Contender, ...]:
    """All contenders, the leader first. One whose payload cannot be read is
    nameless, but counts."""
    there = nodes(tree, paths, watch)
    decoder.keep_below(paths.leader, {node.path for node in there})
    found = []
    for rank, node in enumerate(there):
        epoch = Epoch(node.created)
        contender = decoder.decode(
            model.Contender, node, epoch=epoch, leading=rank == 0
        ) or model.Contender(engine="?", epoch=epoch)
        found.append(
            model.Contender(
                engine=contender.engine,
                machine_id=contender.machine_id,
                epoch=epoch,
                # Not from the decoder's memory: the rank changes without
                # the node.
                leading=rank == 0,
                refused=contender.refused,
            )
        )
    return tuple(found)
