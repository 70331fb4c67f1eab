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

"""What can be done: everything the core asks the executor for.

An action is performed only after the case that asked for it has been saved,
and only while the leader's lease holds. Its ``key`` is unique within a case:
the core never asks for the same thing twice at the same time.
"""

import dataclasses
from collections.abc import Mapping

from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.core.model import record


@record
class Action:
    """Base of all actions of a case."""

    host: model.HostName
    case: model.CaseId

    @property
    def key(self) -> str:
        """Names it among the pending actions of its case."""
        return type(self).__name__


@record
class Fence(Action):
    """One round of fencing. What the verdict rested on goes along, because
    it is read again immediately before each power-off."""

    boot_id: model.BootId
    refencing: bool = False
    service: model.ServiceReport | None = None
    signs: Mapping[str, sources.Value] = dataclasses.field(
        default_factory=dict
    )
    """What the sources beside Nova's showed, by their names; empty where
    their moving does not forbid it."""
    goodbye: model.Goodbye | None = None
    """One that has run out; a newer one is a sign of life."""
    barred: frozenset[str] = frozenset()
    """Devices that are not to be used; see :class:`ports.Fencing`."""
    system_uuid: str = ""
    """Of the host's machine, as its agent says; empty if not known."""


@record
class ReadPower(Action):
    """Ask the host's devices for their state, and touch nothing."""

    barred: frozenset[str] = frozenset()


@record
class PowerOn(Action):
    """Switch the host on, after its recovery."""

    barred: frozenset[str] = frozenset()


@record
class BarDevices(Action):
    """Remember that devices of the host have proven wrong."""

    devices: tuple[str, ...]
    reason: str


@record
class ForceDown(Action):
    service_id: str


@record
class Disable(Action):
    service_id: str
    reason: str


@record
class LiftForceDown(Action):
    service_id: str


@record
class Enable(Action):
    service_id: str


@record
class TakeSurvey(Action):
    """Read migration records, and what else is asked for, in one pass."""

    instances: bool = False
    """List the instances that Nova books on the host."""
    targets: bool = False
    """Find room, for ``requests`` and for all that is listed."""
    requests: tuple[Mapping[str, int], ...] = ()
    power: bool = False
    """Read the power again: proof perishes."""
    barred: frozenset[str] = frozenset()
    histories: bool = False
    """Also read all migration records of the instances that are listed and
    of those in ``pending``."""
    pending: tuple[model.InstanceId, ...] = ()
    look_at: tuple[model.InstanceId, ...] = ()
    """Then look at these instances, whose records leave a question open."""


@record
class Evacuate(Action):
    """Ask Nova to rebuild one instance on the saved target."""

    instance: model.InstanceId
    target: model.HostName
    reset: bool = False
    """Nova may refuse its state: set it to active first."""

    @property
    def key(self) -> str:
        return f"Evacuate {self.instance}"


@record
class Repair(Action):
    """If the instance runs on ``target`` but is shown in ERROR because of a
    duplicate request that failed: set it to active."""

    instance: model.InstanceId
    target: model.HostName
    stop: bool = False
    """It was off before, and Nova has started it: stop it."""

    @property
    def key(self) -> str:
        return f"Repair {self.instance}"


@record
class Consume(Action):
    """Use up the operator's confirmation of this case."""


@record
class Close(Action):
    """Move the ended case to the history."""
