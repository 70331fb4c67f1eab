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

"""The tree as it was a little while ago: what a follower that lags shows."""

import collections

from nova_ha.coordination import paths
from nova_ha.coordination import znodes
from nova_ha.sim.ensemble import tree as tree_mod
from nova_ha.sim.ensemble import watches


class Past:
    """Remembers changes for as long as a follower may lag behind."""

    def __init__(self, tree: tree_mod.Tree) -> None:
        self._tree = tree
        self._log: collections.deque[tuple[float, tree_mod.Change]]
        self._log = collections.deque()

    def note(self, at: float, change: tree_mod.Change) -> None:
        self._log.append((at, change))

    def forget(self, until: float) -> None:
        """Forget what happened before a moment: nobody lags that far."""
        while self._log and self._log[0][0] <= until:
            self._log.popleft()

    def find(self, path: str, seen: float) -> tree_mod.Record | None:
        """The node as of the moment ``seen``."""
        for at, change in self._log:
            if at > seen and path in change.before:
                return change.before[path]
        return self._tree.find(path)

    def names(self, path: str, seen: float) -> list[str]:
        """Of the children, sorted, as of the moment ``seen``.

        :raises NodeMissing:
        """
        if self.find(path, seen) is None:
            raise znodes.NodeMissing(path)
        found = set()
        if self._tree.find(path) is not None:
            found.update(self._tree.names(path))
        # Backwards: the oldest change has the last word.
        for at, change in reversed(self._log):
            if at <= seen:
                break
            for other, before in change.before.items():
                if other != path and paths.parent_of(other) == path:
                    name = paths.name_of(other)
                    (found.discard if before is None else found.add)(name)
        return sorted(found)

    def next_change(self, key: watches.Key, seen: float) -> float | None:
        """When that was first changed after the moment ``seen``."""
        for at, change in self._log:
            if at > seen and key in change.touched:
                return at
        return None
