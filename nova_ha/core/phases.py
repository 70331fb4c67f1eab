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

"""How fast a recovery gets on: its milestones, counted from its beginning."""

import enum
from collections.abc import Iterator, Mapping

from nova_ha.core import model


class Phase(enum.StrEnum):
    """What a recovery has to reach, in this order."""

    DETECTED = "detected"  # all evidence says down: fencing begins
    FENCED = "fenced"  # it is proven to be off
    FORCED_DOWN = "forced-down"  # Nova accepts evacuations
    FIRST_INSTANCE = "first-instance"  # runs on another host
    ALL_INSTANCES = "all-instances"  # that could be moved do


MILESTONES: Mapping[Phase, tuple[str, ...]] = {
    # What an operator vouches for, and what reads off by itself, is proven
    # without any fencing.
    Phase.DETECTED: (
        model.CaseState.FENCING.value,
        model.CaseState.FENCED.value,
    ),
    Phase.FENCED: (model.CaseState.FENCED.value,),
    Phase.FORCED_DOWN: ("forced_down",),
    Phase.FIRST_INSTANCE: ("first_instance",),
    Phase.ALL_INSTANCES: ("all_instances",),
}
"""The times of a case that say so: the first of them that is there."""


def reached(
    before: model.RecoveryCase | None, after: model.RecoveryCase
) -> Iterator[tuple[Phase, float]]:
    """What a case has reached for the first time by its latest change, and
    how many seconds after it was opened.

    :param before: the case as it was saved before; None: not at all.
    """
    known = {} if before is None else before.times
    for phase, names in MILESTONES.items():
        if any(name in known for name in names):
            continue
        at = next(
            (after.times[one] for one in names if one in after.times), None
        )
        if at is not None:
            yield phase, max(0.0, (at - after.opened_at).total_seconds())
