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
"""What our weighers have in common."""

import abc
from collections.abc import Sequence
from typing import Any

from nova import conf as nova_conf
from nova.scheduler import utils
from nova.scheduler import weights

from nova_ha.coordination import view
from nova_ha.scheduler import sight


class SnapshotWeigher(weights.BaseHostWeigher):
    """Weighs by a snapshot of the hosts: no I/O.

    While nothing is known of the hosts all weigh the same, and so this does
    not matter.
    """

    multiplier: str
    """The option, and the aggregate metadata that overrides it."""

    def __init__(self) -> None:
        super().__init__()
        self._options = sight.options(nova_conf.CONF)
        self._view = sight.shared(nova_conf.CONF)
        # An option takes longer to read than a host to weigh.
        self._multiplier: float = self._options[self.multiplier]

    @abc.abstractmethod
    def _weigh(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> Sequence[float]:
        """A weight for each; the highest is preferred."""

    def weight_multiplier(self, host_state: Any) -> float:
        """As Nova's own: the smallest of the host's aggregates, or else the
        option."""
        value: float = utils.get_weight_multiplier(
            host_state, self.multiplier, self._multiplier
        )
        return value

    def weigh_objects(
        self, weighed_obj_list: Sequence[Any], weight_properties: Any
    ) -> Sequence[float]:
        """Weigh all hosts of a request at once."""
        candidates = [one.obj for one in weighed_obj_list]
        snapshot = self._view.look()
        if snapshot is None:
            return [0.0] * len(candidates)
        return self._weigh(candidates, snapshot, weight_properties)

    def _weigh_object(self, obj: Any, weight_properties: Any) -> float:
        """Nova's base class asks for it."""
        snapshot = self._view.look()
        if snapshot is None:
            return 0.0
        return self._weigh([obj], snapshot, weight_properties)[0]
