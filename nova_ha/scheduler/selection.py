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


_Candidate = TypeVar("_Candidate", bound=Candidate)


def select(
    candidates: Sequence[_Candidate],
    snapshot: Snapshot,
    move: Move | None = None,
) -> list[_Candidate]:
    """The candidates that are schedulable.

    A host that is not known passes: it is not enrolled, and not ours. No
    I/O, and no log lines for single hosts: Nova asks for a thousand hosts at
    once, and calls filters one after another.

    :param move: the request takes an instance away from a host.
    """
    known = snapshot.hosts
    passed = [
        one
        for one in candidates
        if (view := known.get(one.host)) is None or view.schedulable
    ]
    if move is not None:
        passed = _held_to_target(passed, snapshot, move)
    return passed


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
