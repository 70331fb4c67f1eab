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

"""Which hosts may take instances, by what is known of them."""

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from oslo_log import log as logging

from nova_ha.core import model
from nova_ha.core import view

LOG = logging.getLogger(__name__)


class HostView(Protocol):
    """What the view knows of a host."""

    @property
    def schedulable(self) -> bool: ...


class Snapshot(Protocol):
    """What the view knows of all hosts, at one moment."""

    @property
    def hosts(self) -> Mapping[model.HostName, HostView]: ...

    @property
    def recoveries(
        self,
    ) -> Mapping[model.HostName, model.PublishedVerdict]:
        """What is published of hosts with an open case."""

    @property
    def age(self) -> float:
        """Seconds since the hosts were last read completely."""


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """A request that takes an instance away from a host."""

    instance: model.InstanceId
    leaving: tuple[model.HostName, ...]
    named: bool
    """It names the host that it wants to go to."""


class Candidate(Protocol):
    """Nova's HostState, as far as it matters here."""

    @property
    def host(self) -> model.HostName: ...


_NEVER = float("inf")

_Candidate = TypeVar("_Candidate", bound=Candidate)


class Selection:
    """Passes the candidates that are schedulable.

    A host that is not known passes: it is not enrolled, and not ours. No
    I/O, and no log lines for single hosts: Nova asks for a thousand hosts at
    once, and calls filters one after another.
    """

    def __init__(self, *, max_age: float, fail_closed: bool) -> None:
        """
        :param max_age: seconds for which old knowledge is good enough.
        :param fail_closed: reject all hosts after that, rather than none.
        """
        self._max_age = max_age
        self._fail_closed = fail_closed
        self._lock = threading.Lock()
        self._blind = False

    def select(
        self,
        candidates: Sequence[_Candidate],
        snapshot: Snapshot,
        move: Move | None = None,
    ) -> list[_Candidate]:
        """The candidates that pass.

        :param move: the request takes an instance away from a host.
        """
        # A nan would be neither older nor younger.
        blind = not snapshot.age <= self._max_age
        self._tell_change(blind, snapshot.age)
        if blind:
            return [] if self._fail_closed else list(candidates)
        known = snapshot.hosts
        passed = [
            one
            for one in candidates
            if (view := known.get(one.host)) is None or view.schedulable
        ]
        if move is not None:
            passed = _held_to_target(passed, snapshot, move)
        LOG.debug(
            "%d of %d hosts may take instances", len(passed), len(candidates)
        )
        return passed

    def _tell_change(self, blind: bool, age: float) -> None:
        if blind == self._blind:
            return
        with self._lock:
            if blind == self._blind:
                return
            self._blind = blind
        if blind:
            LOG.warning(
                "Nothing is known of the hosts' liveness, ZooKeeper was %s: "
                "%s hosts pass",
                f"last read {age:.0f} s ago" if age < _NEVER else "not read",
                "no" if self._fail_closed else "all",
            )
        else:
            LOG.info("The hosts' liveness is known again")


def _held_to_target(
    passed: list[_Candidate], snapshot: Snapshot, move: Move
) -> list[_Candidate]:
    allowed = view.destinations(
        snapshot.recoveries, move.instance, move.leaving, named=move.named
    )
    if allowed is None:
        return passed
    LOG.info(
        "Instance %s of a host in recovery may go to: %s",
        move.instance,
        ", ".join(allowed) or "nowhere yet",
    )
    return [one for one in passed if one.host in allowed]
