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

"""Follows what becomes of each host and engine through a journal."""

import bisect
import dataclasses
import enum
from collections.abc import Iterable
from typing import Generic, TypeVar

from nova_ha.core import model
from nova_ha.sim import about
from nova_ha.sim import journal as journal_mod


class Machine(enum.Enum):
    """A host, by the truth. The order is that in which one of them hides
    another in a short span of time."""

    UP = "="
    BOOTING = "b"
    FROZEN = "z"
    CRASHED = "x"
    OFF = "_"


class Engine(enum.Enum):
    """An engine; the same order."""

    STANDBY = "-"
    LEADS = "L"
    FROZEN = "z"
    GONE = "_"


class Case(enum.Enum):
    """A recovery case, as its engine tells; the same order."""

    NONE = " "
    SUSPECTED = "s"
    RETURNING = "r"
    SOAKING = "w"
    EVACUATED = "e"
    EVACUATING = "E"
    FENCED = "f"
    FENCING = "F"
    PARTIAL = "p"
    HELD = "h"
    FENCE_FAILED = "!"


class Ensemble(enum.Enum):
    """ZooKeeper; the same order."""

    SERVES = "="
    ELECTS = "v"
    STOPPED = "_"


S = TypeVar("S")


class Track(Generic[S]):
    """States over time, from the beginning of all time."""

    def __init__(self, state: S) -> None:
        self.times = [float("-inf")]
        self.states = [state]

    def enter(self, at: float, state: S) -> None:
        if state != self.states[-1]:
            self.times.append(at)
            self.states.append(state)

    @property
    def now(self) -> S:
        return self.states[-1]

    def at(self, moment: float) -> S:
        return self.states[bisect.bisect_right(self.times, moment) - 1]

    def between(self, begin: float, end: float) -> list[S]:
        """The state at ``begin``, and all entered before ``end``."""
        first = bisect.bisect_right(self.times, begin) - 1
        return self.states[first : bisect.bisect_left(self.times, end)]


_MACHINE = {
    "machine.power-off": Machine.OFF,
    "machine.power-on": Machine.BOOTING,
    "machine.crashed": Machine.CRASHED,
    "machine.booted": Machine.UP,
    "machine.frozen": Machine.FROZEN,
    "machine.thawed": Machine.UP,
}
_ENSEMBLE = {
    "zookeeper.stopped": Ensemble.STOPPED,
    "zookeeper.started": Ensemble.SERVES,
    "zookeeper.election": Ensemble.ELECTS,
    "zookeeper.elected": Ensemble.SERVES,
}
_ENGINE = {
    "engine.started": Engine.STANDBY,
    "engine.killed": Engine.GONE,
    "engine.frozen": Engine.FROZEN,
    "engine.leading": Engine.LEADS,
}
_CASE = {
    f"case.{state.value.replace('-', '_')}": Case[state.name]
    for state in model.CaseState
    if state.name in Case.__members__
} | {
    "case.opened": Case.SUSPECTED,
    "case.closed": Case.NONE,
    "case.cancelled": Case.NONE,
    "case.held": Case.HELD,
}


@dataclasses.dataclass(slots=True)
class Host:
    """All that is followed of one host."""

    machine: Track[Machine]
    case: Track[Case]
    guests: Track[int]
    """How many guests it runs."""


class Tracks:
    """What became of everybody."""

    def __init__(self, entries: Iterable[journal_mod.Entry]) -> None:
        self.hosts: dict[str, Host] = {}
        self.engines: dict[str, Track[Engine]] = {}
        self.zookeeper = Track(Ensemble.SERVES)
        self._resumed: dict[str, Case] = {}
        for entry in entries:
            self._take(entry)

    def _take(self, entry: journal_mod.Entry) -> None:
        what = entry.what
        if what in _MACHINE:
            self._host(entry.who).machine.enter(entry.at, _MACHINE[what])
        elif what in ("guest.started", "guest.stopped"):
            self._take_guest(entry)
        elif what in _ENSEMBLE:
            self.zookeeper.enter(entry.at, _ENSEMBLE[what])
        elif what in _ENGINE or what == "engine.thawed":
            self._take_engine(entry)
        elif what in _CASE or what == "case.resumed":
            self._take_case(entry)

    def _host(self, name: str) -> Host:
        if name not in self.hosts:
            self.hosts[name] = Host(
                Track(Machine.UP), Track(Case.NONE), Track(0)
            )
        return self.hosts[name]

    def _take_guest(self, entry: journal_mod.Entry) -> None:
        guests = self._host(entry.who).guests
        change = 1 if entry.what == "guest.started" else -1
        guests.enter(entry.at, guests.now + change)

    def _take_engine(self, entry: journal_mod.Entry) -> None:
        track = self.engines.setdefault(entry.who, Track(Engine.GONE))
        if entry.what == "engine.thawed":
            track.enter(entry.at, Engine.STANDBY)
            return
        if entry.what == "engine.leading":
            self._depose(entry.at)
        track.enter(entry.at, _ENGINE[entry.what])

    def _depose(self, at: float) -> None:
        for track in self.engines.values():
            if track.now is Engine.LEADS:
                track.enter(at, Engine.STANDBY)

    def _take_case(self, entry: journal_mod.Entry) -> None:
        name = about.host(entry)
        case = self._host(name).case
        if entry.what == "case.resumed":
            case.enter(entry.at, self._resumed.get(name, Case.SUSPECTED))
            return
        state = _CASE[entry.what]
        if state is not Case.HELD:
            self._resumed[name] = state
        case.enter(entry.at, state)
