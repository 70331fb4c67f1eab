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

"""How: one job or action to calls of the ports, and their result to an event.

Nothing is decided here. Before *each* side effect the leader's right to act
is checked by its local deadline: a paused or deposed engine that wakes up
here does nothing.
"""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from nova_ha import clock as clock_mod
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import rules
from nova_ha.core import texts
from nova_ha.engine import checking
from nova_ha.engine import fleet_jobs
from nova_ha.engine import jobs
from nova_ha.engine import last_look
from nova_ha.engine import surveying

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """The ports that an engine acts through."""

    membership: ports.Membership
    leadership: ports.Leadership
    store: ports.CaseStore
    compute: ports.Compute
    fencing: ports.Fencing
    sign_readers: Sequence[ports.SignReader] = ()


class Performer:
    """Performs jobs; stateless, so that any thread may."""

    def __init__(
        self, world: World, clock: clock_mod.Clock, gather: surveying.Gather
    ) -> None:
        self._world = world
        self._clock = clock
        self._gather = gather
        self._last_look = last_look.LastLook(
            world.membership,
            world.compute,
            world.leadership,
            world.sign_readers,
        )
        self._fleet = fleet_jobs.FleetJobs(
            world.store, world.compute, world.leadership, clock
        )
        self._checks = checking.Checking(
            world.fencing, world.store, world.leadership
        )

    def perform(self, job: jobs.Job, epoch: model.Epoch) -> events.Event:
        """Do it; every failure that can be expected becomes an event."""
        match job:
            case jobs.LoadCases():
                return self._load(epoch)
            case jobs.SaveCase():
                return self._save(job)
            case jobs.CloseCase():
                return self._close(job)
            case jobs.FleetJob():
                return self._fleet.perform(job, epoch)
            case jobs.CheckJob():
                return self._checks.perform(job, epoch)
            case jobs.Perform():
                return self._act(job.action, epoch)
        raise TypeError(f"unknown job {job.key}")

    # -- the record --

    def _load(self, epoch: model.Epoch) -> events.Event:
        store = self._world.store
        try:
            stored = store.load()
            return events.CasesLoaded(
                epoch=epoch,
                cases=tuple((one.case, one.version) for one in stored.cases),
                unreadable=stored.unreadable,
                published=tuple(store.published()),
            )
        except exception.NovaHaError as error:
            return events.CasesLoaded(epoch=epoch, error=_words(error))

    def _save(self, job: jobs.SaveCase) -> events.Event:
        case = job.case
        try:
            self._world.leadership.check(case.epoch)
            version = self._world.store.save(case, job.version)
        except (exception.StaleVersion, exception.NotLeading) as error:
            return _save_failed(case, error, stale=True)
        except exception.PayloadError as error:
            return _save_failed(case, error, unfit=True)
        except exception.NovaHaError as error:
            return _save_failed(case, error)
        return events.Saved(host=case.host, case=case.id, version=version)

    def _close(self, job: jobs.CloseCase) -> events.Event:
        case = job.case
        try:
            self._world.leadership.check(case.epoch)
            self._world.store.consume(case.epoch, case.id)
            # Consuming may have taken longer than the lease.
            self._world.leadership.check(case.epoch)
            self._world.store.close(case, job.version)
        except (exception.StaleVersion, exception.NotLeading) as error:
            return _save_failed(case, error, stale=True)
        except exception.NovaHaError as error:
            return events.ActionFailed(
                host=case.host,
                case=case.id,
                key=actions.Close.__name__,
                error=_words(error),
            )
        return events.Closed(host=case.host, case=case.id)

    # -- actions of a case --

    def _act(self, action: actions.Action, epoch: model.Epoch) -> events.Event:
        match action:
            case actions.Fence():
                return self._fence(action, epoch)
            case actions.ReadPower():
                return self._read_power(action)
            case actions.Evacuate():
                return self._evacuate(action, epoch)
        try:
            if isinstance(action, actions.TakeSurvey):
                return self._survey(action)
            self._world.leadership.check(epoch)
            self._change(action, epoch)
        except exception.NovaHaError as error:
            return events.ActionFailed(
                host=action.host,
                case=action.case,
                key=action.key,
                error=_words(error),
                refused=isinstance(error, exception.ComputeRefused),
            )
        return events.ActionDone(
            host=action.host, case=action.case, key=action.key
        )

    def _change(self, action: actions.Action, epoch: model.Epoch) -> None:
        compute = self._world.compute
        match action:
            case actions.ForceDown(service_id=service_id):
                compute.force_down(service_id, True)
            case actions.LiftForceDown(service_id=service_id):
                compute.force_down(service_id, False)
            case actions.Disable(service_id=service_id, reason=reason):
                compute.disable(service_id, reason)
            case actions.Enable(service_id=service_id):
                compute.enable(service_id)
            case actions.Repair():
                self._repair(action, epoch)
            case actions.Consume(case=case):
                self._world.store.consume(epoch, case)
            case actions.BarDevices():
                self._bar(action, epoch)
            case actions.PowerOn():
                self._power_on(action, epoch)
            case _:
                raise TypeError(f"unknown action {action.key}")

    def _repair(self, action: actions.Repair, epoch: model.Epoch) -> None:
        compute, instance = self._world.compute, action.instance
        found = compute.instance(instance)
        if found is None or found.host != action.target:
            return
        # Reading may have taken longer than the lease.
        if found.vm_state == "error":
            self._world.leadership.check(epoch)
            compute.repair_state(instance)
        if action.stop and found.vm_state in ("active", "error"):
            self._world.leadership.check(epoch)
            compute.stop_instance(instance)

    def _reset(self, action: actions.Evacuate, epoch: model.Epoch) -> None:
        """Set an instance that is still on its dead host to active. Its
        evacuation is not sent unless that has been done.

        :raises ComputeRefused: nothing has been sent.
        """
        compute, instance = self._world.compute, action.instance
        try:
            found = compute.instance(instance)
            if (
                found is not None
                and found.host == action.host
                and found.vm_state in rules.RESETTABLE
            ):
                self._world.leadership.check(epoch)
                compute.repair_state(instance)
                self._world.leadership.check(epoch)
        except exception.ComputeError as error:
            raise exception.ComputeRefused(
                f"not sent, because its state was not reset: {error}"
            ) from None

    def _evacuate(
        self, action: actions.Evacuate, epoch: model.Epoch
    ) -> events.Event:
        accepted, refused, problem = False, False, ""
        try:
            self._world.leadership.check(epoch)
            if action.reset:
                self._reset(action, epoch)
            self._world.compute.evacuate(action.instance, action.target)
            accepted = True
        except (exception.ComputeRefused, exception.NotLeading) as error:
            refused, problem = True, _words(error)
        except exception.NovaHaError as error:
            problem = _words(error)
        return events.EvacuateAnswered(
            host=action.host,
            case=action.case,
            instance=action.instance,
            accepted=accepted,
            refused=refused,
            error=problem,
        )

    # -- fencing --

    def _read_power(self, action: actions.ReadPower) -> events.Event:
        began = self._clock.monotonic()
        reading = self._world.fencing.power_state(action.host, action.barred)
        return events.PowerRead(host=action.host, reading=reading, began=began)

    def _fence(
        self, action: actions.Fence, epoch: model.Epoch
    ) -> events.Event:
        try:
            self._world.leadership.check(epoch)
        except exception.NotLeading as error:
            outcome = model.FenceOutcome(
                host=action.host, aborted=_words(error)
            )
        else:
            outcome = self._world.fencing.fence(
                action.host,
                lambda: self._last_look.at(action, epoch),
                action.barred,
                action.system_uuid,
            )
        return events.Fenced(
            host=action.host, case=action.case, outcome=outcome
        )

    def _bar(self, action: actions.BarDevices, epoch: model.Epoch) -> None:
        bar = model.Bar(reason=action.reason, since=self._clock.utcnow())
        self._world.store.bar(
            epoch, action.host, {device: bar for device in action.devices}
        )

    def _power_on(self, action: actions.PowerOn, epoch: model.Epoch) -> None:
        """:raises FenceAborted: an operator wants it otherwise by now."""
        self._last_look.before_power_on(action, epoch)
        self._world.fencing.power_on(action.host, action.barred)

    # -- surveys --

    def _survey(self, action: actions.TakeSurvey) -> events.Event:
        began = self._clock.monotonic()
        survey = surveying.ask(self._world.compute, action, self._gather)
        if action.power:
            # Last, however long Nova has taken: this proof perishes.
            reading = self._world.fencing.power_state(
                action.host, action.barred
            )
            survey = dataclasses.replace(survey, power=reading)
        return events.Surveyed(
            host=action.host, case=action.case, survey=survey, began=began
        )


def _words(error: Exception) -> str:
    """What it says. A server may answer with a whole page, and its words end
    up in cases, publications and notifications."""
    return texts.clip(str(error))


def _save_failed(
    case: model.RecoveryCase,
    error: Exception,
    *,
    stale: bool = False,
    unfit: bool = False,
) -> events.Event:
    return events.SaveFailed(
        host=case.host,
        case=case.id,
        error=_words(error),
        stale=stale,
        unfit=unfit,
    )
