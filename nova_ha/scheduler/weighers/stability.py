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
"""Prefers hosts that have not failed lately."""

from collections.abc import Sequence
from typing import Any

from nova_ha.coordination import view
from nova_ha.core import view as core_view
from nova_ha.scheduler.weighers import base


class StabilityWeigher(base.SnapshotWeigher):
    """1.0 for hosts without blemish, less for each recent death, lost agent
    and failing check.

    Hosts that are not enrolled have none that is known of.
    """

    multiplier = "stability_weight_multiplier"

    # As it is, not stretched over the candidates: one death long ago among
    # hosts without any must not weigh as much as one an hour ago.
    minval = 0.0
    maxval = 1.0

    def _weigh(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> Sequence[float]:
        known = snapshot.hosts
        return [
            known.get(one.host, core_view.FREE).stability for one in candidates
        ]
