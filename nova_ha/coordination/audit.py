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

"""The operators' deeds in the tree: the newest of them are kept."""

from collections.abc import Sequence

from oslo_log import log

from nova_ha import exception
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import znodes
from nova_ha.core import audit
from nova_ha.core import codec

LOG = log.getLogger(__name__)

KEPT = 200
"""Entries that are kept: the newest."""


class Trail:
    """Written by whoever acts; all methods raise CoordinationUnavailable and
    CoordinationDenied."""

    def __init__(self, tree: znodes.Znodes, paths: paths_module.Paths) -> None:
        self._tree = tree
        self._paths = paths
        self._decoder = reading.Decoder()

    def begin(self, entry: audit.Entry) -> audit.Entry:
        """Add an entry, before anything is done; returns it as it is kept.

        :raises CoordinationError: the tree has no place for it yet.
        """
        path = self._path(entry)
        try:
            self._tree.create(path, codec.encode(entry, path))
        except znodes.NodeMissing:
            raise exception.ConfigError(
                self._paths.audit, "is missing", "run: nova-ha zk init"
            ) from None
        self._trim()
        return entry

    def end(self, entry: audit.Entry) -> None:
        """Complete an entry with its result."""
        path = self._path(entry)
        self._tree.set(path, codec.encode(entry, path))

    def read(self) -> Sequence[audit.Entry]:
        """All entries, the newest first; what is unreadable is left out."""
        self._tree.sync(self._paths.audit)
        found = (
            self._decoder.decode(audit.Entry, node)
            for node in self._tree.get_many(self._all()).values()
        )
        return [entry for entry in found if entry is not None]

    def _path(self, entry: audit.Entry) -> str:
        return self._paths.deed(f"{entry.at:%Y%m%dT%H%M%S.%fZ}-{entry.host}")

    def _all(self) -> list[str]:
        """Their paths, the newest first: they are named after their time."""
        try:
            names = self._tree.children(self._paths.audit)
        except znodes.NodeMissing:
            return []
        return [
            f"{self._paths.audit}/{name}"
            for name in sorted(names, reverse=True)
        ]

    def _trim(self) -> None:
        """What fails here is done the next time."""
        try:
            for path in self._all()[KEPT:]:
                self._tree.delete(path)
        except exception.CoordinationError as error:
            LOG.warning("Cannot trim the audit trail: %s", error)
