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

"""What operators ask for."""

import datetime

from nova_ha.core.nouns import CaseId
from nova_ha.core.nouns import HostName
from nova_ha.core.nouns import InstanceId
from nova_ha.core.nouns import record


@record
class EvacuationRequest:
    """An operator's one-shot word that a host is dead, and is to be
    recovered. It is no proof: the host is fenced like any other, or somebody
    vouches for it."""

    host: HostName
    by: str
    at: datetime.datetime
    target: HostName | None = None
    """Where its instances go as long as there is room; None: anywhere."""
    servers: tuple[InstanceId, ...] = ()
    """Those that are moved; empty: all."""


@record
class Acceptance:
    """An operator's decision that the instances which a case has failed to
    move stay on their host, and that it goes back into service with them."""

    case: CaseId
    by: str
    at: datetime.datetime
