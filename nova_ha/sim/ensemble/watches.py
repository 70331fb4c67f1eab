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

"""Who waits for which change."""

import enum
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from nova_ha.coordination import znodes


class Kind(enum.Enum):
    """What of a node is watched."""

    DATA = "data"  # its coming, its going, and what it holds
    CHILDREN = "children"  # theirs, but not what they hold


Key = tuple[Kind, str]

S = TypeVar("S", bound=Hashable)


class Watches(Generic[S]):
    """One-shot watches, by subscriber; the same one is kept only once. All
    in the order of their arming: it must not depend on hashes."""

    def __init__(self) -> None:
        self._armed: dict[Key, dict[tuple[S, znodes.Watch], None]] = {}
        self._keys: dict[S, dict[Key, None]] = {}

    def arm(
        self, kind: Kind, path: str, subscriber: S, watch: znodes.Watch
    ) -> None:
        self._armed.setdefault((kind, path), {})[subscriber, watch] = None
        self._keys.setdefault(subscriber, {})[kind, path] = None

    def fired(
        self, touched: Iterable[Key]
    ) -> list[tuple[S, znodes.Watch, str]]:
        """Take those that a transaction fires; each once for each path."""
        found: dict[tuple[S, znodes.Watch, str], None] = {}
        for key in touched:
            for subscriber, watch in self._armed.pop(key, ()):
                found[subscriber, watch, key[1]] = None
                self._keys[subscriber].pop(key, None)
        return list(found)

    def forget(self, subscriber: S) -> None:
        """Drop all of a subscriber's, without a call."""
        for key in self._keys.pop(subscriber, ()):
            armed = self._armed[key]
            for entry in [one for one in armed if one[0] is subscriber]:
                del armed[entry]
            if not armed:
                del self._armed[key]
