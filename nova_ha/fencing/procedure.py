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


"""How a host is fenced: one round through its levels.

The order is that of ClusterLabs' agents, and a fence counts only on proof:

* ask first: a device that already reads off needs no command;
* within a level every device is asked before any is commanded: a level of
  which one device cannot answer cannot succeed, and is left untouched;
* a device that controls another machine, by its system UUID, is neither
  believed nor commanded; one that does not tell, now or ever, is trusted as
  it was configured;
* the guard is called immediately before each power-off command;
* an accepted command proves nothing: ask each second until all devices of
  the level read off in the same pass, or the deadline has passed;
* a refused command is decided by the state: off is a success;
* a device for evidence only has to confirm and is never commanded: a level
  of nothing else confirms a host that is off already, and no other;
* the first failure leaves the level for the next one.
"""

import datetime
import re
from collections.abc import Sequence

from oslo_log import log as logging

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha import ports
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import device as device_module
from nova_ha.fencing import identity
from nova_ha.fencing import record

LOG = logging.getLogger(__name__)

Level = Sequence[device_module.Device]
Answer = model.PowerState | exception.DeviceError


class _LevelFailed(Exception):
    """This level cannot be confirmed."""


class _Aborted(Exception):
    """The guard said no."""


class Round:
    """One round through the levels of one host. Used once."""

    def __init__(
        self,
        host: model.HostName,
        guard: ports.Guard,
        clock: clock_module.Clock,
        poll_interval: float,
        system_uuid: str = "",
    ) -> None:
        """
        :param system_uuid: of the host's machine; empty: not compared.
        """
        self._system_uuid = system_uuid
        self._misplaced: list[str] = []
        self._host = host
        self._guard = guard
        self._clock = clock
        self._poll_interval = poll_interval
        self._recorder = record.Recorder(clock)
        self._off_sent = False
        self.confirmed_level: int | None = None
        """Index of the level that has confirmed, once one has."""

    def run(self, levels: Sequence[Level]) -> model.FenceOutcome:
        """Try the levels in order until one confirms or the guard forbids."""
        failures: list[str] = []
        for index, level in enumerate(levels):
            try:
                evidence = self._fence(index + 1, level)
            except _LevelFailed as failure:
                failures.append(f"level {index + 1}: {failure}")
                LOG.log(
                    _loudness(failure),
                    "Fencing %s, %s",
                    self._host,
                    failures[-1],
                )
            except _Aborted as abort:
                return self._aborted(abort.__cause__)
            else:
                self.confirmed_level = index
                return self._outcome(evidence=evidence)
        return self._outcome(
            error="; ".join(failures) or "no fence device is configured"
        )

    def _outcome(
        self,
        evidence: model.FenceEvidence | None = None,
        error: str = "",
        aborted: str = "",
        alive: bool = False,
    ) -> model.FenceOutcome:
        return model.FenceOutcome(
            host=self._host,
            evidence=evidence,
            attempts=self._recorder.attempts,
            aborted=aborted,
            alive=alive,
            off_sent=self._off_sent,
            other_chassis=tuple(self._misplaced),
            error=error,
        )

    def _aborted(self, cause: BaseException | None) -> model.FenceOutcome:
        alive = isinstance(cause, exception.FenceAborted) and cause.alive
        reason = str(cause) or type(cause).__name__
        return self._outcome(aborted=reason, alive=alive)

    def _fence(self, number: int, level: Level) -> model.FenceEvidence:
        if not level:
            raise _LevelFailed("has no device")
        answers = self._ask_all(level)
        for device, answer in zip(level, answers, strict=True):
            if isinstance(answer, exception.DeviceError):
                raise _LevelFailed(
                    f"{device.name}: {answer.problem}"
                ) from answer
        for device in level:
            self._identify(device)
        if _all_off(answers):
            return self._evidence(
                number, level, "was off already", commanded=False
            )
        if not any(map(_switchable, level)):
            raise _LevelFailed(f"{names(level)}: not off, for evidence only")
        began = self._clock.monotonic()
        self._observe(level, self._command_all(level, answers))
        took = self._clock.monotonic() - began
        return self._evidence(
            number, level, f"off {took:.1f} s after command", commanded=True
        )

    def _evidence(
        self, number: int, level: Level, how: str, *, commanded: bool
    ) -> model.FenceEvidence:
        seen_at: datetime.datetime = self._clock.utcnow()
        return model.FenceEvidence(
            kind=model.EvidenceKind.POWER_OFF_OBSERVED,
            by=names(level),
            devices=tuple(device.name for device in level),
            seen_at=seen_at,
            commanded=commanded,
            detail=f"level {number}: {how}",
        )

    def _ask_all(self, level: Level) -> list[Answer]:
        return [ask(device, self._clock, self._recorder) for device in level]

    def _identify(self, device: device_module.Device) -> None:
        """See that a device controls the host's own machine."""
        known = self._system_uuid
        if not known or not device.can(base.Capability.SYSTEM_UUID):
            return
        began = self._clock.monotonic()
        try:
            told = device.system_uuid() or ""
            same = identity.same_system(known, told)
            result = _MATCHES[same]
        except exception.DeviceError as error:
            # The periodic check has compared it; the host is dead now.
            same, result = None, describe(error)
        took = self._clock.monotonic() - began
        self._recorder.add(device.name, record.IDENTIFY, result, took)
        if same is False:
            self._misplaced.append(device.name)
            raise _LevelFailed(
                f"{device.name}: {identity.mismatch(known, told)}"
            )

    def _command_all(
        self, level: Level, answers: Sequence[Answer]
    ) -> Sequence["_Watch"]:
        """Command all that may be and are not off; all are to be watched."""
        commanded = {
            device.name: self._command(device)
            for device, answer in zip(level, answers, strict=True)
            if answer is not model.PowerState.OFF and _switchable(device)
        }
        return [
            commanded.get(device.name)
            or _Watch(device, self._deadline(device), "")
            for device in level
        ]

    def _command(self, device: device_module.Device) -> "_Watch":
        """Send one power-off, if the guard permits it."""
        try:
            self._guard()
        except exception.NovaHaError as error:
            raise _Aborted from error
        # Before the call: a device may obey and then fail to say so.
        self._off_sent = True
        began = self._clock.monotonic()
        refusal = ""
        result = "accepted"
        try:
            device.power_off()
        except exception.DeviceError as error:
            result = describe(error)
            if isinstance(error, exception.DeviceCredentials):
                raise _LevelFailed(f"{device.name}: {error.problem}") from None
            if isinstance(error, exception.DeviceRefused):
                refusal = error.problem
        finally:
            took = self._clock.monotonic() - began
            self._recorder.add(device.name, record.OFF, result, took)
        return _Watch(device, self._deadline(device), refusal)

    def _deadline(self, device: device_module.Device) -> float:
        return self._clock.monotonic() + device.fence_timeout

    def _observe(self, level: Level, watches: Sequence["_Watch"]) -> None:
        """Ask until every device reads off in one pass.

        All of them, also those that were off before: one that has come back
        meanwhile means that the host has power.
        """
        while True:
            answers = self._ask_all(level)
            if _all_off(answers):
                return
            now = self._clock.monotonic()
            for watch, answer in zip(watches, answers, strict=True):
                watch.judge(answer, now)
            self._clock.sleep(self._poll_interval)


