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

"""The services of a machine, and the gate before one of them."""

import abc
from collections.abc import Callable

Call = Callable[[], None]


class Gate(abc.ABC):
    """Holds nova-compute back until its host may run guests."""

    @abc.abstractmethod
    def ask(self, permit: Call) -> None:
        """Begin to ask; call ``permit`` once guests may start."""

    @abc.abstractmethod
    def cancel(self) -> None:
        """Stop asking: the start has been called off, and is not to be
        permitted any more."""


class OpenGate(Gate):
    """Where no start gate is installed."""

    def ask(self, permit: Call) -> None:
        permit()

    def cancel(self) -> None:
        """There is nothing to stop."""


class Service:
    """A service of one machine, as its init system sees it.

    Whoever models the service appends to the lists; what is appended is
    called by the world, not by a thread.
    """

    def __init__(self, machine_goes: Callable[[], bool]) -> None:
        """:param machine_goes: whether the machine is up, and not frozen."""
        self._machine_goes = machine_goes
        self._wanted = False
        self.enabled = True
        """Whether it is started when the machine boots."""
        self.running = False
        self.gate: Gate = OpenGate()
        self.starts: list[Call] = []
        self.stops: list[Call] = []
        """Called for an orderly stop."""
        self.kills: list[Call] = []
        """Called for a SIGKILL, and when the machine has gone down."""

    def start(self) -> None:
        """Start it, once the gate permits; nothing if it runs already."""
        if self._wanted or not self._machine_goes():
            return
        self._wanted = True
        self.gate.ask(self._permitted)

    def start_at_once(self) -> None:
        """Start it without asking the gate."""
        self._wanted = True
        self._permitted()

    def _permitted(self) -> None:
        if not self._wanted or self.running:
            return
        self.running = True
        _call_all(self.starts)

    def stop(self) -> None:
        """End it in an orderly way; nothing while the machine is frozen."""
        if self._machine_goes():
            self._end(self.stops)

    def kill(self) -> None:
        self._end(self.kills)

    def _end(self, calls: list[Call]) -> None:
        was_running = self.running
        if self._wanted and not was_running:
            self.gate.cancel()
        self._wanted = self.running = False
        if was_running:
            _call_all(calls)


def _call_all(calls: list[Call]) -> None:
    for call in list(calls):
        call()
