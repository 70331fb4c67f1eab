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

"""Something that is done again and again, in a thread of its own."""

import threading
from collections.abc import Callable

from oslo_log import log as logging

from nova_ha import clock as nova_clock

LOG = logging.getLogger(__name__)


class Periodic:
    """Calls a function at an interval until it is stopped."""

    def __init__(
        self,
        name: str,
        function: Callable[[], None],
        *,
        interval: float,
        clock: nova_clock.Clock,
    ) -> None:
        """:param name: of the thread, and for the log.
        :param interval: seconds between the starts of two calls; a call that
            takes longer is followed by the next one at once."""
        self._name = name
        self._function = function
        self._interval = interval
        self._clock = clock
        self._stopped = threading.Event()

    def start(self) -> None:
        # A call that hangs does not keep the agent from ending.
        self._clock.spawn(self._loop, self._name)

    def stop(self) -> None:
        """Begin no further call; one that is under way is not waited for."""
        self._stopped.set()

    def _loop(self) -> None:
        while not self._stopped.is_set():
            began = self._clock.monotonic()
            try:
                self._function()
            except Exception:  # the edge of the loop: there is a next time
                LOG.exception("%s has failed; it is tried again", self._name)
            spent = self._clock.monotonic() - began
            self._clock.wait(self._stopped, max(0.0, self._interval - spent))
