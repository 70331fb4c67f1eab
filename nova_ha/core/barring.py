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

"""Devices that lie, or control another machine: barred, until an operator
has checked them.

The case names them until that is written to the host's record, so that no
break and no successor forgets it; from then on, the record does.
"""

from collections.abc import Collection

from nova_ha.core import actions
from nova_ha.core import model
from nova_ha.core.work import Work


def accuse(work: Work, devices: Collection[str], why: str) -> None:
    """Believe these devices no more, from now on."""
    accused = sorted({*work.case.accused, *devices})
    work.update(accused=tuple(accused), accusation=why)


def go_on(work: Work) -> None:
    """See that the accused devices get barred, whatever the case waits for:
    it only ever forbids something."""
    case = work.case
    if case.accused and work.world.fleet.connected:
        work.act_when_due(
            actions.BarDevices(
                host=case.host,
                case=case.id,
                devices=case.accused,
                reason=f"{case.accusation}, in case {case.id}",
            )
        )


def done(work: Work) -> None:
    """It is written."""
    devices = work.case.accused
    work.update(accused=(), accusation="")
    work.tell(
        "device.barred",
        told(work.case.host, devices),
        model.Severity.ALARM,
        devices=", ".join(devices),
    )


def told(host: model.HostName, devices: tuple[str, ...]) -> str:
    """What it means that devices of a host are barred, and what to do."""
    clear = "; ".join(f"`nova-ha fence clear {host} {one}`" for one in devices)
    return (
        f"{', '.join(devices)} of {host}: proves nothing and is not used any "
        f"more. Check whose power it switches; then {clear}"
    )