_MATCHES = {
    True: "the host's own machine",
    False: "another machine",
    None: "does not tell its machine",
}


class _Watch:
    """A device that must be seen off before its deadline."""

    def __init__(
        self, device: device_module.Device, deadline: float, refusal: str
    ) -> None:
        self.device = device
        self._deadline = deadline
        self._refusal = refusal

    def judge(self, answer: Answer, now: float) -> None:
        """Give up on the level if this device will not confirm any more."""
        if answer is model.PowerState.OFF:
            return
        name = self.device.name
        if isinstance(answer, exception.DeviceCredentials):
            raise _LevelFailed(f"{name}: {answer.problem}")
        if self._refusal and answer is model.PowerState.ON:
            raise _LevelFailed(f"{name}: refused and on: {self._refusal}")
        if now >= self._deadline:
            raise _LevelFailed(
                f"{name}: {describe(answer)}, "
                f"{self.device.fence_timeout:g} s after the command"
            )


def ask(
    device: device_module.Device,
    clock: clock_module.Clock,
    recorder: record.Recorder | None = None,
) -> Answer:
    """Ask one device for its state; a failure is an answer too."""
    began = clock.monotonic()
    answer: Answer
    try:
        answer = device.power_state()
    except exception.DeviceError as error:
        answer = error
    # Where only a person can answer, nobody was asked.
    nobody = isinstance(answer, exception.DeviceNeedsOperator)
    if recorder is not None and not nobody:
        seconds = clock.monotonic() - began
        recorder.add(device.name, record.STATUS, describe(answer), seconds)
    return answer


def describe(answer: Answer) -> str:
    """An answer in one line, without secrets."""
    if isinstance(answer, exception.DeviceError):
        kind = type(answer).__name__.removeprefix("Device")
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()
        return f"{words}: {answer.problem}"
    return answer.value


def names(level: Level) -> str:
    """The devices of a level, comma-separated."""
    return ", ".join(device.name for device in level)


def _switchable(device: device_module.Device) -> bool:
    return device.can(base.Capability.POWER_OFF)


def _loudness(failure: _LevelFailed) -> int:
    """A level that waits for a person does so as configured."""
    if isinstance(failure.__cause__, exception.DeviceNeedsOperator):
        return logging.INFO
    return logging.WARNING


def _all_off(answers: Sequence[Answer]) -> bool:
    # Nobody asked is never proof.
    return bool(answers) and all(
        answer is model.PowerState.OFF for answer in answers
    )
