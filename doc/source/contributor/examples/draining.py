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

"""Filter that empties racks for planned work (an example)."""

from typing import Any

from nova.scheduler import filters
from nova.scheduler.filters import utils

KEY = "draining"


class DrainingFilter(filters.BaseHostFilter):
    """Keeps everything new off the hosts of aggregates with the metadata
    ``draining=true``."""

    # An instance that is rebuilt where it is stays where it is.
    RUN_ON_REBUILD = False

    # Neither the hosts nor their aggregates change within a request.
    run_filter_once_per_request = True

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        return "true" not in utils.aggregate_values_from_key(host_state, KEY)
