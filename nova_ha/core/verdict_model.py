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

"""What is believed of a host, part of :mod:`nova_ha.core.model`."""

import enum

from nova_ha.core.nouns import record


class VerdictKind(enum.StrEnum):
    """What is believed of a host."""

    ALIVE = "alive"
    DEGRADED = "degraded"  # alive, but a local check fails
    REBOOTED = "rebooted"  # alive again in a new boot, guests gone
    AWAY = "away"  # said goodbye: unmonitored for its time to live
    QUARANTINED = "quarantined"  # alive, but has failed too often
    HANDS_OFF = "hands-off"  # not ours to judge: protected, maintenance, ...
    UNKNOWN = "unknown"  # no proof of life, none of death
    AGENT_LOST = "agent-lost"  # beacon gone, nova-compute still reports
    ISOLATED = "isolated"  # both silent, yet another source still moves
    DOWN = "down"


class Reason(enum.StrEnum):
    """Why a verdict was given; each has a sentence in ``verdict.EXPLAIN``."""

    BEACON = "beacon"
    CHECKS_FAILED = "checks-failed"
    NEW_BOOT = "new-boot"
    QUARANTINE = "quarantine"
    GOODBYE = "goodbye"
    PROTECTED = "protected"
    MAINTENANCE = "maintenance"
    OPERATOR_DISABLED = "operator-disabled"
    OPERATOR_FORCED_DOWN = "operator-forced-down"
    NOT_ENROLLED = "not-enrolled"
    OWN_SESSION = "own-session"
    NEVER_SEEN = "never-seen"
    WINDOW = "window"
    SOURCE_UNREAD = "source-unread"
    SOURCE_NOT_SILENT = "source-not-silent"
    SOURCE_MOVES = "source-moves"
    ISOLATED = "isolated"
    NO_SERVICE = "no-service"
    LIFE_SEEN = "life-seen"
    ALL_SILENT = "all-silent"
    POWER_OFF = "power-off"


@record
class Verdict:
    """A verdict, with the reason that is shown to the operator."""

    kind: VerdictKind
    reason: Reason
    detail: str = ""

    @property
    def alive(self) -> bool:
        """Whether the host's own agent speaks for it right now."""
        return self.kind in (
            VerdictKind.ALIVE,
            VerdictKind.DEGRADED,
            VerdictKind.REBOOTED,
            VerdictKind.QUARANTINED,
        )
