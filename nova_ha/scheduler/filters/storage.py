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
"""Keeps evacuated instances where their disks are."""

from typing import Any

from nova_ha.coordination import view
from nova_ha.scheduler import spec as spec_module
from nova_ha.scheduler.filters import base


class SharedStorageFilter(base.SnapshotFilter):
    """Passes hosts of the dead host's storage domain, for an evacuation.

    Where the disks cannot be reached, Nova makes the root disk anew from its
    image, without a word. Hosts whose domain is not known pass, but none of
    which agent and operator say different ones; and all of them do if that
    of the dead host is not known; so do all for an instance that boots from a
    volume, and for other requests.
    """

    # Neither the hosts nor what is asked for change within a request.
    run_filter_once_per_request = True

    def _select(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> list[Any]:
        if spec_module.on_volume(spec):
            return candidates
        known = snapshot.hosts
        source = spec_module.evacuated_from(spec, snapshot)
        lost = known.get(source) if source is not None else None
        if lost is None or not lost.storage_domain:
            return candidates
        fitting = ("", lost.storage_domain)
        return [
            one
            for one in candidates
            if (view := known.get(one.host)) is None
            or (view.storage_domain in fitting and not view.storage_doubt)
        ]
