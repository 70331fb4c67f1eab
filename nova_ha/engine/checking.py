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

"""Performs the jobs that see whether fencing would work."""

from nova_ha import exception
from nova_ha import ports
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import texts
from nova_ha.engine import jobs


class Checking:
    """Stateless, so that any thread may."""

    def __init__(
        self,
        fencing: ports.Fencing,
        store: ports.CaseStore,
        leadership: ports.Leadership,
    ) -> None:
        self._fencing = fencing
        self._store = store
        self._leadership = leadership

    def perform(self, job: jobs.CheckJob, epoch: model.Epoch) -> events.Event:
        """Do it; every failure that can be expected becomes an event."""
        match job:
            case jobs.CheckDevices(host=host, system_uuid=uuid):
                reports = tuple(self._fencing.examine(host, uuid))
                return events.DevicesChecked(host=host, reports=reports)
            case jobs.KeepFencing():
                return self._keep(job, epoch)
            case jobs.CheckTopology():
                return self._look_at_topology(job, epoch)
        raise TypeError(f"unknown job {job.key}")

    def _look_at_topology(
        self, job: jobs.CheckTopology, epoch: model.Epoch
    ) -> events.Event:
        state = self._fencing.topology()
        if not (state.problem or job.shown):
            return events.TopologyChecked(state=state, shown=False)
        error = ""
        try:
            self._leadership.check(epoch)
            self._store.show_refused(epoch, texts.clip(state.problem))
        except exception.NovaHaError as exc:
            error = texts.clip(str(exc))
        return events.TopologyChecked(
            state=state, shown=bool(state.problem or error), error=error
        )

    def _keep(self, job: jobs.KeepFencing, epoch: model.Epoch) -> events.Event:
        error = ""
        try:
            if job.barred:
                self._leadership.check(epoch)
                self._store.bar(epoch, job.host, job.barred)
            # What came before may have taken longer than the lease.
            self._leadership.check(epoch)
            self._store.keep_fencing(epoch, job.host, job.health)
        except exception.NovaHaError as exc:
            error = texts.clip(str(exc))
        return events.FencingKept(host=job.host, error=error)


def failure(job: jobs.CheckJob, error: str) -> events.Event:
    """The event that tells of a job's unexpected end."""
    match job:
        case jobs.CheckDevices(host=host):
            return events.DevicesChecked(host=host, error=error)
        case jobs.KeepFencing(host=host):
            return events.FencingKept(host=host, error=error)
        case jobs.CheckTopology():
            return events.TopologyChecked(state=None, error=error)
    raise TypeError(f"unknown job {job.key}")
