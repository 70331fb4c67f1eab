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

"""The work bench of one step: collects changes, actions and what to tell."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from nova_ha.core import actions as actions_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import runners
from nova_ha.core import story
from nova_ha.core import world as world_mod
from nova_ha.core.model import record


@record
class Progress:
    """What a leader remembers of a case besides what is saved. All of it can
    be lost: a successor starts with ``taken_over_at`` and looks again.
    Times are seconds, monotonic."""

    taken_over_at: float | None = None
    pending: frozenset[str] = frozenset()
    """Keys of the actions that are being performed."""
    failures: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Of the actions that went wrong last time, by key: why."""
    not_before: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Earliest time of the next action of a key."""
    requested_at: Mapping[model.InstanceId, float] = dataclasses.field(
        default_factory=dict
    )
    tried: Mapping[model.InstanceId, frozenset[model.HostName]] = (
        dataclasses.field(default_factory=dict)
    )
    """Where each instance was sent so far."""
    running_at: Mapping[model.InstanceId, float] = dataclasses.field(
        default_factory=dict
    )
    """When each move's latest record was first seen to run."""
    looked_for: frozenset[model.InstanceId] = frozenset()
    """Instances that the pending survey was asked to look at."""
    survey: model.Survey | None = None
    survey_began: float = 0.0
    survey_ended: float = 0.0
    survey_used: bool = True
    """Its reading of the power has been acted upon: the next wave needs a
    new one."""
    histories: frozenset[model.InstanceId] | None = None
    """Instances all of whose records the survey asks for; None: of none."""
    histories_listed: bool = False
    """And of those that it lists."""
    listed_at: float | None = None
    """Beginning of the latest complete list of the host's instances."""
    settled_at: float | None = None
    """When the latest move came to rest."""
    marks: runners.Marks = dataclasses.field(default_factory=dict)
    asked_at: Mapping[model.InstanceId, float] = dataclasses.field(
        default_factory=dict
    )
    """When agents were first asked whether they run an instance."""
    proven_at: float | None = None
    signs_at_proof: Mapping[str, int] | None = None
    """How often each source had been seen to move by then."""
    signs_since: float = 0.0
    """When that was noted."""
    reports_at_return: int | None = None
    soak_since: float | None = None
    reminded_at: float = 0.0
    unwritten: tuple[story.Line, ...] = ()
    """Of the case's story: told since it was last saved."""


@record
class Step:
    """What a step comes to."""

    case: model.RecoveryCase
    progress: Progress
    changed: bool
    """The case has to be saved before anything is done."""
    actions: tuple[actions_mod.Action, ...] = ()
    audit: tuple[model.AuditEvent, ...] = ()


