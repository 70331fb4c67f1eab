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

"""AvailabilityZoneFilter."""

from typing import Any

from nova import conf as nova_conf
from nova.scheduler.filters import utils

from nova_ha.scheduler.legacy import base

_KEY = "availability_zone"


class AvailabilityZoneFilter(base.LegacyFilter):
    """Passes hosts of the requested zone, or of any of several.

    A host's zones are in the metadata of its aggregates; one that is in no
    zone is in ``[DEFAULT] default_availability_zone``. Several zones are
    separated by commas, in the request as in the metadata.
    """

    REMOVED_IN = "28.0.0"
    REPLACED_BY = "Placement knows the zones as aggregates of its own"

    # All instances of a request are asked for in one zone.
    run_filter_once_per_request = True

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        asked = spec_obj.availability_zone if _KEY in spec_obj else None
        if not asked:
            return True
        wanted = {zone.strip() for zone in asked.split(",")}
        return not wanted.isdisjoint(_zones(host_state))


def _zones(host_state: Any) -> set[str]:
    metadata = utils.aggregate_metadata_get_by_host(host_state, key=_KEY)
    if _KEY in metadata:
        zones: set[str] = metadata[_KEY]
        return zones
    return {nova_conf.CONF.default_availability_zone}
