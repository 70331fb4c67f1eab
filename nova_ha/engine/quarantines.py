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

"""Sees to hosts that keep failing: one deed at a time, until it shows."""

from collections.abc import Callable

from oslo_log import log as logging

from nova_ha import ports
from nova_ha.core import deeds
from nova_ha.core import events
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import quarantine
from nova_ha.engine import jobs

LOG = logging.getLogger(__name__)

SETTLE = 3.0
"""Seconds until what was done is expected to show in ZooKeeper or in Nova, and
until what has failed is tried again."""


class Quarantines:
    """What a leader remembers of it can be lost, but for a crash that was
    seen in the moment in which the leader itself died: that goes uncounted."""

    def __init__(
        self,
        policy: policy_mod.Policy,
        submit: Callable[[jobs.Job], None],
        notifier: ports.Notifier,
    ) -> None:
        self._policy = policy
        self._submit = submit
        self._notifier = notifier
        self._crashes: dict[model.HostName, model.Now] = {}
        """The latest of each host that its record does not show yet."""
        self._boots: dict[model.HostName, float] = {}
        """When the latest unplanned boot that was judged was seen."""
        self._not_before: dict[model.HostName, float] = {}
        """Hosts that something is being done about."""

    def forget(self) -> None:
        """Another term: trust nothing that is only in memory."""
        self._crashes.clear()
        self._not_before.clear()

    def drop(self, host: model.HostName) -> None:
        """Nothing is known of the host any more."""
        self._crashes.pop(host, None)
        self._boots.pop(host, None)
        self._not_before.pop(host, None)

    @property
    def restless(self) -> set[model.HostName]:
        """Hosts to look at even if there is no news of them."""
        return self._crashes.keys() | self._not_before.keys()

    def look(
        self,
        view: liveness.HostView,
        case: model.RecoveryCase | None,
        now: model.Now,
    ) -> None:
        """Do what is to be done about a host next."""
        host = view.host
        self._note_boot(view, case, now)
        if self._not_before.get(host, 0.0) > now.mono:
            return
        self._not_before.pop(host, None)
        crash = self._crashes.get(host)
        crashes = () if crash is None else (crash.utc,)
        deed = quarantine.wanted(view, case, crashes, self._policy, now)
        if not isinstance(deed, deeds.Count):
            self._crashes.pop(host, None)
        if deed is not None:
            # Until the answer comes; it always does.
            self._not_before[host] = float("inf")
            self._submit(jobs.KeepQuarantine(host=host, deed=deed))

    def _note_boot(
        self,
        view: liveness.HostView,
        case: model.RecoveryCase | None,
        now: model.Now,
    ) -> None:
        """See a crash in a boot that is news; judged once, by the state in
        which the case was then."""
        host, boot = view.host, view.rebooted_at
        if boot != now.mono or self._boots.get(host) == boot:
            return
        self._boots[host] = boot
        if quarantine.crashed(case):
            self._crashes[host] = now

    def take(self, event: events.QuarantineKept, now: model.Now) -> None:
        """The answer about a deed."""
        self._not_before[event.host] = now.mono + SETTLE
        if event.error:
            LOG.warning(
                "Quarantine of %s: %s failed: %s",
                event.host,
                type(event.deed).__name__,
                event.error,
            )
            return
        match event.deed:
            case deeds.Begin(quarantine=begun):
                self._tell(
                    "host.quarantined",
                    event.host,
                    f"{begun.reason}: it gets no instances and is not fenced "
                    "by itself again, until `nova-ha host release "
                    f"{event.host}` or {self._policy.quarantine_time:g} s of "
                    "health",
                    model.Severity.ALARM,
                )
            case deeds.End():
                self._tell(
                    "host.released",
                    event.host,
                    f"healthy for {self._policy.quarantine_time:g} s: its "
                    "quarantine is over",
                )

    def _tell(
        self,
        code: str,
        host: model.HostName,
        message: str,
        severity: model.Severity = model.Severity.INFO,
    ) -> None:
        self._notifier.emit(
            model.AuditEvent(
                code=code, host=host, message=message, severity=severity
            )
        )
