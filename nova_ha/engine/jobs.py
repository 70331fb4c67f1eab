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
class PublishVerdict(HostJob):
    verdict: model.PublishedVerdict | None


@record
class EnrolHost(HostJob):
    beacon: model.Beacon
    service: model.ServiceReport
    engines: tuple[model.Contender, ...]


@record
class KeepQuarantine(HostJob):
    """Do something about a host that keeps failing."""

    deed: deeds.Deed


@record
class Perform(HostJob):
    """Perform an action of a case."""

    action: actions.Action

    @property
    def key(self) -> str:
        return f"{self.action.case} {self.action.key}"
