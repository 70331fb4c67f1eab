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

"""Power and its proof: what fence devices say, and what is made of it.

A leaf below :mod:`.model`, which offers all of it under its own name.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping

from nova_ha.core.nouns import HostName
from nova_ha.core.nouns import record


class PowerState(enum.StrEnum):
    """Power of a chassis; not knowing is a value of its own."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@record
class PowerReading:
    """What the devices of a host said when asked."""

    host: HostName
    state: PowerState
    device: str = ""
    """Name(s) of the device(s) asked, comma-separated."""
    devices: tuple[str, ...] = ()
    """The same as a list: of a state other than UNKNOWN, whose word it is."""
    seen_at: datetime.datetime
    error: str = ""
    """Why the state is UNKNOWN; never contains a secret."""


class EvidenceKind(enum.StrEnum):
    """How it was proven that a host does not run."""

    POWER_OFF_OBSERVED = "power-off-observed"
    OPERATOR_CONFIRMED = "operator-confirmed"


@record
class FenceEvidence:
    """Proof that a host is down: what permits an evacuation."""

    kind: EvidenceKind
    by: str
    """Device(s) or operator."""
    devices: tuple[str, ...] = ()
    """The devices that said so, all of one level."""
    seen_at: datetime.datetime
    commanded: bool = False
    """The host was switched off by this very round: it was on before."""
    detail: str = ""


@record
class FenceAttempt:
    """One question or command to a device, for the case's record."""

    device: str
    command: str
    """``status``, ``identify`` (whose machine it controls) or ``off``."""
    result: str
    at: datetime.datetime
    seconds: float = 0.0


@record
class FenceOutcome:
    """Result of one round through the levels of a host.

    ``evidence`` is set only if off was *seen*. ``aborted`` is the guard's
    reason where it forbade a power-off; ``alive`` tells whether that reason
    was a sign of life. ``off_sent``: a power-off may have reached a device.
    ``other_chassis``: devices that were found to control another machine
    than the host's; they were not commanded, nor believed.
    """

    host: HostName
    evidence: FenceEvidence | None = None
    attempts: tuple[FenceAttempt, ...] = ()
    aborted: str = ""
    alive: bool = False
    off_sent: bool = False
    other_chassis: tuple[str, ...] = ()
    error: str = ""


@record
class Bar:
    """Why a fence device is not believed, nor used, for a host until an
    operator has checked it."""

    reason: str
    since: datetime.datetime


@record
class DeviceReport:
    """What one device of a host answered when it was checked, or (without a
    name) why there is none to ask."""

    device: str = ""
    level: int = 0
    driver: str = ""
    power: PowerState = PowerState.UNKNOWN
    problem: str = ""
    """Why it could not fence; empty where it could."""
    detail: str = ""
    other_chassis: bool = False
    """It controls another machine than this host's."""

    @property
    def ok(self) -> bool:
        return not self.problem


@record
class FencingHealth:
    """What the latest check of a host's devices has found."""

    fenceable: bool
    """Every device of at least one level answers as it must."""
    failing: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Devices that could not fence, with the reason."""
    problem: str = ""
    """Why there is no device at all."""
    since: datetime.datetime


@record
class TopologyState:
    """Which version of ``fencing.yaml`` is in force."""

    version: int
    """Grows with each version that has been taken."""
    problem: str = ""
    """Why the file as it is now is not in force; empty where it is."""
