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

"""Which resource providers belong to which nova-compute service."""

import dataclasses
import threading
from collections.abc import Iterable, Mapping

from oslo_log import log as logging

from nova_ha import clock as clock_module
from nova_ha.compute import rest
from nova_ha.compute import session
from nova_ha.core import model

LOG = logging.getLogger(__name__)

_PATH = "/os-hypervisors/detail"

REFRESH_AT_MOST_EACH = 10.0
"""Seconds between two reads of the list because of something unknown in it:
a provider that is no hypervisor stays unknown for ever."""


@dataclasses.dataclass(frozen=True, slots=True)
class Hypervisor:
    """A compute node; ``id`` is also that of its root resource provider."""

    id: str
    host: model.HostName
    kind: str


class Hypervisors:
    """The compute nodes by service host, remembered.

    Read at 2.87 (see the package). The list answers with an error, not with
    fewer entries, where a cell is down; what is remembered stays in use.
    """

    def __init__(
        self,
        nova: rest.Reader,
        clock: clock_module.Clock,
        page_size: int,
    ) -> None:
        self._nova = nova
        self._clock = clock
        self._page_size = page_size
        self._lock = threading.Lock()
        self._by_id: Mapping[str, Hypervisor] = {}
        self._read_at: float | None = None

    def of_host(self, host: model.HostName) -> list[Hypervisor]:
        """The compute nodes of a host: one, or many if it is ironic's."""
        return self._find_host(host) or (
            self._find_host(host) if self._refresh() else []
        )

    def hosts_of(self, providers: Iterable[str]) -> dict[str, model.HostName]:
        """The service hosts of those providers that are hypervisors."""
        wanted = set(providers)
        if not wanted <= self._by_id.keys():
            self._refresh()
        known = self._by_id
        return {uuid: known[uuid].host for uuid in wanted if uuid in known}

    def kinds(self) -> dict[model.HostName, str]:
        """Hypervisor type by host, read anew: ``QEMU``, ``ironic``, ..."""
        self._read()
        return {node.host: node.kind for node in self._by_id.values()}

    def forget(self, hypervisor: Hypervisor) -> None:
        """Nova has said that it does not exist any more."""
        with self._lock:
            self._by_id = {
                uuid: node
                for uuid, node in self._by_id.items()
                if uuid != hypervisor.id
            }
            self._read_at = None

    def _find_host(self, host: model.HostName) -> list[Hypervisor]:
        return [node for node in self._by_id.values() if node.host == host]

    def _refresh(self) -> bool:
        """Read the list, unless that has just been done."""
        now = self._clock.monotonic()
        with self._lock:
            due = (
                self._read_at is None
                or now - self._read_at >= REFRESH_AT_MOST_EACH
            )
        if due:
            self._read()
        return due

    def _read(self) -> None:
        began = self._clock.monotonic()
        nodes: dict[str, Hypervisor] = {}
        for page in self._nova.pages(
            _PATH,
            "hypervisors",
            {"limit": self._page_size},
            marker="id",
            microversion=session.HYPERVISOR_VERSION,
            until_empty=True,
        ):
            with rest.translated(f"nova: GET {_PATH}"):
                nodes.update((node.id, node) for node in map(_parse, page))
        with self._lock:
            self._by_id, self._read_at = nodes, began
        LOG.debug("Nova has %d hypervisors", len(nodes))


def _parse(entry: rest.Json) -> Hypervisor:
    return Hypervisor(
        id=str(entry["id"]),
        host=model.HostName(entry["service"]["host"]),
        kind=entry.get("hypervisor_type") or "",
    )
