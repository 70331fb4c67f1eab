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

"""What a hypervisor's agent says, part of :mod:`nova_ha.core.model`."""

import datetime
import enum

from nova_ha.core.nouns import BootId
from nova_ha.core.nouns import HostName
from nova_ha.core.nouns import InstanceId
from nova_ha.core.nouns import record


@record
class CheckResult:
    """Outcome of one local check of an agent."""

    name: str
    ok: bool
    detail: str = ""


@record
class Beacon:
    """An agent's ephemeral node: its session is alive."""

    host: HostName
    boot_id: BootId
    machine_id: str
    system_uuid: str = ""
    agent_version: str = ""
    checks: tuple[CheckResult, ...] = ()
    colocated: tuple[str, ...] = ()
    """What else runs on this machine that must not be powered off:
    ``engine``, ``zookeeper`` or ``controller``."""
    storage: str | None = None
    """The storage domain that the marker in the instances path names; empty:
    there is no marker; None: not known."""
    session: int = 0
    """ZooKeeper session that owns the node; not part of the payload."""

    @property
    def failed_checks(self) -> tuple[CheckResult, ...]:
        return tuple(check for check in self.checks if not check.ok)


LONGEST_GOODBYE = 3600.0
"""Seconds; enough for the reboot of a large machine."""


class GoodbyeReason(enum.StrEnum):
    """Why an agent left on purpose."""

    STOP = "stop"  # stopped or restarted, e.g. for an upgrade
    SHUTDOWN = "shutdown"  # the machine is going down in an orderly way


@record
class Goodbye:
    """A planned absence of an agent, good for :attr:`lasts` seconds."""

    host: HostName
    boot_id: BootId
    reason: GoodbyeReason
    ttl: float
    """Seconds that the agent asks for."""
    said_at: datetime.datetime

    @property
    def lasts(self) -> float:
        """Seconds for which it keeps its host from being judged. Without a
        bound an agent, or whoever has its password, could have a dead host
        waited for for ever: that is an operator's to say (maintenance)."""
        return min(self.ttl, LONGEST_GOODBYE)


@record
class GuestInventory:
    """The guests that really run on a host, by its own hypervisor.

    An agent that cannot find out writes no inventory at all: no answer is
    never the same as "no guests".
    """

    host: HostName
    boot_id: BootId
    guests: frozenset[InstanceId]
    sequence: int
    """Grows by one with every collection in one boot. A collection began
    after the one before it was written; so two steps later than what was
    known at some moment, the whole collection took place after it."""