class Work:
    """Mutable only while one step lasts."""

    def __init__(
        self,
        case: model.RecoveryCase,
        progress: Progress,
        world: world_mod.World,
        now: model.Now,
        transitions: Mapping[tuple[model.CaseState, model.CaseState], str],
    ) -> None:
        self.case = case
        self.progress = progress
        self.world = world
        self.now = now
        self._before = case
        self._transitions = transitions
        self._actions: list[actions_mod.Action] = []
        self._audit: list[model.AuditEvent] = []

    def finish(self) -> Step:
        changed = self.case != self._before
        self._write_story(changed)
        return Step(
            case=self.case,
            progress=self.progress,
            changed=changed,
            actions=tuple(self._actions),
            audit=tuple(self._audit),
        )

    def _write_story(self, changed: bool) -> None:
        """Keep what was told with the case, the next time it is saved: the
        story alone is no reason to save it."""
        lines = (
            *self.progress.unwritten,
            *(
                story.line(self.now.utc, event.code, event.message)
                for event in self._audit
                if _worth_keeping(event)
            ),
        )
        if changed and lines:
            self.update(story=story.longer(self.case.story, *lines))
            lines = ()
        if lines != self.progress.unwritten:
            self.remember(unwritten=lines[-story.LATEST :])

    # -- what is known --

    @property
    def view(self) -> liveness.HostView | None:
        return self.world.fleet.view(self.case.host)

    @property
    def verdict(self) -> model.Verdict:
        if self.view is None and self.world.fleet.connected:
            # Its name has vanished from the tree.
            return model.Verdict(
                kind=model.VerdictKind.HANDS_OFF,
                reason=model.Reason.NOT_ENROLLED,
            )
        return self.world.verdicts.get(self.case.host, self.case.verdict)

    @property
    def present(self) -> bool:
        """The host's beacon is there."""
        return self.view is not None and self.view.present

    @property
    def barred(self) -> frozenset[str]:
        """The host's fence devices that are not believed."""
        view = self.view
        record = None if view is None else view.facts.record
        known = () if record is None else record.barred
        return frozenset([*known, *self.case.accused])

    @property
    def system_uuid(self) -> str:
        """Of the host's machine, as its agent says; empty if not known."""
        view = self.view
        record = None if view is None else view.facts.record
        return "" if record is None else record.system_uuid

    def report_moves(self) -> int:
        """How often the host's nova-compute has been seen to report."""
        view = self.view
        source = None if view is None else view.nova
        return 0 if source is None else source.moves

    def service_id(self) -> str:
        service = self.world.fleet.services.get(self.case.host)
        return self.case.service_id if service is None else service.service_id

    # -- changes --

    def update(self, **changes: Any) -> None:
        self.case = dataclasses.replace(self.case, **changes)

    def remember(self, **changes: Any) -> None:
        self.progress = dataclasses.replace(self.progress, **changes)

    def enter(
        self,
        state: model.CaseState,
        message: str,
        severity: model.Severity = model.Severity.INFO,
    ) -> None:
        """Change the state, as the transition table allows.

        :raises ValueError: it does not: a mistake of ours.
        """
        if (self.case.state, state) not in self._transitions:
            raise ValueError(f"no transition {self.case.state} -> {state}")
        self.milestone(state.value)
        self.update(
            state=state,
            message=message,
            entered_at=self.now.utc,
            hold=None,
            held_by=None,
        )
        code = f"case.{state.value.replace('-', '_')}"
        self.tell(code, message, severity=severity)

    def milestone(
        self, name: str, at: datetime.datetime | None = None
    ) -> None:
        """Note when something was reached for the first time."""
        if name not in self.case.times:
            times = {**self.case.times, name: at or self.now.utc}
            self.update(times=times)

    def hold(
        self,
        hold: model.Hold,
        message: str,
        held_by: model.BrakeRule | None = None,
    ) -> None:
        if (self.case.hold, self.case.held_by) != (hold, held_by):
            self.update(hold=hold, held_by=held_by, message=message)
            self.tell("case.held", message, severity=model.Severity.WARNING)
        elif self.case.message != message:
            self.update(message=message)

    def release(self) -> None:
        if self.case.hold is not None:
            message = f"no longer held: {self.case.hold.value}"
            # What it was held for is not what it waits for now.
            self.update(hold=None, held_by=None, message=message)
            self.tell("case.resumed", message)

    def wait_for(self, message: str) -> None:
        if self.case.message != message:
            self.update(message=message)

    # -- actions --

    def due(self, key: str) -> bool:
        return (
            key not in self.progress.pending
            and self.now.mono >= self.progress.not_before.get(key, 0.0)
        )

    def later(self, key: str, seconds: float) -> None:
        not_before = {
            **self.progress.not_before,
            key: self.now.mono + seconds,
        }
        self.remember(not_before=not_before)

    def act(self, action: actions_mod.Action) -> None:
        """Perform an action once the case is saved; never twice at once."""
        if action.key not in self.progress.pending:
            self.remember(pending=self.progress.pending | {action.key})
            self._actions.append(action)

    def act_when_due(self, action: actions_mod.Action) -> None:
        if self.due(action.key):
            self.act(action)

    def arrived(self, key: str, error: str = "") -> None:
        """The result of an action has come. That it went wrong is told once:
        what is tried again every few seconds fails as often."""
        before = self.progress.failures
        failures = {k: why for k, why in before.items() if k != key}
        if error:
            failures[key] = error
        self.remember(pending=self.progress.pending - {key}, failures=failures)
        if error and before.get(key) != error:
            self.tell(
                "action.failed",
                f"{key} failed: {error}",
                severity=model.Severity.WARNING,
            )

    # -- telling --

    def tell(
        self,
        code: str,
        message: str,
        severity: model.Severity = model.Severity.INFO,
        **details: str,
    ) -> None:
        self._audit.append(
            model.AuditEvent(
                code=code,
                severity=severity,
                host=self.case.host,
                case=self.case.id,
                message=message,
                details=details,
            )
        )

    def tell_move(
        self,
        move: model.Move,
        code: str,
        severity: model.Severity = model.Severity.INFO,
    ) -> None:
        """Tell of one instance: its name, target and reason."""
        target = f" to {move.target}" if move.target else ""
        words = "; ".join(filter(None, (move.reason, move.note)))
        words = f": {words}" if words else ""
        self.tell(
            code,
            f"{move.name or move.instance}{target}{words}",
            severity=severity,
            instance=move.instance,
            target=move.target or "",
            state=move.state.value,
        )

    def remind(self, severity: model.Severity) -> None:
        """Say again what the case waits for, every now and then."""
        if self.now.mono - self.progress.reminded_at < (
            self.world.policy.reminder
        ):
            return
        if self.progress.reminded_at:
            failed = [
                f"{key} failed: {why}"
                for key, why in sorted(self.progress.failures.items())
            ]
            message = "; ".join([self.case.message, *failed])
            self.tell("case.waiting", message, severity)
        self.remember(reminded_at=self.now.mono)


def _worth_keeping(event: model.AuditEvent) -> bool:
    """A move tells itself how it went; that the case still waits is said
    every few minutes, and is no step."""
    if event.code.startswith("instance."):
        return event.severity is not model.Severity.INFO
    return event.code != "case.waiting"
