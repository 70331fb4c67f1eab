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

"""When nothing new may start: the operator's switches and our own doubt."""

from nova_ha.core import model
from nova_ha.core.model import Hold
from nova_ha.core.work import Work


def stopped(work: Work) -> bool:
    """Hold where nothing new may start; go on where that has passed."""
    stopped = work.world.stopped
    if stopped is not None:
        work.hold(stopped, f"{stopped.value}: nothing new starts")
        return True
    if work.verdict.reason is model.Reason.MAINTENANCE:
        work.hold(Hold.MAINTENANCE, "an operator has it in maintenance")
        return True
    if work.case.hold in _SWITCHES:
        work.release()
    return False


_SWITCHES = frozenset(
    [Hold.COORDINATION, Hold.PAUSED, Hold.DISARMED, Hold.MAINTENANCE]
)
