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

from collections.abc import Iterable
from typing import Any

from nova import conf as nova_conf
from nova.scheduler import filters
from nova.scheduler import utils

from nova_ha import clock
from nova_ha.assembly import view
from nova_ha.conf import scheduler
from nova_ha.core import model
from nova_ha.scheduler import selection


class HostLivenessFilter(filters.BaseHostFilter):
    """Passes hosts whose agent is alive and that no engine has excluded.

    Suspect, fenced, recovering, returning and maintained hosts are rejected
    seconds, not a minute, after they are gone; for boots, migrations and
    evacuations alike. Hosts that are not enrolled pass.
    """

    # An instance that is rebuilt where it is stays where it is.
    RUN_ON_REBUILD = False

    def __init__(self) -> None:
        super().__init__()
        conf = nova_conf.CONF
        scheduler.register_opts(conf)
        options = conf[scheduler.GROUP.name]
        self._selection = selection.Selection(
            max_age=options.max_view_age, fail_closed=options.fail_closed
        )
        # Nova makes filters before it forks its workers. Each process opens
        # its own session when it first looks.
        self._view = view.open_view(conf, clock.SystemClock())

    def filter_all(
        self, filter_obj_list: Iterable[Any], spec_obj: Any
    ) -> list[Any]:
        """Filter all hosts of a request at once."""
        # Nova looks at RUN_ON_REBUILD only where hosts come one by one.
        if utils.request_is_rebuild(spec_obj):
            return list(filter_obj_list)
        return self._selection.select(
            list(filter_obj_list), self._view.snapshot(), _move(spec_obj)
        )

    def host_passes(self, host_state: Any, filter_properties: Any) -> bool:
        """Whether a single host passes."""
        return bool(self.filter_all([host_state], filter_properties))


def _move(spec_obj: Any) -> selection.Move | None:
    """What a request takes away from a host; None where it takes nothing.

    Nova marks an evacuation by nothing but the host that it must not end
    on, and so does every other move (nova.scheduler.request_filter and
    nova.conductor.manager set ``ignore_hosts`` to the source).
    """
    # Fields of Nova's objects may be unset, which getattr does not survive.
    leaving = spec_obj.ignore_hosts if "ignore_hosts" in spec_obj else None
    if not leaving:
        return None
    wanted = None
    if "requested_destination" in spec_obj:
        wanted = spec_obj.requested_destination
    return selection.Move(
        instance=model.InstanceId(spec_obj.instance_uuid),
        leaving=tuple(model.HostName(host) for host in leaving),
        named=bool(wanted and "host" in wanted and wanted.host),
    )
