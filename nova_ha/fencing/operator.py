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

"""A host that no device can switch: a person has to, and to say so.

As the only level it makes every fence of the host wait for ``nova-ha
confirm-fenced``; as the last one it tells what is left to do when all devices
have failed. It proves nothing by itself.
"""

from typing import ClassVar, NoReturn

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.fencing import base
from nova_ha.fencing import parameters as params


class OperatorDriver(base.FenceDriver):
    """Answers that an operator is needed, to whatever it is asked."""

    CAPABILITIES: ClassVar[frozenset[base.Capability]] = frozenset()

    PARAMETERS: ClassVar[tuple[params.Parameter, ...]] = (
        params.Parameter(
            name="instructions",
            default="switch {host} off by hand",
            help="What the operator has to do before the confirmation: "
            "which cords to pull, whom to call. {host} stands for the "
            "host's name.",
        ),
    )

    def __init__(
        self,
        name: str,
        parameters: params.Parameters,
        clock: clock_module.Clock,
        call_timeout: float,
    ) -> None:
        super().__init__(name, parameters, clock, call_timeout)
        self._instructions = parameters.text("instructions")

    def power_state(self) -> NoReturn:
        """:raises DeviceNeedsOperator: always."""
        raise exception.DeviceNeedsOperator(
            self.name,
            f"{self._instructions}, see that it is off, and say so with "
            "`nova-ha confirm-fenced`",
        )

    def power_off(self) -> NoReturn:
        """:raises DeviceNeedsOperator: always."""
        self.power_state()

    def power_on(self) -> NoReturn:
        """:raises DeviceNeedsOperator: always."""
        self.power_state()

    def system_uuid(self) -> None:
        """Nobody to ask."""
        return None
