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

"""Time that passes only when a test says so."""

import datetime
import threading
from collections.abc import Callable

from nova_ha import clock

_REAL_WAIT = 0.005
"""Longest real wait: threads look again at once, as it were."""


class ManualClock(clock.Clock):
    def __init__(self) -> None:
        self.now = 1000.0

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def boottime(self) -> float:
        return self.now

    def utcnow(self) -> datetime.datetime:
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        return start + datetime.timedelta(seconds=self.now)

    def wait(self, event: threading.Event, timeout: float) -> bool:
        return event.wait(min(timeout, _REAL_WAIT))

    def spawn(self, body: Callable[[], None], name: str) -> clock.Thread:
        return clock.SystemClock().spawn(body, name)
