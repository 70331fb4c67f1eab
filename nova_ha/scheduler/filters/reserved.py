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
"""Keeps reserved hosts free for evacuated instances."""

from typing import Any

from nova_ha.coordination import view
from nova_ha.scheduler import spec as spec_module
from nova_ha.scheduler.filters import base


class ReservedHostFilter(base.SnapshotFilter):
    """Passes reserved hosts for evacuations only, whoever has asked for it.

    An evacuation leaves an enrolled host that is gone or in recovery; from a
    host that is not enrolled it cannot be told from a migration, and is kept
    off reserved hosts as that is. An instance that runs on a reserved host
    may be resized there.
    """

    # Neither the hosts nor what is asked for change within a request.
    run_filter_once_per_request = True

    def _select(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> list[Any]:
        if spec_module.evacuated_from(spec, snapshot) is not None:
            return candidates
        known, instance = snapshot.hosts, spec_module.instance(spec)
        return [
            one
            for one in candidates
            if (view := known.get(one.host)) is None
            or not view.reserved
            or instance in one.instances
        ]
