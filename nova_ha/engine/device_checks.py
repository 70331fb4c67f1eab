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

"""Asks fence devices in good time whether they could fence."""

from collections.abc import Callable, Collection, Mapping

from oslo_log import log as logging

from nova_ha.core import device_checks
from nova_ha.core import events
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.engine import jobs
from nova_ha.engine import telling

LOG = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks at which hosts are due."""

TOPOLOGY_PAUSE = 30.0
"""Seconds between two looks at fencing.yaml."""

RETRY = 60.0
"""Seconds until a host whose check came to nothing is asked again."""


class DeviceChecks:
    """All that it remembers can be lost: a successor asks again."""

    def __init__(
        self,
        policy: policy_mod.Policy,
        submit: Callable[[jobs.Job], None],
        teller: telling.Teller,
    ) -> None:
        self._interval = policy.device_check_interval
        self._submit = submit
        self._teller = teller
        self._began = 0.0
        self._look_at = 0.0
        self._topology_at = 0.0
        self._topology: model.TopologyState | None = None
        self._shown = False
        """Whether our node may show that it is refused. Not forgotten from
        term to term: the node may be the same."""
        self._due: dict[model.HostName, float] = {}
        self._asked: set[model.HostName] = set()
        self._bars: dict[model.HostName, frozenset[str]] = {}
        """The barred devices of the hosts that have any."""
        self._told: dict[model.HostName, tuple[model.AuditEvent, ...]] = {}
        """What is told once it is kept."""

    def start(self, now: float) -> None:
        """Another term: ask everything anew."""
        self._began = self._look_at = self._topology_at = now
        self._topology = None
        self._due.clear()
        self._asked.clear()
        self._bars.clear()
        self._told.clear()

    def look(
        self,
        views: Collection[liveness.HostView],
        spared: Collection[model.HostName],
        now: float,
    ) -> None:
        """Ask the hosts that are due.

        :param spared: hosts that are busy otherwise.
        """
        if now < self._look_at:
            return
        self._look_at = now + PAUSE
        self._look_at_topology(now)
        if self._interval:
            self._look_at_hosts(views, spared, now)

    def _look_at_hosts(
        self,
        views: Collection[liveness.HostView],
        spared: Collection[model.HostName],
        now: float,
    ) -> None:
        wanted = {
            view.host: view for view in views if device_checks.wanted(view)
        }
        self._plan(wanted)
        for host in sorted(wanted, key=lambda one: (self._due[one], one)):
            if len(self._asked) >= device_checks.PARALLEL:
                break
            if self._due[host] > now:
                break
            if host not in self._asked and host not in spared:
                self._ask(wanted[host])

    def _plan(
        self, wanted: Mapping[model.HostName, liveness.HostView]
    ) -> None:
        """When each of these is due: at once where nobody has ever asked, or
        its bars have changed."""
        bars = {
            host: frozenset(view.facts.record.barred)
            for host, view in wanted.items()
            if view.facts.record is not None and view.facts.record.barred
        }
        changed = {
            host
            for host in bars.keys() | self._bars.keys()
            if bars.get(host) != self._bars.get(host)
        }
        self._bars = bars
        self._due = {
            host: 0.0
            if host in changed
            else self._due.get(host, self._first(view))
            for host, view in wanted.items()
        }

    def _first(self, view: liveness.HostView) -> float:
        return device_checks.first(
            view.host, view.facts.record, self._began, self._interval
        )

    def _ask(self, view: liveness.HostView) -> None:
        kept = view.facts.record
        if kept is not None:
            self._asked.add(view.host)
            self._submit(
                jobs.CheckDevices(host=view.host, system_uuid=kept.system_uuid)
            )

    def take(
        self,
        event: events.DevicesChecked,
        view: liveness.HostView | None,
        now: model.Now,
    ) -> None:
        """The answers of a host's devices."""
        host = event.host
        kept = None if view is None else view.facts.record
        if kept is None or event.error:
            LOG.warning("Devices of %s not checked: %s", host, event.error)
            self._asked.discard(host)
            self._due[host] = now.mono + RETRY
            return
        found = device_checks.conclude(kept, event.reports, now.utc)
        self._due[host] = device_checks.following(
            host,
            self._began,
            self._interval,
            now.mono,
            failing=bool(found.health.failing or found.health.problem),
        )
        if not (found.changed or found.barred):
            self._asked.discard(host)
        else:
            # Not asked again before this is kept: a bar is news by itself.
            self._told[host] = found.told
            self._submit(
                jobs.KeepFencing(
                    host=host, health=found.health, barred=found.barred
                )
            )

    def take_kept(self, event: events.FencingKept, now: float) -> None:
        """It is in the host's record, or is found once more."""
        told = self._told.pop(event.host, ())
        self._asked.discard(event.host)
        if event.error:
            LOG.warning(
                "Check of %s's devices not kept: %s", event.host, event.error
            )
            self._due[event.host] = now + RETRY
            return
        for one in told:
            self._teller.tell(one)

    # -- fencing.yaml --

    def _look_at_topology(self, now: float) -> None:
        if now >= self._topology_at:
            # Until the answer comes; it always does.
            self._topology_at = float("inf")
            self._submit(jobs.CheckTopology(shown=self._shown))

    def take_topology(self, event: events.TopologyChecked, now: float) -> None:
        """Tell of each change; of a new version, ask its devices."""
        self._topology_at = now + TOPOLOGY_PAUSE
        before, found = self._topology, event.state
        if found is None:
            LOG.warning("fencing.yaml not looked at: %s", event.error)
            return
        self._shown = event.shown
        if event.error:
            LOG.warning("Refusal of fencing.yaml not shown: %s", event.error)
        self._topology = found
        if before is not None and before.version != found.version:
            self._began = now
            self._due.clear()
        problem = "" if before is None else before.problem
        if found.problem and found.problem != problem:
            self._tell("fencing.refused", found.problem, model.Severity.ALARM)
        elif problem and not found.problem:
            self._tell("fencing.accepted", "it can be used again")

    def _tell(
        self,
        code: str,
        message: str,
        severity: model.Severity = model.Severity.INFO,
    ) -> None:
        prefix = (
            "the changed fencing.yaml is refused, the one before stays in "
            "force: "
            if severity is model.Severity.ALARM
            else "fencing.yaml is in force: "
        )
        self._teller.tell(
            model.AuditEvent(
                code=code, message=prefix + message, severity=severity
            )
        )
