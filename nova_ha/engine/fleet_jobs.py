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

"""What the leader keeps of its fleet, beside the cases: records, published
verdicts, requests, beacons.

As in :mod:`.performer`: nothing is decided here, and the right to act is
checked before each side effect.
"""

from collections.abc import Callable

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import deeds
from nova_ha.core import enrolment
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import texts
from nova_ha.engine import jobs

NO_HYPERVISOR = (
    "Nova does not list its hypervisor yet, and without its type nobody knows "
    "whether it may be fenced; hosts new to Nova have to be discovered "
    "(`nova-manage cell_v2 discover_hosts`)"
)
"""Why a host cannot be enrolled: an ironic nova-compute must never be."""


class FleetJobs:
    """Performs jobs that concern one host each; stateless."""

    def __init__(
        self,
        store: ports.CaseStore,
        compute: ports.Compute,
        leadership: ports.Leadership,
        clock: clock_mod.Clock,
    ) -> None:
        self._store = store
        self._compute = compute
        self._leadership = leadership
        self._clock = clock

    def perform(self, job: jobs.FleetJob, epoch: model.Epoch) -> events.Event:
        """Do it; every failure that can be expected becomes an event."""
        match job:
            case jobs.PublishVerdict():
                return self._publish(job, epoch)
            case jobs.EnrolHost():
                return self._enrol(job, epoch)
            case jobs.KeepQuarantine():
                return self._keep_quarantine(job, epoch)
            case jobs.DropRequest():
                return self._drop_request(job, epoch)
            case jobs.ChallengeHost():
                return self._challenge(job, epoch)
        raise TypeError(f"unknown job {job.key}")

    def _attempt(self, epoch: model.Epoch, change: Callable[[], None]) -> str:
        """Returns why it has not been made, or is not known to be."""
        try:
            self._leadership.check(epoch)
            change()
        except exception.NovaHaError as error:
            return texts.clip(str(error))
        return ""

    def _publish(
        self, job: jobs.PublishVerdict, epoch: model.Epoch
    ) -> events.Event:
        error = self._attempt(
            epoch, lambda: self._store.publish(epoch, job.host, job.verdict)
        )
        return events.Published(
            host=job.host, verdict=job.verdict, error=error
        )

    def _enrol(self, job: jobs.EnrolHost, epoch: model.Epoch) -> events.Event:
        try:
            kind = self._compute.hypervisor_types().get(job.host)
            if kind is None:
                return events.Enrolled(host=job.host, error=NO_HYPERVISOR)
            record = enrolment.enrol(
                job.beacon,
                job.service,
                job.engines,
                kind,
                self._clock.utcnow(),
            )
            self._leadership.check(epoch)
            self._store.enrol(epoch, record)
        except exception.NovaHaError as error:
            return events.Enrolled(host=job.host, error=texts.clip(str(error)))
        return events.Enrolled(host=job.host, record=record)

    def _drop_request(
        self, job: jobs.DropRequest, epoch: model.Epoch
    ) -> events.Event:
        error = self._attempt(
            epoch, lambda: self._store.drop_request(epoch, job.request)
        )
        return events.RequestDropped(host=job.host, error=error)

    def _challenge(
        self, job: jobs.ChallengeHost, epoch: model.Epoch
    ) -> events.Event:
        error = self._attempt(
            epoch,
            lambda: self._store.drop_beacon(epoch, job.host, job.session),
        )
        return events.Challenged(host=job.host, quiet=job.quiet, error=error)

    def _keep_quarantine(
        self, job: jobs.KeepQuarantine, epoch: model.Epoch
    ) -> events.Event:
        error = self._attempt(
            epoch, lambda: self._do(job.host, job.deed, epoch)
        )
        return events.QuarantineKept(host=job.host, deed=job.deed, error=error)

    def _do(
        self, host: model.HostName, deed: deeds.Deed, epoch: model.Epoch
    ) -> None:
        store, compute = self._store, self._compute
        match deed:
            case deeds.Count(at=at):
                store.count_death(epoch, host, at)
            case deeds.Begin(quarantine=quarantine):
                store.quarantine(epoch, host, quarantine)
            case deeds.End():
                store.quarantine(epoch, host, None)
            case deeds.Disable(service_id=service_id, reason=reason):
                compute.disable(service_id, reason)
            case deeds.Enable(service_id=service_id):
                compute.enable(service_id)
            case _:
                raise TypeError(f"unknown deed {deed}")


def failure(job: jobs.FleetJob, error: str) -> events.Event:
    """The event that tells of a job's unexpected end."""
    match job:
        case jobs.PublishVerdict(host=host, verdict=verdict):
            return events.Published(host=host, verdict=verdict, error=error)
        case jobs.EnrolHost(host=host):
            return events.Enrolled(host=host, error=error)
        case jobs.KeepQuarantine(host=host, deed=deed):
            return events.QuarantineKept(host=host, deed=deed, error=error)
        case jobs.DropRequest(host=host):
            return events.RequestDropped(host=host, error=error)
        case jobs.ChallengeHost(host=host, quiet=quiet):
            return events.Challenged(host=host, quiet=quiet, error=error)
    raise TypeError(f"unknown job {job.key}")
