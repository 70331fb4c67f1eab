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

"""From znodes to facts: the one place that decodes what hosts are.

A payload that cannot be read is told once, however often it is written, and
never guessed at:

* An unreadable *beacon* is a beacon: it is its session that lives. Its boot
  id is empty.
* An unreadable *record* protects its host: nobody knows whether an operator
  has taken it out.
* Anything else unreadable is not there.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from oslo_log import log

from nova_ha import exception
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import Node
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core.model import HostName

LOG = log.getLogger(__name__)

UNREADABLE = "unreadable record"

FROM_AGENT = 256 * 1024
"""Bytes of what an agent writes about its host that are read: an inventory
of more than 6,000 guests. A fleet of agents that write as much as ZooKeeper
takes must not fill the engine's memory."""

_BY_AGENTS = (model.Beacon, model.Goodbye, model.GuestInventory)

T = TypeVar("T")

_Nodes = Mapping[str, Node | None]


class Decoder:
    """Decodes nodes, each version of one only once, and tells of a node that
    has become unreadable, not of each further version of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int], Any]] = {}

    def decode(
        self,
        cls: type[T],
        node: Node | None,
        host: HostName | None = None,
        **others: Any,
    ) -> T | None:
        """Return what a node holds, None where it is missing or unreadable.

        :param host: whom it has to speak of.
        :param others: fields that are not part of the payload.
        """
        if node is None:
            return None
        life = (node.created, node.changed)
        with self._lock:
            known = self._known.get(node.path)
        if known is not None and known[0] == life:
            value: T | None = known[1]
            return value
        value, problem = _decode(cls, node, host, others)
        if problem and (known is None or known[1] is not None):
            LOG.error("Unreadable: %s", problem)
        with self._lock:
            self._known[node.path] = (life, value)
        return value

    def keep_below(self, parent: str, paths: Collection[str]) -> None:
        """Forget what was below ``parent``, apart from ``paths``."""
        self.forget(
            lambda path: (
                path in paths or paths_module.parent_of(path) != parent
            )
        )

    def forget(self, keep: Callable[[str], bool]) -> None:
        """Forget the paths that ``keep`` does not want."""
        with self._lock:
            self._known = {
                path: known
                for path, known in self._known.items()
                if keep(path)
            }


def _decode(
    cls: type[T],
    node: Node,
    host: HostName | None,
    others: Mapping[str, Any],
) -> tuple[T | None, str]:
    """Returns the value, or why there is none."""
    try:
        value = codec.decode(cls, _data(cls, node), node.path, **others)
    except exception.PayloadError as error:
        return None, str(error)
    if host is not None and getattr(value, "host", host) != host:
        return None, f"{node.path}: speaks of another host than its path"
    return value, ""


def _data(cls: type, node: Node) -> bytes:
    if node.data is None:
        raise exception.PayloadError(node.path, "access denied")
    if cls in _BY_AGENTS and len(node.data) > FROM_AGENT:
        raise exception.PayloadTooLarge(
            node.path, f"{len(node.data)} bytes are more than {FROM_AGENT}"
        )
    return node.data


class HostReader:
    """Reads what the tree holds about hosts.

    :param guests: the inventories, too; they are the bulk of it.
    """

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        *,
        guests: bool = True,
    ) -> None:
        self._tree = tree
        self._guests = guests
        self._paths = paths
        self._decoder = Decoder()
        self._strange: set[str] = set()

    def names(self, watch: znodes.Watch | None = None) -> set[HostName]:
        """All hosts that are enrolled or whose agent has ever been seen."""
        found: set[HostName] = set()
        for parent in (self._paths.hosts, self._paths.agents):
            for name in self._tree.children(parent, watch):
                host = self._host(parent, name)
                if host is not None:
                    found.add(host)
        return found

    def _host(self, parent: str, name: str) -> HostName | None:
        try:
            return HostName(paths_module.unescape(name))
        except exception.PayloadError as error:
            if name not in self._strange:
                self._strange.add(name)
                LOG.error("Ignoring a node below %s: %s", parent, error)
            return None

    def host_of(self, path: str) -> HostName | None:
        """Whose node is at ``path``: the way back from a watch."""
        for parent in (self._paths.hosts, self._paths.agents):
            if path.startswith(parent + "/"):
                name = path[len(parent) + 1 :].partition("/")[0]
                return self._host(parent, name)
        return None

    def nodes_of(self, host: HostName) -> tuple[str, ...]:
        """The nodes that are read of a host."""
        nodes = (
            self._paths.host(host),
            self._paths.beacon(host),
            self._paths.goodbye(host),
        )
        return (*nodes, self._paths.guests(host)) if self._guests else nodes

    def read(
        self,
        hosts: Collection[HostName],
        watch: znodes.Watch | None = None,
    ) -> dict[HostName, model.HostFacts]:
        """Read hosts from scratch.

        :raises CoordinationUnavailable:
        """
        wanted = [path for host in hosts for path in self.nodes_of(host)]
        nodes = dict(self._tree.get_many(wanted, watch))
        self.settle(hosts, nodes, watch)
        return {host: self.facts(host, nodes) for host in hosts}

    def settle(
        self,
        hosts: Collection[HostName],
        nodes: dict[str, Node | None],
        watch: znodes.Watch | None = None,
    ) -> None:
        """Look again where neither beacon nor goodbye was seen.

        An agent exchanges the one for the other in one transaction, which
        may fall between our two reads: beacon (not yet), goodbye (no more).
        Read once more, in the other order, such a pair is complete.
        """
        again = [
            path
            for host in sorted(hosts)
            for path in (self._paths.goodbye(host), self._paths.beacon(host))
            if nodes.get(self._paths.beacon(host)) is None
            and nodes.get(self._paths.goodbye(host)) is None
        ]
        if again:
            nodes.update(self._tree.get_many(again, watch))

    def facts(self, host: HostName, nodes: _Nodes) -> model.HostFacts:
        """Decode the nodes of one host."""
        decode = self._decoder.decode
        goodbye = nodes.get(self._paths.goodbye(host))
        guests = nodes.get(self._paths.guests(host))
        return model.HostFacts(
            host=host,
            record=self._record(host, nodes.get(self._paths.host(host))),
            beacon=self._beacon(host, nodes.get(self._paths.beacon(host))),
            goodbye=decode(model.Goodbye, goodbye, host),
            inventory=decode(model.GuestInventory, guests, host),
        )

    def _record(
        self, host: HostName, node: Node | None
    ) -> model.HostRecord | None:
        if node is None:
            return None
        record = self._decoder.decode(model.HostRecord, node, host)
        return record or model.HostRecord(
            host=host, machine_id="", protected=UNREADABLE
        )

    def _beacon(
        self, host: HostName, node: Node | None
    ) -> model.Beacon | None:
        if node is None:
            return None
        beacon = self._decoder.decode(
            model.Beacon, node, host, session=node.owner
        )
        return beacon or model.Beacon(
            host=host,
            boot_id=model.BootId(""),
            machine_id="",
            session=node.owner,
        )

    def forget(self, hosts: Collection[HostName]) -> None:
        """Forget all but these hosts."""
        keep = {path for host in hosts for path in self.nodes_of(host)}
        self._decoder.forget(keep.__contains__)
