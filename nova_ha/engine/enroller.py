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

"""Hosts whose agent and nova-compute are there are enrolled by themselves."""

from collections.abc import Callable

from oslo_log import log as logging

from nova_ha.core import enrolment
from nova_ha.core import events
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import storage
from nova_ha.engine import jobs
from nova_ha.engine import telling

LOG = logging.getLogger(__name__)

RETRY = 5.0
"""Seconds until a record that was written is expected to show, and until a
failure is tried again."""

_STORAGE = "storage"


class Enroller:
    """Has the records of hosts written and brought up to date."""

    def __init__(
        self, submit: Callable[[jobs.Job], None], teller: telling.Teller
    ) -> None:
        self._submit = submit
        self._teller = teller
        self._not_before: dict[model.HostName, float] = {}
        self._problems: dict[model.HostName, str] = {}

    def forget(self) -> None:
        """Another term: ask again."""
        self._not_before.clear()
        self._problems.clear()

    def drop(self, host: model.HostName) -> None:
        """The host is gone."""
        self._not_before.pop(host, None)
        self._problems.pop(host, None)

    def look(
        self, view: liveness.HostView, fleet: fleet_mod.Fleet, now: float
    ) -> None:
        """Enrol the host, if that is due."""
        self._tell_doubt(view)
        host, beacon = view.host, view.facts.beacon
        service, engines = fleet.services.get(host), fleet.contenders
        if beacon is None or service is None:
            return
        if not enrolment.wanted(view, service, engines):
            self.drop(host)
            return
        if self._not_before.get(host, 0.0) > now:
            return
        self._not_before[host] = now + RETRY
        self._submit(
            jobs.EnrolHost(
                host=host, beacon=beacon, service=service, engines=engines
            )
        )

    def _tell_doubt(self, view: liveness.HostView) -> None:
        doubt = storage.of(view.facts).doubt
        if not doubt:
            self._teller.renew(view.host, _STORAGE)
            return
        self._teller.once(
            view.host,
            _STORAGE,
            model.AuditEvent(
                code="host.storage_in_doubt",
                severity=model.Severity.WARNING,
                host=view.host,
                message=f"{doubt}: its disks count as shared with nobody",
            ),
        )

    def take(self, event: events.Enrolled) -> None:
        """The answer."""
        if event.record is None:
            # As an unreadable record would be, every five seconds.
            if self._problems.get(event.host) != event.error:
                self._problems[event.host] = event.error
                LOG.warning(
                    "Host %s not enrolled: %s", event.host, event.error
                )
            return
        protected = event.record.protected
        self._teller.tell(
            model.AuditEvent(
                code="host.protected" if protected else "host.enrolled",
                severity=model.Severity.WARNING
                if protected
                else model.Severity.INFO,
                host=event.host,
                message=f"refused for fencing: {protected}"
                if protected
                else "is watched from now on",
            )
        )
