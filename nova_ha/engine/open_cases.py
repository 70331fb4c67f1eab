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

"""The cases that this engine leads: loaded, stepped, saved, closed.

A case is saved before anything that follows from it is done, and while it is
being saved, further events wait in its mailbox.
"""

import dataclasses
from collections.abc import Callable, Mapping

from oslo_log import log as logging

from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import recovery
from nova_ha.core import work
from nova_ha.core import world as world_mod
from nova_ha.engine import jobs
from nova_ha.engine import telling

LOG = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds before a save or load that failed is tried again."""

SAVING = "saving"
"""Topic of what is told of a case's latest save."""


@dataclasses.dataclass(slots=True)
class OpenCase:
    """A case that this engine leads."""

    case: model.RecoveryCase
    progress: work.Progress
    version: int | None = None
    kept: model.RecoveryCase | None = None
    """As it was last saved."""
    saving: bool = False
    save_at: float = 0.0
    unsaved: work.Step | None = None
    """Its actions wait for the save."""
    unfit: str = ""
    """Why it cannot be stored as it is: nothing more is done about it."""
    mailbox: list[events.Event] = dataclasses.field(default_factory=list)

    @property
    def shown(self) -> model.RecoveryCase:
        """The case as people are to see it."""
        if not self.unfit:
            return self.case
        return dataclasses.replace(
            self.case,
            hold=model.Hold.UNSAVED,
            message=f"it cannot be stored, so nothing is done: {self.unfit}",
        )


