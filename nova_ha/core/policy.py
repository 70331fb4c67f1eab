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

"""When: every number and choice that the core decides by, in one place.

Durations are seconds. The defaults are those of :mod:`nova_ha.conf`; the
arithmetic is that of the design's safety page.
"""

from nova_ha.core.model import record
from nova_ha.core.rules import Rules


@record
class Policy:
    """The frozen settings of one run of the engine."""

    session_timeout: float = 10.0
    """T: ZooKeeper session time-out of the agents, as negotiated."""
    tick: float = 0.5
    """ZooKeeper's tick: a session expires between T and T + tick."""
    touch_interval: float = 1.0
    """i: agents touch their session this often."""
    silence_factor: float = 2.0
    """A source is silent after this many times its own largest gap."""
    assumed_gap: float = 10.0
    """Gap of a source that has not been seen to move yet."""
    patience: float = 0.0
    """How long after a beacon went the sources beside Nova's are waited for
    that have not been read since; 0 where no driver but Nova's is loaded."""
    fence_isolated: bool = False
    """Whether a host that is cut off, but shown by another source to live,
    is fenced like a dead one, or left alone until an operator decides."""
    small_cloud: int = 5
    brake_fraction: float = 0.1
    brake_window: float = 60.0
    """How long a host that was switched off counts for the brake."""
    storm_cooldown: float = 60.0
    """Quiet after a storm before anything new is fenced."""
    flap_count: int = 3
    """Deaths of a host within ``flap_window`` that put it into quarantine;
    0: none do."""
    flap_window: float = 3600.0
    quarantine_time: float = 86400.0
    """Unbroken health that ends a quarantine; 0: only an operator does."""
    fence_rounds: int = 10
    fence_backoff: float = 5.0
    fence_backoff_max: float = 300.0
    power_on_after_recovery: bool = False
    """Whether a host that we have switched off is switched on again once its
    instances are recovered."""
    device_check_interval: float = 0.0
    """How often the leader asks every host's fence devices whether they could
    fence; 0: never."""
    evacuations: int = 32
    evacuations_per_target: int = 3
    evacuation_attempts: int = 5
    evacuation_backoff: float = 2.0
    evacuation_backoff_max: float = 60.0
    rules: Rules = Rules()
    """Which instances are evacuated, how, and in which order."""
    progress_interval: float = 0.5
    request_timeout: float = 15.0
    """Deadline of one request to Nova."""
    leader_lease: float = 6.0
    """How long a leader may act after its last acknowledged renewal."""
    soak_time: float = 60.0
    away_alarm: float = 300.0
    """A planned absence that lasts longer than this is told again."""
    reminder: float = 300.0
    """A case that waits for an operator says so this often."""

    @property
    def window(self) -> float:
        """Confirmation window after a beacon is seen to go.

        Hosts that one common cause took touched their sessions up to i
        apart, and followers forward touches each half tick; expiry is
        quantised by the tick. After this long all of them are gone too, so
        that the brake sees them together before the first is fenced.
        """
        return self.touch_interval + 1.5 * self.tick + 1.0

    @property
    def settle(self) -> float:
        """Window for a host that was missing at the engine's first look, or
        at the first one after an outage: its agent may be reconnecting."""
        return self.session_timeout + self.window

    @property
    def takeover(self) -> float:
        """How long a new leader waits before it repeats a request that its
        predecessor may have sent: the predecessor's right to act, and the
        longest life of a request it may have sent at the end of it."""
        return self.leader_lease + self.request_timeout
