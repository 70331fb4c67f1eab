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

"""Nova's own service reports: does nova-compute still report from there?"""

import threading
from typing import Self

from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import events
from nova_ha.evidence import base

LOG = logging.getLogger(__name__)


class ServiceReports(base.Driver):
    """Looks at all nova-compute services every ``interval`` seconds.

    One request for all hosts. What Nova thinks of a host (up, down) is not
    looked at, only whether its last report *moves*.
    """

    def __init__(
        self,
        compute: ports.Compute,
        clock: clock_mod.Clock,
        interval: float,
    ) -> None:
        self._compute = compute
        self._clock = clock
        self._interval = interval
        self._stopped = threading.Event()
        self._failing = False

    @classmethod
    def from_surroundings(cls, around: base.Surroundings) -> Self:
        return cls(
            around.compute,
            around.clock,
            around.settings["service_poll_interval"],
        )

    def start(self, sink: ports.Sink) -> None:
        self._clock.spawn(lambda: self._run(sink), "service-reports")

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> events.Event:
        """Ask Nova once."""
        began = self._clock.monotonic()
        try:
            services = self._compute.services()
        except exception.NovaHaError as error:
            if not self._failing:
                LOG.warning("Nova's services cannot be read: %s", error)
            self._failing = True
            return events.ServicesUnread(error=str(error))
        if self._failing:
            LOG.info("Nova's services can be read again")
        self._failing = False
        return events.ServicesRead(
            services={one.host: one for one in services}, began=began
        )

    def _run(self, sink: ports.Sink) -> None:
        while not self._stopped.is_set():
            began = self._clock.monotonic()
            try:
                sink(self.look())
            except Exception:
                # The edge of a thread that must outlive any odd answer.
                LOG.exception("Nova's services could not be understood")
            spent = self._clock.monotonic() - began
            # At least a breath, however slow Nova is.
            self._clock.wait(
                self._stopped, max(self._interval - spent, self._interval / 4)
            )
