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


"""What was asked of devices and answered, for the case's evidence."""

import dataclasses
import datetime

from nova_ha import clock as clock_module
from nova_ha.core import model

STATUS = "status"
OFF = "off"
IDENTIFY = "identify"


class Recorder:
    """Collects attempts; equal answers in a row become one.

    Polling repeats itself: one record from the first to the last of equal
    answers keeps the case small and loses nothing.
    """

    def __init__(self, clock: clock_module.Clock) -> None:
        self._clock = clock
        self._attempts: list[model.FenceAttempt] = []

    @property
    def attempts(self) -> tuple[model.FenceAttempt, ...]:
        """All of them, in the order of their beginning."""
        return tuple(self._attempts)

    def add(
        self, device: str, command: str, result: str, seconds: float
    ) -> None:
        """Record an answer that took ``seconds`` and came just now."""
        now = self._clock.utcnow()
        index = self._last(device)
        if index is not None:
            last = self._attempts[index]
            if (last.command, last.result) == (command, result):
                elapsed = (now - last.at).total_seconds()
                self._attempts[index] = dataclasses.replace(
                    last, seconds=round(elapsed, 3)
                )
                return
        self._attempts.append(
            model.FenceAttempt(
                device=device,
                command=command,
                result=result,
                at=now - datetime.timedelta(seconds=seconds),
                seconds=round(seconds, 3),
            )
        )

    def _last(self, device: str) -> int | None:
        for index in range(len(self._attempts) - 1, -1, -1):
            if self._attempts[index].device == device:
                return index
        return None