class OpenCases:
    """All of them, by host, and what it takes to keep them saved.

    :param submit: has a job done, in the present term of leadership.
    :param world: what is known of the others.
    :param changed: called after a case has changed.
    :param saved: called with a case as it was and is stored, once it is.
    """

    def __init__(
        self,
        policy: policy_mod.Policy,
        submit: Callable[[jobs.Job], None],
        teller: telling.Teller,
        world: Callable[[], world_mod.World],
        changed: Callable[[], None],
        saved: Callable[[model.RecoveryCase | None, model.RecoveryCase], None],
    ) -> None:
        self._policy = policy
        self._submit = submit
        self._teller = teller
        self._world = world
        self._changed = changed
        self._saved = saved
        self.by_host: dict[model.HostName, OpenCase] = {}
        self.loaded = False
        """What earlier leaders left is known."""
        self.unreadable: Mapping[model.HostName, str] = {}
        """Hosts with a case that nobody can read, and why: whatever it says,
        it is not written over."""
        self._load_at: float | None = None

    def cases(self) -> dict[model.HostName, model.RecoveryCase]:
        return {host: one.case for host, one in self.by_host.items()}

    def waiting_for(self, instance: model.InstanceId) -> set[model.HostName]:
        """Hosts that the instance is being evacuated from."""
        return {
            host
            for host, one in self.by_host.items()
            if any(
                move.instance == instance and move.state.in_flight
                for move in one.case.moves
            )
        }

    # -- what earlier leaders left --

    def start(self, now: model.Now, *, leading: bool) -> None:
        """A new term has begun, of ours or of another engine."""
        self.forget()
        self._load_at = now.mono if leading else None

    def forget(self) -> None:
        """Trust nothing about cases that is only in memory."""
        self.by_host.clear()
        self.unreadable = {}
        self.loaded = False

    def load_if_due(self, now: model.Now) -> None:
        if self._load_at is not None and now.mono >= self._load_at:
            self._load_at = None
            self._submit(jobs.LoadCases())

    def take_loaded(
        self, event: events.CasesLoaded, epoch: model.Epoch, now: model.Now
    ) -> None:
        """Take over what is stored. Later, only what could not be read."""
        if event.epoch != epoch:
            # Asked for in an earlier term of ours, whose question kept ours
            # from being put.
            self._load_at = now.mono
            return
        if event.error:
            LOG.warning("The cases could not be read: %s", event.error)
            self._load_at = now.mono + RETRY
            return
        for case, version in event.cases:
            if not self.loaded or case.host in self.unreadable:
                self._take_over(case, version, epoch, now)
        self._take_unreadable(event.unreadable, now)
        self.loaded = True

    def _take_over(
        self,
        case: model.RecoveryCase,
        version: int,
        epoch: model.Epoch,
        now: model.Now,
    ) -> None:
        taken, progress = recovery.take_over(case, epoch, now)
        one = OpenCase(taken, progress, version, kept=case)
        self.by_host[case.host] = one
        self._changed()
        self._save(one)
        self._tell(taken, "case.taken_over", "by a new leader")

    def _take_unreadable(
        self, unreadable: Mapping[model.HostName, str], now: model.Now
    ) -> None:
        """Told again and again, as every case that waits for an operator."""
        self.unreadable = dict(unreadable)
        if unreadable:
            self._load_at = now.mono + self._policy.reminder
        for host, why in sorted(unreadable.items()):
            self._teller.tell(
                model.AuditEvent(
                    code="case.unreadable",
                    severity=model.Severity.ALARM,
                    host=host,
                    message=f"{why}: the host is not recovered until an "
                    "operator has mended or deleted that node",
                )
            )

    # -- opening and stepping --

    def open(
        self,
        host: model.HostName,
        epoch: model.Epoch,
        now: model.Now,
        request: model.EvacuationRequest | None = None,
    ) -> None:
        """A host may be dying, or (``request``) an operator says that it has
        died. Not where another case stands in the way."""
        if host in self.unreadable:
            return
        case = recovery.open_case(host, self._world(), epoch, now, request)
        one = self.by_host[host] = OpenCase(case, work.Progress())
        self._changed()
        asked = f"asked for by {request.by}; " if request else ""
        self._tell(case, "case.opened", asked + case.verdict.reason.value)
        self._save(one)

    def step(self, one: OpenCase, event: events.Event, now: model.Now) -> None:
        """Let a case go on - or later, if it has to be saved first."""
        if one.saving or one.unsaved is not None:
            if not isinstance(event, events.Tick):
                one.mailbox.append(event)
            if not one.saving and now.mono >= one.save_at:
                self._save(one)
            return
        step = recovery.step(one.case, one.progress, event, self._world(), now)
        if step.case is not one.case:
            self._changed()
        one.case, one.progress = step.case, step.progress
        if step.changed:
            one.unsaved = step
            self._save(one)
        else:
            self._carry_out(one, step)

    def _carry_out(self, one: OpenCase, step: work.Step) -> None:
        for audit in step.audit:
            self._teller.tell(audit)
        for action in step.actions:
            if isinstance(action, actions.Close):
                self._close(one)
            else:
                self._submit(jobs.Perform(host=one.case.host, action=action))

    # -- saving and closing --

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

    def _close(self, one: OpenCase) -> None:
        if one.version is not None:
            self._submit(
                jobs.CloseCase(
                    host=one.case.host, case=one.case, version=one.version
                )
            )

    def _own(self, event: events.CaseEvent) -> OpenCase | None:
        one = self.by_host.get(event.host)
        return one if one and one.case.id == event.case else None

    def take_saved(self, event: events.Saved, now: model.Now) -> None:
        one = self._own(event)
        if one is None or not one.saving:
            return
        one.version, one.saving, one.unfit = event.version, False, ""
        self._teller.renew(event.host, SAVING)
        step, one.unsaved = one.unsaved, None
        if step is not None:
            before, one.kept = one.kept, step.case
            self._saved(before, step.case)
            self._carry_out(one, step)
        mailbox, one.mailbox = one.mailbox, []
        for waiting in mailbox:
            # Those after one that changes the case wait in the mailbox for
            # the next save.
            self.step(one, waiting, now)

    def take_save_failed(
        self, event: events.SaveFailed, now: model.Now
    ) -> None:
        one = self._own(event)
        if one is None:
            return
        one.saving = False
        if event.stale:
            # Somebody else leads, or an unanswered save of ours took effect.
            # Either way what is in memory is not to be trusted.
            LOG.warning("Case %s: %s; reading again", event.case, event.error)
            self.forget()
            self._load_at = now.mono + RETRY
            return
        # What fits into no znode is no passing trouble: tried, and told, as
        # often as a case says what it waits for.
        pause = self._policy.reminder if event.unfit else RETRY
        one.save_at = now.mono + pause
        one.unfit = event.error if event.unfit else ""
        self._tell_unsaved(one, event)

    def _tell_unsaved(self, one: OpenCase, event: events.SaveFailed) -> None:
        if event.unfit:
            self._teller.renew(event.host, SAVING)
        self._teller.once(
            event.host,
            SAVING,
            model.AuditEvent(
                code="case.unsaved",
                severity=model.Severity.ALARM
                if event.unfit
                else model.Severity.WARNING,
                host=event.host,
                case=event.case,
                message=f"{event.error}: nothing is done about this host "
                "until its case is saved",
            ),
        )

    def take_closed(self, event: events.Closed) -> None:
        if self._own(event) is not None:
            del self.by_host[event.host]
            self._changed()

    def _tell(self, case: model.RecoveryCase, code: str, message: str) -> None:
        self._teller.tell(
            model.AuditEvent(
                code=code, host=case.host, case=case.id, message=message
            )
        )
