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
"""Prefers hosts that fewer instances are being evacuated to."""

from collections.abc import Sequence
from typing import Any

from nova_ha.coordination import view
from nova_ha.core.model import InstanceId
from nova_ha.scheduler.weighers import base


class EvacuationSpreadWeigher(base.SnapshotWeigher):
    """Minus the number of instances on their way to the host.

    They are those that the leading engine has announced and that Nova does
    not know there yet. Nova's own num_io_ops would be free, too, but counts
    an evacuation only once the target has claimed it, and other work as well
    (its IoOpsWeigher does).
    """

    multiplier = "evacuation_spread_weight_multiplier"

    def _weigh(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> Sequence[float]:
        arrivals = snapshot.arrivals
        if not arrivals:
            return [0.0] * len(candidates)
        nothing: frozenset[InstanceId] = frozenset()
        return [
            -float(len(expected.difference(one.instances)))
            if (expected := arrivals.get(one.host, nothing))
            else 0.0
            for one in candidates
        ]
