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

"""What Nova and Placement say, as far as a recovery needs to know it."""

import dataclasses
import datetime
from collections.abc import Mapping

from nova_ha.core.nouns import HostName
from nova_ha.core.nouns import InstanceId
from nova_ha.core.nouns import record


@record
class ServiceReport:
    """A nova-compute service as the API shows it."""

    host: HostName
    service_id: str
    reported_at: datetime.datetime | None
    """Nova's own time stamp of the last report; compared only with earlier
    ones of the same service, never with a clock of ours."""
    up: bool = False
    forced_down: bool = False
    disabled: bool = False
    disabled_reason: str = ""
    zone: str = ""


@record
class Instance:
    """A server, as far as its recovery needs to know it."""

    id: InstanceId
    name: str
    host: HostName | None
    vm_state: str
    """Lower case, Nova's words: active, stopped, error, paused, ..."""
    task_state: str | None = None
    power_state: int = 0
    launched: bool = True
    resources: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """What it asks of Placement: class to amount."""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    project: str = ""
    image: str = ""
    """Id of the image that its root disk was made from; empty where that is
    a volume."""
    image_properties: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )
    """Read only where the operator's rules ask for them."""
    flavor_specs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ephemeral: bool = False
    """It has ephemeral or swap disks beside its root disk."""
    fault: str = ""


@record
class Migration:
    """A migration record, of any type."""

    id: int
    instance: InstanceId
    kind: str
    """evacuation, live-migration, migration or resize."""
    status: str
    source: HostName | None
    dest: HostName | None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@record
class Target:
    """A host that could take instances: free amounts by resource class."""

    host: HostName
    free: Mapping[str, int]
