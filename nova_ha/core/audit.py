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

"""What operators did to the power of hosts: kept for whoever asks later."""

import datetime
import enum

from nova_ha.core.model import HostName
from nova_ha.core.model import record


class Deed(enum.StrEnum):
    """What an operator has done."""

    POWER_OFF = "power-off"
    POWER_ON = "power-on"
    CLEAR = "clear"  # a barred device is believed again


class Result(enum.StrEnum):
    """What has become of it."""

    BEGUN = "begun"  # written before the device was spoken to
    DONE = "done"  # and seen to be so
    FAILED = "failed"


@record
class Entry:
    """One deed. It is written before it is done, and completed after."""

    host: HostName
    deed: Deed
    by: str
    at: datetime.datetime
    reason: str = ""
    """Why, as the operator says."""
    device: str = ""
    forced: bool = False
    """A check that would have forbidden it was overruled."""
    result: Result = Result.BEGUN
    detail: str = ""
