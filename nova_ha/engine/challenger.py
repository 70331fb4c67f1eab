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

"""Has hosts show their beacon again that may not be theirs any more."""

from collections.abc import Callable, Iterable

from oslo_log import log as logging

from nova_ha.core import challenge
from nova_ha.core import events
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.engine import jobs
from nova_ha.engine import telling

LOG = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks at the fleet."""


class Challenger:
    """All that it remembers can be lost: a successor challenges again."""

    def __init__(
        self,
        policy: policy_mod.Policy,
        submit: Callable[[jobs.Job], None],
        teller: telling.Teller,
    ) -> None:
        self._policy = policy
        self._submit = submit
        self._teller = teller
        self._look_at = 0.0
        self._not_before: dict[model.HostName, float] = {}

    def forget(self) -> None:
        """Another term."""
        self._look_at = 0.0
        self._not_before.clear()

    def look(self, views: Iterable[liveness.HostView], now: float) -> None:
        """Challenge the one host that has been quiet for longest."""
        if now < self._look_at:
            return
        self._look_at = now + PAUSE
        quiet = [
            view
            for view in views
            if challenge.due(view, self._policy, now)
            and self._not_before.get(view.host, now) <= now
        ]
        if not quiet:
            return
        view = min(quiet, key=lambda one: (one.heard_at, one.host))
        beacon = view.facts.beacon
        if beacon is None:
            return
        self._look_at = now + challenge.APART
        self._not_before[view.host] = now + challenge.AGAIN
        self._submit(
            jobs.ChallengeHost(
                host=view.host,
                session=beacon.session,
                quiet=now - view.heard_at,
            )
        )

    def take(self, event: events.Challenged) -> None:
        """What has become of it."""
        if event.error:
            LOG.warning("Host %s not challenged: %s", event.host, event.error)
            problem = f" could not be taken away: {event.error}"
        else:
            problem = (
                " was taken away: if it lives, it shows another one within "
                "seconds"
            )
        self._teller.tell(
            model.AuditEvent(
                code="host.challenged",
                severity=model.Severity.WARNING,
                host=event.host,
                message="its session in ZooKeeper is alive, but it has "
                f"written nothing for {event.quiet:.0f} s and its "
                f"nova-compute is silent, so its beacon{problem}",
            )
        )
