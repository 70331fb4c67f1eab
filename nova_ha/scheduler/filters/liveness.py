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
"""Keeps instances off hosts that are not fit to take any."""

from typing import Any

from nova_ha.coordination import view
from nova_ha.scheduler import selection
from nova_ha.scheduler import spec as spec_module
from nova_ha.scheduler.filters import base


class HostLivenessFilter(base.SnapshotFilter):
    """Passes hosts whose agent is alive and that no engine has excluded.

    Suspect, fenced, recovering, returning and maintained hosts are rejected
    seconds, not a minute, after they are gone; for boots, migrations and
    evacuations alike. Hosts that are not enrolled pass.
    """

    def _select(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> list[Any]:
        return selection.select(candidates, snapshot, spec_module.move(spec))
