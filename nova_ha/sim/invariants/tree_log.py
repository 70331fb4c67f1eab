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

"""What the tree has held, and since when: committed changes, by the truth."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from nova_ha import exception
from nova_ha.coordination import paths as paths_mod
from nova_ha.core import codec
from nova_ha.core import model

T = TypeVar("T")


class Series(Generic[T]):
    """The values of one thing over time."""

    def __init__(self) -> None:
        self._values: list[tuple[float, T]] = []

    def add(self, at: float, value: T) -> None:
        if not self._values or self._values[-1][1] != value:
            self._values.append((at, value))

    @property
    def last(self) -> T | None:
        return self._values[-1][1] if self._values else None

    def since(self, moment: float) -> Iterator[T | None]:
        """All values that it has had from ``moment`` on, the latest first;
        None for the time before the first."""
        for at, value in reversed(self._values):
            yield value
            if at <= moment:
                return
        yield None


@dataclasses.dataclass(frozen=True, slots=True)
class Goodbye:
    """An agent's word that it will be away."""

    at: float
    ttl: float
    """Seconds for which it is good."""


@dataclasses.dataclass(slots=True)
class CaseLog:
    """An open case, and since when it is what it is."""

    case: model.RecoveryCase
    opened_at: float
    entered_at: float
    """When it came to be in its present state."""
    evidence_at: float | None = None
    """When its present evidence was saved."""


class TreeLog:
    """Follows the changes of one namespace.

    :param now: seconds since the beginning, true time.
    """

    def __init__(
        self, paths: paths_mod.Paths, now: Callable[[], float]
    ) -> None:
        self._paths = paths
        self._now = now
        self.control: Series[model.Control] = Series()
        self.beacons: dict[str, float] = {}
        """Hosts whose beacon is there, and since when."""
        self.goodbyes: dict[str, Goodbye] = {}
        self.cases: dict[str, CaseLog] = {}
        self.monitored: Series[int] = Series()
        """How many enrolled hosts may be fenced."""
        self._hosts: dict[str, Series[model.HostRecord]] = {}
        self._readers: dict[str, Callable[[str, bytes | None], None]] = {
            paths.hosts: self._host_changed,
            paths.cases: self._case_changed,
        }

    def agent(self, host: str) -> str:
        """The parent of all that a host's agent may write."""
        return self._paths.agent(model.HostName(host))

    def host(self, host: str) -> Series[model.HostRecord]:
        return self._hosts.setdefault(host, Series())

    def changed(self, path: str, data: bytes | None) -> None:
        """A node was written; None: deleted."""
        if path == self._paths.control:
            control = _decoded(model.Control, path, data)
            self.control.add(self._now(), control or model.Control())
            return
        parent = paths_mod.parent_of(path)
        reader = self._readers.get(parent)
        if reader is not None:
            reader(path, data)
        elif paths_mod.parent_of(parent) == self._paths.agents:
            self._agent_changed(path, parent, data)

    def _agent_changed(
        self, path: str, parent: str, data: bytes | None
    ) -> None:
        host = model.HostName(paths_mod.unescape(paths_mod.name_of(parent)))
        if path == self._paths.beacon(host):
            if data is None:
                self.beacons.pop(host, None)
            else:
                self.beacons.setdefault(host, self._now())
        elif path == self._paths.goodbye(host):
            goodbye = _decoded(model.Goodbye, path, data)
            self.goodbyes.pop(host, None)
            if goodbye is not None:
                said = Goodbye(self._now(), goodbye.lasts)
                self.goodbyes[host] = said

    def _host_changed(self, path: str, data: bytes | None) -> None:
        record = _decoded(model.HostRecord, path, data)
        if record is not None:
            self.host(record.host).add(self._now(), record)
            self.monitored.add(self._now(), self._count())

    def _count(self) -> int:
        records = (series.last for series in self._hosts.values())
        return sum(
            one is not None and not one.protected and not one.maintenance
            for one in records
        )

    def _case_changed(self, path: str, data: bytes | None) -> None:
        host = paths_mod.unescape(paths_mod.name_of(path))
        case = _decoded(model.RecoveryCase, path, data)
        if data is None:
            self.cases.pop(host, None)
        elif case is not None:
            self._case_saved(host, case)

    def _case_saved(self, host: str, case: model.RecoveryCase) -> None:
        log = self.cases.get(host)
        if log is None or log.case.id != case.id:
            log = self.cases[host] = CaseLog(
                case, opened_at=self._now(), entered_at=self._now()
            )
        if case.state is not log.case.state:
            log.entered_at = self._now()
        if case.evidence is None:
            log.evidence_at = None
        elif log.evidence_at is None or case.evidence != log.case.evidence:
            log.evidence_at = self._now()
        log.case = case


def _decoded(cls: type[T], path: str, data: bytes | None) -> T | None:
    """A payload's value; None for one that is poison, or gone."""
    if not data:
        return None
    try:
        return codec.decode(cls, data, path)
    except exception.PayloadError:
        return None
