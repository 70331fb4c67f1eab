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

"""Runs one check again and again, in a thread of its own.

Nothing here ever waits for a check: who wants its result reads the last one,
or "no answer" when the running one is late. So a hung mount delays neither
the touches of the session nor the other checks, and never takes more than
its own thread.
"""

import threading
from collections.abc import Callable

from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha import ports
from nova_ha.agent import periodic
from nova_ha.core import model

LOG = logging.getLogger(__name__)

_GRACE = 1.0
"""Checks have a deadline of their own, whose message says more; this much
later a check that does not keep to it is given up all the same."""


class CheckRunner:
    """Keeps the result of one check up to date."""

    def __init__(
        self,
        check: ports.Check,
        *,
        interval: float,
        deadline: float,
        clock: nova_clock.Clock,
        changed: Callable[[], None],
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """:param interval: seconds between the starts of two runs.
        :param deadline: seconds after which a run has failed.
        :param changed: called in the runner's thread when the result differs
            from the one before.
        :param then: called after each run; its time is not the check's.
        """
        self._check = check
        self._deadline = deadline
        self._clock = clock
        self._changed = changed
        self._then = then
        self._lock = threading.Lock()
        self._began: float | None = None
        self._last: model.CheckResult | None = None
        self._periodic = periodic.Periodic(
            f"check {check.name}",
            self.run_once,
            interval=interval,
            clock=clock,
        )
        self.start = self._periodic.start
        self.stop = self._periodic.stop

    def result(self) -> model.CheckResult | None:
        """The last result, or that the running one is late.

        None until the first run has ended: no claim is made either way.
        """
        with self._lock:
            if self._began is not None:
                age = self._clock.monotonic() - self._began
                if age > self._deadline + _GRACE:
                    return self._failed(
                        f"no answer within {self._deadline:g} s"
                    )
            return self._last

    def run_once(self) -> None:
        """Run the check and keep its result."""
        with self._lock:
            self._began = self._clock.monotonic()
        result = self._run()
        with self._lock:
            self._began = None
            differs = result != self._last
            self._last = result
        if differs:
            _tell(result)
            self._changed()
        self._then()

    def _run(self) -> model.CheckResult:
        try:
            return self._check.run()
        except Exception as error:  # somebody else's check may be broken
            LOG.exception("Check %s is broken", self._check.name)
            return self._failed(f"the check broke: {type(error).__name__}")

    def _failed(self, detail: str) -> model.CheckResult:
        return model.CheckResult(
            name=self._check.name, ok=False, detail=detail
        )


def _tell(result: model.CheckResult) -> None:
    if result.ok:
        LOG.info("Check %s is fine", result.name)
    else:
        LOG.warning("Check %s fails: %s", result.name, result.detail)
