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

"""Could this device fence? Asks it, and changes nothing."""

import dataclasses

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import device as device_module
from nova_ha.fencing import identity


def examine(
    device: device_module.Device, level: int, system_uuid: str
) -> model.DeviceReport:
    """Ask one device for its state, and whose machine it controls.

    :param level: its number, for the report.
    :param system_uuid: of the host's machine, empty where not known.
    """
    report = model.DeviceReport(
        device=device.name, level=level, driver=device.driver
    )
    try:
        power = device.power_state()
        report = dataclasses.replace(report, power=power)
        report = _with_chassis(report, device, system_uuid)
    except exception.DeviceNeedsOperator as error:
        # As its owner wants it; the level waits for a person, not for repair.
        return dataclasses.replace(report, detail=error.problem)
    except exception.DeviceError as error:
        return dataclasses.replace(report, problem=error.problem)
    if report.ok and power is model.PowerState.UNKNOWN:
        return dataclasses.replace(
            report, problem="it does not say whether the host is on or off"
        )
    return report


def _with_chassis(
    report: model.DeviceReport,
    device: device_module.Device,
    system_uuid: str,
) -> model.DeviceReport:
    """Whether it is the host's own device, as far as that can be told.

    :raises DeviceError: it did not answer.
    """
    if not system_uuid or not device.can(base.Capability.SYSTEM_UUID):
        return report
    told = device.system_uuid()
    if not told:
        return report
    match identity.same_system(system_uuid, told):
        case None:
            detail = "system UUID cannot be compared"
        case True:
            detail = "system UUID matches"
        case False:
            return dataclasses.replace(
                report,
                other_chassis=True,
                problem=identity.mismatch(system_uuid, told),
            )
    return dataclasses.replace(report, detail=detail)
