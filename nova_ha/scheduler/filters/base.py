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
"""What our filters have in common."""

import abc
from collections.abc import Iterable
from typing import Any

from nova import conf as nova_conf
from nova.scheduler import filters
from nova.scheduler import utils
from oslo_log import log as logging

from nova_ha.coordination import view
from nova_ha.scheduler import sight

LOG = logging.getLogger(__name__)


class SnapshotFilter(filters.BaseHostFilter):
    """Decides by a snapshot of the hosts: no I/O, no log line for each.

    While nothing is known of the hosts it passes all of them or none, by the
    option ``fail_closed``.
    """

    # An instance that is rebuilt where it is stays where it is.
    RUN_ON_REBUILD = False

    def __init__(self) -> None:
        super().__init__()
        self._options = sight.options(nova_conf.CONF)
        self._view = sight.shared(nova_conf.CONF)

    @abc.abstractmethod
    def _select(
        self, candidates: list[Any], snapshot: view.ViewSnapshot, spec: Any
    ) -> list[Any]:
        """Those that pass."""

    def _blindly(self, candidates: list[Any], spec: Any) -> list[Any]:
        """Those that pass while nothing is known of the hosts."""
        return [] if self._view.fail_closed else candidates

    def filter_all(
        self, filter_obj_list: Iterable[Any], spec_obj: Any
    ) -> list[Any]:
        """Filter all hosts of a request at once."""
        candidates = list(filter_obj_list)
        # Nova looks at RUN_ON_REBUILD only where hosts come one by one.
        if utils.request_is_rebuild(spec_obj):
            return candidates
        snapshot = self._view.look()
        if snapshot is None:
            return self._blindly(candidates, spec_obj)
        passed = self._select(candidates, snapshot, spec_obj)
        LOG.debug(
            "%s: %d of %d hosts pass, as they were known %.1f s ago",
            type(self).__name__,
            len(passed),
            len(candidates),
            snapshot.age,
        )
        return passed

    def host_passes(self, host_state: Any, filter_properties: Any) -> bool:
        """Whether a single host passes."""
        return bool(self.filter_all([host_state], filter_properties))
