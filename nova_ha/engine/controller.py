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

The controller keeps what the core needs to decide, asks it about the hosts
that an event concerns, and has done what follows.
"""

from collections.abc import Iterable, Mapping

from oslo_log import log as logging

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha.core import brake
from nova_ha.core import events
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import publication
from nova_ha.core import sources
from nova_ha.core import storm
from nova_ha.core import verdict as verdict_mod
from nova_ha.core import world as world_mod
from nova_ha.engine import announcer
from nova_ha.engine import caretakers
from nova_ha.engine import executor as executor_mod
from nova_ha.engine import jobs
from nova_ha.engine import metering
from nova_ha.engine import open_cases
from nova_ha.engine import publisher
from nova_ha.engine import requests
from nova_ha.engine import telling

LOG = logging.getLogger(__name__)

SWEEP = 0.1
"""Seconds after which all hosts that want attention are looked at, however
many news of others keep coming; as often as the engine ticks when busy."""


class Controller:
    """Reacts to events; call :meth:`handle` from one thread only."""

    def __init__(
        self,
        policy: policy_mod.Policy,
        clock: clock_mod.Clock,
        executor: executor_mod.Executor,
        notifier: ports.Notifier,
        meter: ports.Meter = metering.NO_METER,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._executor = executor
        self._teller = telling.Teller(notifier)
        self._announcer = announcer.Announcer(self._teller)
        self.fleet = fleet_mod.Fleet()
        self.control = model.Control()
        self.epoch: model.Epoch | None = None
        self.verdicts: dict[model.HostName, model.Verdict] = {}
        self._confirmations: dict[model.CaseId, model.Confirmation] = {}
        self._attention: set[model.HostName] = set()
        """Hosts whose verdict may change by time alone."""
        self._sweep_at = 0.0
        self._cached_world: world_mod.World | None = None
        self._suspects: set[model.HostName] = set()
        self._memory = brake.Memory()
        self._metering = metering.Metering(meter)
        self._open = open_cases.OpenCases(
            policy,
            self._submit,
            self._teller,
            self._world,
            self._changed,
            self._metering.saved,
        )
        self._publisher = publisher.Publisher(self._submit)
        self._caretakers = caretakers.Caretakers(
            policy, self._submit, self._teller, notifier
        )
        self._requests = requests.Requests(self._submit, self._teller)
        self._now = model.Now(mono=clock.monotonic(), utc=clock.utcnow())

    @property
    def cases(self) -> Mapping[model.HostName, open_cases.OpenCase]:
        """The cases that this engine leads."""
        return self._open.by_host

    @property
    def leading(self) -> bool:
        """This engine leads and knows what its predecessors left."""
        return self.epoch is not None and self._open.loaded

    @property
    def busy(self) -> bool:
        """Some host wants attention at every tick."""
        return bool(self._restless())

    def handle(self, event: events.Event) -> None:
        """Take in one event and do what follows."""
        before, self._now = (
            self._now,
            model.Now(mono=self._clock.monotonic(), utc=self._clock.utcnow()),
        )
        self._changed()
        self._metering.note(event, self._now.mono)
        hosts = self._doubt_after_break(self._now.mono - before.mono)
        hosts |= self._take_in(event)
        if isinstance(event, events.Tick) or self._now.mono >= self._sweep_at:
            self._sweep_at = self._now.mono + SWEEP
            hosts |= self._restless()
        self._judge(hosts)
        if self.epoch is not None:
            self._open.load_if_due(self._now)
        if self.leading:
            self._lead(hosts, event)
        if self._metering.due(self._now.mono):
            self._metering.count(
                self._world(), self._open, self._now.mono, self.epoch
            )

    def _restless(self) -> set[model.HostName]:
        """Hosts to look at even if there is no news of them."""
        return self._attention.union(
            self.cases,
            self._caretakers.restless,
            self._publisher.restless,
            self._requests.by_host,
        )

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
        """Returns the hosts that it concerns."""
        match event:
            case events.LeadershipChanged(epoch=epoch):
                self._change_leadership(epoch)
            case events.CasesLoaded():
                return self._take_cases(event)
            case events.ControlRead(control=control):
                return self._change_control(control)
            case events.ConfirmationsRead(confirmations=confirmations):
                self._confirmations = dict(confirmations)
                return set(self.cases)
            case events.RequestsRead() | events.RequestDropped():
                return self._requests.take(event)
            case events.CaseEvent():
                return self._take_result(event)
            case events.InstanceStirred(instance=instance):
                return self._open.waiting_for(instance)
            case events.Published(host=host):
                self._publisher.take(event, self._now.mono)
                return {host}
            case (
                events.QuarantineKept()
                | events.Enrolled()
                | events.Challenged()
                | events.DevicesChecked()
                | events.FencingKept()
                | events.TopologyChecked()
            ):
                return self._caretakers.take(event, self.fleet, self._now)
            case _:
                return set(self.fleet.fold(event, self._now.mono))
        return set()

    def _take_result(self, event: events.CaseEvent) -> set[model.HostName]:
        """What has become of an action or a save."""
        concerned = {event.host}
        match event:
            case events.Saved():
                self._open.take_saved(event, self._now)
            case events.SaveFailed():
                self._open.take_save_failed(event, self._now)
            case events.Closed():
                self._open.take_closed(event)
            case events.Fenced(host=host, outcome=outcome):
                if outcome.off_sent:
                    self._memory = storm.fenced(
                        self._memory, host, self._now.mono
                    )
                concerned |= self.fleet.fold(event, self._now.mono)
        return concerned

    def _change_leadership(self, epoch: model.Epoch | None) -> None:
        self.epoch = epoch
        self._open.start(self._now, leading=epoch is not None)
        self._publisher.forget()
        self._requests.forget()
        self._caretakers.start(self._now.mono)
        self._teller.forget()
        if epoch is None:
            LOG.info("This engine does not lead")
        else:
            LOG.info("This engine leads in epoch %s", epoch)

    def _take_cases(self, event: events.CasesLoaded) -> set[model.HostName]:
        if self.epoch is None:
            return set()
        again = self._open.loaded
        self._open.take_loaded(event, self.epoch, self._now)
        if again or not self._open.loaded:
            return set(self.cases)
        self._publisher.start(event.published)
        self._memory = storm.take_over(
            self._open.cases().values(), self._now.mono
        )
        self._tell("engine.leading", f"in epoch {self.epoch}")
        return set(self.fleet.views).union(
            self._publisher.published, self._open.unreadable
        )

    def _change_control(self, control: model.Control) -> set[model.HostName]:
        if control == self.control:
            return set()
        self.control = control
        state = "armed" if control.armed else "disarmed"
        if control.paused:
            state += ", paused"
        self._teller.forget()
        self._tell("control.changed", f"{state} by {control.by or 'nobody'}")
        return set(self.verdicts).union(self.cases)

    # -- judging --

    def _judge(self, hosts: Iterable[model.HostName]) -> None:
        for host in hosts:
            view = self.fleet.view(host)
            if view is None:
                self._drop(host)
                continue
            one = self.cases.get(host)
            verdict = verdict_mod.judge(
                view,
                None if one is None else one.case,
                self._policy,
                self._now.mono,
                connected=self.fleet.connected,
            )
            self.verdicts[host] = verdict
            _put(self._attention, host, not verdict_mod.lasts(verdict))
            _put(self._suspects, host, verdict_mod.suspect(verdict))
        self._changed()

    def _drop(self, host: model.HostName) -> None:
        """Nothing is known of the host any more."""
        self.verdicts.pop(host, None)
        self._attention.discard(host)
        self._suspects.discard(host)
        self._caretakers.drop(host)
        if host not in self.cases:
            self._teller.drop(host)

    def _world(self) -> world_mod.World:
        if self._cached_world is None:
            self._cached_world = world_mod.World(
                fleet=self.fleet,
                cases=self._open.cases(),
                verdicts=self.verdicts,
                control=self.control,
                confirmations=self._confirmations,
                policy=self._policy,
                suspects=self._suspects,
                memory=self._memory,
                requests=self._requests.by_host,
            )
        return self._cached_world

    def _changed(self) -> None:
        """What was computed for the last step no longer holds."""
        self._cached_world = None

    def _submit(self, job: jobs.Job) -> None:
        """Have a job done, in our own term of leadership."""
        if self.epoch is not None:
            self._executor.submit(job, self.epoch)

    # -- leading --

    def _lead(self, hosts: set[model.HostName], event: events.Event) -> None:
        # A storm ends by itself, also when nobody is suspect any more.
        if self._memory.storms or not hosts.isdisjoint(
            self._suspects.union(self.cases)
        ):
            self._watch_storms()
        for host in sorted(hosts):
            try:
                self._lead_one(host, event)
            except Exception as error:
                # The edge of one host: a mistake of ours about it must not
                # keep all others from being recovered.
                self._announcer.mistake(host, error)
        self._look_around()

    def _look_around(self) -> None:
        """Never in a storm, nor while it cannot be known that there is
        none."""
        if self.fleet.connected and not self._memory.storms:
            self._caretakers.look_around(
                self.fleet.views.values(),
                self.cases,
                self._now.mono,
                acting=self._world().stopped is None,
            )

    def _lead_one(self, host: model.HostName, event: events.Event) -> None:
        view, one = self.fleet.view(host), self.cases.get(host)
        if view is not None:
            case = None if one is None else one.case
            self._caretakers.look_at(view, case, self.fleet, self._now)
        if self.fleet.connected:
            self._tell_verdict(host)
        request = self._requests.wanted(host, one, self.fleet, self._now)
        if request is not None and self.epoch is not None:
            self._open.open(host, self.epoch, self._now, request)
        elif one is None:
            self._open_if_suspect(host)
        else:
            self._open.step(one, _for_case(event, one.case), self._now)
        if self.fleet.connected:
            self._publisher.look(host, self._to_publish(host), self._now.mono)

    def _watch_storms(self) -> None:
        memory, told = storm.fold(self._memory, self._world(), self._now.mono)
        if memory != self._memory:
            self._memory = memory
            self._changed()
        for event in told:
            self._teller.tell(event)

    def _open_if_suspect(self, host: model.HostName) -> None:
        verdict = self.verdicts.get(host)
        if verdict is None or not verdict_mod.suspect(verdict):
            return
        stopped = self._world().stopped
        if stopped is None and self.epoch is not None:
            self._open.open(host, self.epoch, self._now)
        elif stopped is not None and verdict.kind is model.VerdictKind.DOWN:
            self._announcer.would_fence(host, verdict, stopped)

    def _to_publish(
        self, host: model.HostName
    ) -> model.PublishedVerdict | None:
        verdict, one = self.verdicts.get(host), self.cases.get(host)
        unreadable = self._open.unreadable.get(host)
        if unreadable is not None and verdict is not None:
            return publication.of_unreadable(
                host, verdict, unreadable, self._now
            )
        case = None if one is None else one.shown
        return publication.of(host, verdict, case, self._world(), self._now)

    # -- telling --

    def _tell_verdict(self, host: model.HostName) -> None:
        verdict = self.verdicts.get(host)
        # Whose the flags are on the service of a host with an unreadable
        # case, only that could say.
        if verdict is not None and host not in self._open.unreadable:
            self._announcer.verdict(host, verdict)

    def _tell(
        self,
        code: str,
        message: str,
        severity: model.Severity = model.Severity.INFO,
    ) -> None:
        if self.epoch is not None:
            self._teller.tell(
                model.AuditEvent(code=code, message=message, severity=severity)
            )


def _put(
    hosts: set[model.HostName], host: model.HostName, belongs: bool
) -> None:
    if belongs:
        hosts.add(host)
    else:
        hosts.discard(host)


def _for_case(event: events.Event, case: model.RecoveryCase) -> events.Event:
    """The event, if it concerns the case; else a mere tick."""
    if isinstance(event, events.CaseEvent) and event.case == case.id:
        return event
    if isinstance(event, events.PowerRead) and event.host == case.host:
        return event
    if isinstance(event, events.InstanceStirred):
        return event
    return events.Tick()
