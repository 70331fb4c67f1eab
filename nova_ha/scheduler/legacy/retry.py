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

"""RetryFilter."""

from typing import Any

from nova_ha.scheduler.legacy import base


class RetryFilter(base.LegacyFilter):
    """Passes nodes that this request has not been tried on before."""

    REMOVED_IN = "22.0.0"
    REPLACED_BY = (
        "the scheduler gives each request alternates in advance, and a retry "
        "takes the next of them"
    )

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        # Fields of Nova's objects may be unset, which getattr does not
        # survive.
        retry = spec_obj.retry if "retry" in spec_obj else None
        if not retry:
            return True
        own = (host_state.host, host_state.nodename)
        return own not in {
            (node.host, node.hypervisor_hostname) for node in retry.hosts
        }
