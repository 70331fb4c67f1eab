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

"""What the leader does about a host that keeps failing, outside of any case:
:mod:`.quarantine` asks for it, one at a time a host.
"""

import datetime

from nova_ha.core import model
from nova_ha.core.model import record


@record
class Deed:
    """Base of all deeds."""


@record
class Count(Deed):
    """Add a death to the host's record."""

    at: datetime.datetime


@record
class Begin(Deed):
    """Put the host into quarantine."""

    quarantine: model.Quarantine


@record
class End(Deed):
    """Take it out again, and forget its deaths."""


@record
class Disable(Deed):
    """Disable its nova-compute."""

    service_id: str
    reason: str


@record
class Enable(Deed):
    """Enable its nova-compute, which a quarantine has disabled."""

    service_id: str
