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

"""CoreFilter, RamFilter, DiskFilter and their Aggregate variants.

A host passes if the request fits into what its total, times an allocation
ratio, leaves beside what is used. An instance may share what is overcommitted
with others, but not with itself: what a host does not have at all is refused,
whatever the ratio.

Placement does this today, exactly and without races. Nova's own filters
also passed the limit on to the compute host, which no longer looks at it.
"""

import abc
import dataclasses
import math
from typing import Any, ClassVar

from nova.scheduler.filters import utils
from oslo_log import log as logging

from nova_ha.scheduler.legacy import base

LOG = logging.getLogger(__name__)

_MIB_PER_GIB = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """One resource: what is asked of a host, and what it has."""

    wanted: float
    total: float
    used: float

    def fits(self, ratio: float) -> bool:
        """Whether there is room.

        :param ratio: how many times its total a host may give away.
        """
        if self.wanted > self.total:
            return False
        return self.used + self.wanted <= self.total * ratio


class CapacityFilter(base.LegacyFilter, abc.ABC):
    """Passes hosts that have enough of one resource."""

    REMOVED_IN = "20.0.0"
    REPLACED_BY = (
        "Placement keeps to the capacity and the allocation ratios of hosts"
    )
    RATIO: ClassVar[str]
    """Attribute of a host's state, and key of an aggregate's metadata."""

    @abc.abstractmethod
    def demand(self, host_state: Any, spec_obj: Any) -> Demand | None:
        """What is asked for; None where the host does not say what it has,
        and passes."""

    def ratio(self, host_state: Any) -> float:
        """How many times its total the host may give away."""
        ratio: float = getattr(host_state, self.RATIO)
        return ratio

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        demand = self.demand(host_state, spec_obj)
        return demand is None or demand.fits(self.ratio(host_state))


class CoreFilter(CapacityFilter):
    """Passes hosts with enough virtual CPUs."""

    RATIO = "cpu_allocation_ratio"

    def demand(self, host_state: Any, spec_obj: Any) -> Demand | None:
        if not host_state.vcpus_total:
            return None  # not every driver reports them
        return Demand(
            wanted=spec_obj.vcpus,
            total=host_state.vcpus_total,
            used=host_state.vcpus_used,
        )


class RamFilter(CapacityFilter):
    """Passes hosts with enough memory."""

    RATIO = "ram_allocation_ratio"

    def demand(self, host_state: Any, spec_obj: Any) -> Demand:
        total = host_state.total_usable_ram_mb
        return Demand(
            wanted=spec_obj.memory_mb,
            total=total,
            used=total - host_state.free_ram_mb,
        )


class DiskFilter(CapacityFilter):
    """Passes hosts with enough disk: by what is really free there, which Nova
    takes from the driver where that is less than the books say."""

    RATIO = "disk_allocation_ratio"

    def demand(self, host_state: Any, spec_obj: Any) -> Demand:
        total = host_state.total_usable_disk_gb * _MIB_PER_GIB
        return Demand(
            wanted=_local_disk(spec_obj),
            total=total,
            used=total - host_state.free_disk_mb,
        )


def _local_disk(spec_obj: Any) -> int:
    """MiB that a request takes from a host's own disks."""
    # The root of an instance that boots from a volume is none of them.
    from_volume = "is_bfv" in spec_obj and spec_obj.is_bfv
    root = 0 if from_volume else spec_obj.root_gb
    local: int = _MIB_PER_GIB * (root + spec_obj.ephemeral_gb) + spec_obj.swap
    return local


class AggregateRatio(CapacityFilter, abc.ABC):
    """Takes the ratio from the metadata of the host's aggregates.

    The smallest of several; the host's own where no aggregate has one.
    """

    REMOVED_IN = "22.0.0"

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def ratio(self, host_state: Any) -> float:
        values = utils.aggregate_values_from_key(host_state, self.RATIO)
        return min(
            (one for one in map(self._number, values) if one is not None),
            default=super().ratio(host_state),
        )

    def _number(self, text: str) -> float | None:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        if text not in self._told:  # once, not for each host and request
            self._told.add(text)
            LOG.warning(
                "An aggregate's %s is %.40r, which is no number: ignored",
                self.RATIO,
                text,
            )
        return None


class AggregateCoreFilter(AggregateRatio, CoreFilter):
    """CoreFilter with an aggregate's ``cpu_allocation_ratio``."""


class AggregateRamFilter(AggregateRatio, RamFilter):
    """RamFilter with an aggregate's ``ram_allocation_ratio``."""


class AggregateDiskFilter(AggregateRatio, DiskFilter):
    """DiskFilter with an aggregate's ``disk_allocation_ratio``."""
