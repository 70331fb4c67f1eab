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

"""What the controller itself asks the executor for, beside the actions of
its cases."""

from collections.abc import Mapping

from nova_ha.core import actions
from nova_ha.core import deeds
from nova_ha.core import model
from nova_ha.core.model import record


@record
class Job:
    """Base of all jobs; ``key`` keeps two of the same from overlapping."""

    @property
    def key(self) -> str:
        return type(self).__name__


@record
class LoadCases(Job):
    """Read what earlier leaders left."""


@record
class HostJob(Job):
    host: model.HostName

    @property
    def key(self) -> str:
        return f"{type(self).__name__} {self.host}"


@record
class SaveCase(HostJob):
    """Compare-and-set; ``version`` None creates."""

    case: model.RecoveryCase
    version: int | None


@record
class CloseCase(HostJob):
    case: model.RecoveryCase
    version: int


@record
class FleetJob(HostJob):
    """Base of the jobs that keep something of a host, beside its case."""


@record
class PublishVerdict(FleetJob):
    verdict: model.PublishedVerdict | None


@record
class EnrolHost(FleetJob):
    beacon: model.Beacon
    service: model.ServiceReport
    engines: tuple[model.Contender, ...]


@record
class KeepQuarantine(FleetJob):
    """Do something about a host that keeps failing."""

    deed: deeds.Deed


@record
class DropRequest(FleetJob):
    """Take an operator's request away, which has been followed or refused."""

    request: model.EvacuationRequest


@record
class ChallengeHost(FleetJob):
    """Take a beacon away, so that a living agent shows it again."""

    session: int
    """Whose beacon it is."""
    quiet: float
    """Seconds for which the host has written nothing."""


@record
class CheckJob(Job):
    """Base of the jobs that see whether fencing would work."""


@record
class CheckDevices(CheckJob, HostJob):
    """Ask the devices of a host whether they could fence."""

    system_uuid: str


@record
class KeepFencing(CheckJob, HostJob):
    """Keep what a check has found, in the host's record."""

    health: model.FencingHealth
    barred: Mapping[str, model.Bar]


@record
class CheckTopology(CheckJob):
    """Look whether fencing.yaml has changed, and can be used; show operators
    why not. ``shown``: they may be shown something by now."""

    shown: bool


@record
class Perform(HostJob):
    """Perform an action of a case."""

    action: actions.Action

    @property
    def key(self) -> str:
        return f"{self.action.case} {self.action.key}"
