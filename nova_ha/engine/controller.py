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

"""Event in, jobs out: one thread, no I/O, no waiting.

The controller keeps what the core needs to decide, asks it, and sees to the
order: a case is saved before anything that follows from it is done, and
while it is being saved, further events wait in its mailbox.
"""

import dataclasses
from collections.abc import Iterable

from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha.core import actions
from nova_ha.core import brake
from nova_ha.core import enrolment
from nova_ha.core import events
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import publication
from nova_ha.core import recovery
from nova_ha.core import sources
from nova_ha.core import storm
from nova_ha.core import verdict as verdict_mod
from nova_ha.core import work
from nova_ha.core import world as world_mod
from nova_ha.engine import executor as executor_mod
from nova_ha.engine import jobs
from nova_ha.engine import quarantines

LOG = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds before a save, load or publication that failed is tried again."""

ENROL_RETRY = 5.0

VERDICT, WOULD = "verdict", "would"
"""What has been told of a host, by topic: each change once."""


@dataclasses.dataclass(slots=True)
class OpenCase:
    """A case that this engine leads."""

    case: model.RecoveryCase
    progress: work.Progress
    version: int | None = None
    saving: bool = False
    save_at: float = 0.0
    unsaved: work.Step | None = None
    """Its actions wait for the save."""
    mailbox: list[events.Event] = dataclasses.field(default_factory=list)


class Controller:
    """Reacts to events; call :meth:`handle` from one thread only."""

    def __init__(
        self,
        policy: policy_mod.Policy,
        clock: clock_mod.Clock,
        executor: executor_mod.Executor,
        notifier: ports.Notifier,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._executor = executor
        self._notifier = notifier
        self.fleet = liveness.Fleet()
        self.control = model.Control()
        self.epoch: model.Epoch | None = None
        self.cases: dict[model.HostName, OpenCase] = {}
        self.verdicts: dict[model.HostName, model.Verdict] = {}
        self._confirmations: dict[model.CaseId, model.Confirmation] = {}
        self._loaded = False
        self._load_at: float | None = None
        self._attention: set[model.HostName] = set()
        self._published: dict[
            model.HostName, model.PublishedVerdict | None
        ] = {}
        self._publishing: dict[model.HostName, float] = {}
        self._enrolling: dict[model.HostName, float] = {}
        self._told: dict[tuple[model.HostName, str], str] = {}
        self._cached_world: world_mod.World | None = None
        self._suspects: set[model.HostName] = set()
        self._memory = brake.Memory()
        self._quarantines = quarantines.Quarantines(
            policy, self._submit, notifier
        )
        self._now = model.Now(mono=clock.monotonic(), utc=clock.utcnow())

    @property
    def leading(self) -> bool:
        """This engine leads and knows what its predecessors left."""
        return self.epoch is not None and self._loaded

    @property
    def busy(self) -> bool:
        """Some host wants attention at every tick."""
        return bool(
            self.cases or self._attention or self._quarantines.restless
        )

    def handle(self, event: events.Event) -> None:
        """Take in one event and do what follows."""
        before, self._now = (
            self._now,
            model.Now(mono=self._clock.monotonic(), utc=self._clock.utcnow()),
        )
        self._cached_world = None
        hosts = self._doubt_after_break(self._now.mono - before.mono)
        hosts |= self._take_in(event)
        hosts |= self._attention | self.cases.keys()
        hosts |= self._quarantines.restless
        self._judge(hosts)
        self._reload_if_due()
        if self.leading:
            self._lead(hosts, event)

    def _doubt_after_break(self, seconds: float) -> set[model.HostName]:
        """Treat a break of our own like an outage: what has happened in it
        is not known, and no age that spans it means anything."""
        if seconds <= sources.BREAK:
            return set()
        LOG.warning("This engine stood still for %.1f s", seconds)
        self._tell(
            "engine.stalled",
            f"for {seconds:.1f} s: everything is read again, and ages count "
            "from then",
            model.Severity.WARNING,
        )
        outage = events.ConnectionChanged(connected=False)
        return set(self.fleet.fold(outage, self._now.mono))

    # -- taking in --

    def _take_in(self, event: events.Event) -> set[model.HostName]:
        match event:
            case events.LeadershipChanged(epoch=epoch):
                self._change_leadership(epoch)
            case events.CasesLoaded():
                return self._take_cases(event)
            case events.ControlRead(control=control):
                self._change_control(control)
                return set(self.verdicts)
            case events.ConfirmationsRead(confirmations=confirmations):
                self._confirmations = dict(confirmations)
            case events.Published():
                self._take_published(event)
            case events.Enrolled():
                self._take_enrolled(event)
            case events.Saved():
                self._take_saved(event)
            case events.SaveFailed():
                self._take_save_failed(event)
            case events.Closed():
                return self._take_closed(event)
            case _:
                self._remember(event)
                return set(self.fleet.fold(event, self._now.mono))
        return set()

    def _remember(self, event: events.Event) -> None:
        """Keep what concerns neither the fleet nor a case alone."""
        match event:
            case events.QuarantineKept():
                self._quarantines.take(event, self._now)
            case events.Fenced(host=host, outcome=outcome) if outcome.off_sent:
                self._memory = storm.fenced(self._memory, host, self._now.mono)

    def _change_leadership(self, epoch: model.Epoch | None) -> None:
        self.epoch = epoch
        self._forget()
        self._load_at = None if epoch is None else self._now.mono
        if epoch is None:
            LOG.info("This engine does not lead")
        else:
            LOG.info("This engine leads in epoch %s", epoch)

    def _forget(self) -> None:
        """Trust nothing about cases that is only in memory."""
        self.cases.clear()
        self._published.clear()
        self._publishing.clear()
        self._enrolling.clear()
        self._told.clear()
        self._quarantines.forget()
        self._loaded = False

    def _reload_if_due(self) -> None:
        if self.epoch is None or self._load_at is None:
            return
        if self._now.mono >= self._load_at:
            self._load_at = None
            self._submit(jobs.LoadCases())

    def _take_cases(self, event: events.CasesLoaded) -> set[model.HostName]:
        if self.epoch is None or self._loaded:
            return set()
        if event.epoch != self.epoch:
            # Asked for in an earlier term of ours, whose question kept ours
            # from being put.
            self._load_at = self._now.mono
            return set()
        if event.error:
            LOG.warning("The cases could not be read: %s", event.error)
            self._load_at = self._now.mono + RETRY
            return set()
        for case, version in event.cases:
            taken, progress = recovery.take_over(case, self.epoch, self._now)
            self.cases[case.host] = OpenCase(taken, progress, version)
            self._save(self.cases[case.host])
            self._tell_case(taken, "case.taken_over", "by a new leader")
        self._published = {one.host: one for one in event.published}
        self._memory = storm.take_over(
            [one.case for one in self.cases.values()], self._now.mono
        )
        self._loaded = True
        self._tell("engine.leading", f"in epoch {self.epoch}")
        return set(self.fleet.views) | self._published.keys()

    def _change_control(self, control: model.Control) -> None:
        if control == self.control:
            return
        self.control = control
        state = "armed" if control.armed else "disarmed"
        if control.paused:
            state += ", paused"
        self._told.clear()
        self._tell("control.changed", f"{state} by {control.by or 'nobody'}")

    # -- judging --

    def _judge(self, hosts: Iterable[model.HostName]) -> None:
        for host in hosts:
            view = self.fleet.view(host)
            if view is None:
                self.verdicts.pop(host, None)
                self._attention.discard(host)
                self._suspects.discard(host)
                self._quarantines.drop(host)
                continue
            open_case = self.cases.get(host)
            verdict = verdict_mod.judge(
                view,
                None if open_case is None else open_case.case,
                self._policy,
                self._now.mono,
                connected=self.fleet.connected,
            )
            self.verdicts[host] = verdict
            if verdict.kind is model.VerdictKind.ALIVE:
                self._attention.discard(host)
            else:
                self._attention.add(host)
            if verdict_mod.suspect(verdict):
                self._suspects.add(host)
            else:
                self._suspects.discard(host)

    def _world(self) -> world_mod.World:
        if self._cached_world is None:
            self._cached_world = world_mod.World(
                fleet=self.fleet,
                cases={host: one.case for host, one in self.cases.items()},
                verdicts=self.verdicts,
                control=self.control,
                confirmations=self._confirmations,
                policy=self._policy,
                suspects=self._suspects,
                memory=self._memory,
            )
        return self._cached_world

    def _submit(self, job: jobs.Job) -> None:
        """Have a job done, in our own term of leadership."""
        if self.epoch is not None:
            self._executor.submit(job, self.epoch)

    # -- leading --

    def _lead(self, hosts: set[model.HostName], event: events.Event) -> None:
        self._watch_storms()
        for host in sorted(hosts):
            self._enrol_if_wanted(host)
            self._keep_quarantine(host)
            self._tell_verdict(host)
            open_case = self.cases.get(host)
            if open_case is None:
                self._open_if_suspect(host)
            else:
                self._step(open_case, _for_case(event, open_case.case))
            self._publish_if_changed(host)

    def _watch_storms(self) -> None:
        memory, told = storm.fold(self._memory, self._world(), self._now.mono)
        if memory is not self._memory:
            self._memory, self._cached_world = memory, None
        for event in told:
            self._notifier.emit(event)

    def _keep_quarantine(self, host: model.HostName) -> None:
        view, one = self.fleet.view(host), self.cases.get(host)
        if view is not None and self.fleet.connected:
            case = None if one is None else one.case
            self._quarantines.look(view, case, self._now)

    def _open_if_suspect(self, host: model.HostName) -> None:
        verdict = self.verdicts.get(host)
        if verdict is None or not verdict_mod.suspect(verdict):
            return
        world = self._world()
        if world.stopped is not None:
            if verdict.kind is model.VerdictKind.DOWN:
                self._tell_once(
                    host,
                    WOULD,
                    "host.would_fence",
                    f"would fence {host}: "
                    f"{verdict_mod.EXPLAIN[verdict.reason]}; nothing is "
                    f"done: {world.stopped.value}",
                )
            return
        if self.epoch is None:
            return
        case = recovery.open_case(host, world, self.epoch, self._now)
        self.cases[host] = OpenCase(case, work.Progress())
        self._cached_world = None
        self._tell_case(case, "case.opened", verdict.reason.value)
        self._save(self.cases[host])

    def _step(self, one: OpenCase, event: events.Event) -> None:
        """Let a case go on - or later, if it is just being saved."""
        if one.saving:
            if not isinstance(event, events.Tick):
                one.mailbox.append(event)
            return
        if one.unsaved is not None:
            if not isinstance(event, events.Tick):
                one.mailbox.append(event)
            if self._now.mono >= one.save_at:
                self._save(one)
            return
        step = recovery.step(
            one.case, one.progress, event, self._world(), self._now
        )
        one.case, one.progress = step.case, step.progress
        self._cached_world = None
        if step.changed:
            one.unsaved = step
            self._save(one)
        else:
            self._carry_out(one, step)

    def _save(self, one: OpenCase) -> None:
        if one.unsaved is None:
            one.unsaved = work.Step(
                case=one.case, progress=one.progress, changed=True
            )
        one.saving = True
        self._submit(
            jobs.SaveCase(
                host=one.case.host, case=one.case, version=one.version
            )
        )

    def _carry_out(self, one: OpenCase, step: work.Step) -> None:
        for audit in step.audit:
            self._notifier.emit(audit)
        for action in step.actions:
            if isinstance(action, actions.Close):
                self._close(one)
            else:
                self._submit(jobs.Perform(host=one.case.host, action=action))

    def _close(self, one: OpenCase) -> None:
        if one.version is not None:
            self._submit(
                jobs.CloseCase(
                    host=one.case.host, case=one.case, version=one.version
                )
            )

    def _own(self, event: events.CaseEvent) -> OpenCase | None:
        one = self.cases.get(event.host)
        return one if one and one.case.id == event.case else None

    def _take_saved(self, event: events.Saved) -> None:
        one = self._own(event)
        if one is None or not one.saving:
            return
        one.version, one.saving = event.version, False
        step, one.unsaved = one.unsaved, None
        if step is not None:
            self._carry_out(one, step)
        mailbox, one.mailbox = one.mailbox, []
        for waiting in mailbox:
            # Those after one that changes the case wait in the mailbox for
            # the next save.
            self._step(one, waiting)

    def _take_save_failed(self, event: events.SaveFailed) -> None:
        one = self._own(event)
        if one is None:
            return
        one.saving = False
        if not event.stale:
            LOG.warning("Case %s not saved: %s", event.case, event.error)
            one.save_at = self._now.mono + RETRY
            return
        # Somebody else leads, or an unanswered save of ours took effect.
        # Either way what is in memory is not to be trusted.
        LOG.warning("Case %s: %s; reading again", event.case, event.error)
        self._forget()
        self._load_at = self._now.mono + RETRY

    def _take_closed(self, event: events.Closed) -> set[model.HostName]:
        one = self._own(event)
        if one is None:
            return set()
        del self.cases[event.host]
        return {event.host}

    # -- enrolling and publishing --

    def _enrol_if_wanted(self, host: model.HostName) -> None:
        view = self.fleet.view(host)
        if view is None or self._enrolling.get(host, 0.0) > self._now.mono:
            return
        beacon = view.facts.beacon
        service = self.fleet.services.get(host)
        engines = self.fleet.contenders
        if beacon is None or service is None:
            return
        if enrolment.wanted(view, service, engines):
            self._enrolling[host] = self._now.mono + ENROL_RETRY
            self._submit(
                jobs.EnrolHost(
                    host=host,
                    beacon=beacon,
                    service=service,
                    engines=engines,
                )
            )

    def _take_enrolled(self, event: events.Enrolled) -> None:
        if event.record is None:
            LOG.warning("Host %s not enrolled: %s", event.host, event.error)
            return
        protected = event.record.protected
        self._notifier.emit(
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

    def _publish_if_changed(self, host: model.HostName) -> None:
        if self._publishing.get(host, 0.0) > self._now.mono:
            return
        one = self.cases.get(host)
        wanted = publication.of(
            host,
            self.verdicts.get(host),
            None if one is None else one.case,
            self._world(),
            self._now,
        )
        if publication.same(wanted, self._published.get(host)):
            return
        # Until the answer comes; it always does.
        self._publishing[host] = float("inf")
        self._submit(jobs.PublishVerdict(host=host, verdict=wanted))

    def _take_published(self, event: events.Published) -> None:
        if event.error:
            LOG.warning(
                "Verdict on %s not published: %s", event.host, event.error
            )
            self._publishing[event.host] = self._now.mono + RETRY
            return
        self._publishing.pop(event.host, None)
        if event.verdict is None:
            self._published.pop(event.host, None)
        else:
            self._published[event.host] = event.verdict
        self._attention.add(event.host)

    # -- telling --

    def _tell_verdict(self, host: model.HostName) -> None:
        verdict = self.verdicts.get(host)
        if verdict is None or not self.fleet.connected:
            return
        code, severity = publication.code(verdict)
        if self._told.get((host, VERDICT), "host.alive") == code:
            return
        message = verdict_mod.EXPLAIN[verdict.reason]
        if verdict.detail:
            message += f" ({verdict.detail})"
        self._told.pop((host, WOULD), None)
        self._tell_once(host, VERDICT, code, message, severity)

    def _tell_once(
        self,
        host: model.HostName,
        topic: str,
        code: str,
        message: str,
        severity: model.Severity = model.Severity.WARNING,
    ) -> None:
        if self._told.get((host, topic)) == code:
            return
        self._told[host, topic] = code
        self._notifier.emit(
            model.AuditEvent(
                code=code, severity=severity, host=host, message=message
            )
        )

    def _tell_case(
        self, case: model.RecoveryCase, code: str, message: str
    ) -> None:
        self._notifier.emit(
            model.AuditEvent(
                code=code, host=case.host, case=case.id, message=message
            )
        )

    def _tell(
        self,
        code: str,
        message: str,
        severity: model.Severity = model.Severity.INFO,
    ) -> None:
        if self.epoch is not None:
            self._notifier.emit(
                model.AuditEvent(code=code, message=message, severity=severity)
            )


def _for_case(event: events.Event, case: model.RecoveryCase) -> events.Event:
    """The event, if it concerns the case; else a mere tick."""
    if isinstance(event, events.CaseEvent) and event.case == case.id:
        return event
    if isinstance(event, events.PowerRead) and event.host == case.host:
        return event
    return events.Tick()
