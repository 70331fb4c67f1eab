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

"""The agent: shows this host's beacon and keeps its session alive.

One loop, once a touch interval. Whatever can hang runs in threads of its own
and only leaves results behind. Losing ZooKeeper stops nothing on this host:
the loop goes on trying, and shows the beacon again.
"""

import dataclasses
import threading
from collections.abc import Callable, Sequence

from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha import ports
from nova_ha.agent import colocated
from nova_ha.agent import heartbeat
from nova_ha.agent import inventory
from nova_ha.agent import marker as marker_mod
from nova_ha.agent import periodic
from nova_ha.agent import runner
from nova_ha.agent import systemd
from nova_ha.core import agent_policy
from nova_ha.core import model

LOG = logging.getLogger(__name__)

_REMINDER_SECONDS = 60.0
"""How often a trouble that lasts is told again."""


class Agent:
    """One agent, from :meth:`run` to :meth:`stop`."""

    def __init__(
        self,
        identity: model.Beacon,
        beacons: ports.Beacons,
        *,
        checks: Sequence[ports.Check],
        guests: ports.GuestSource,
        roles: colocated.RoleFinder,
        policy: agent_policy.AgentPolicy,
        clock: nova_clock.Clock,
        manager: systemd.ServiceManager,
        shutting_down: Callable[[], bool] = systemd.shutting_down,
        heartbeats: Sequence[heartbeat.HeartbeatWriter] = (),
        marker: marker_mod.Marker | None = None,
    ) -> None:
        """:param identity: a beacon without check results and roles.
        :param heartbeats: written from the first beacon on, with or without
            ZooKeeper; an agent that leaves stops them.
        :param marker: proves the storage domain; None: nothing is said of
            it."""
        self._identity = identity
        self._beacons = beacons
        self._roles = roles
        self._policy = policy
        self._clock = clock
        self._manager = manager
        self._shutting_down = shutting_down
        self._heartbeats = heartbeats
        self._marker = marker
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._present = threading.Event()
        self._shown: model.Beacon | None = None
        self._ever_shown = False
        self._trouble: type[Exception] | None = None
        self._remind_at = 0.0
        reporter = inventory.GuestReporter(
            guests, beacons, identity, self._present
        )
        self._guests = runner.CheckRunner(
            reporter,
            interval=policy.guests_interval,
            deadline=policy.guests_deadline,
            clock=clock,
            changed=self._wake.set,
            then=reporter.publish,
        )
        self._checks = [self._runner(check) for check in checks]
        self._role_watch = periodic.Periodic(
            "look for colocated services",
            self._refresh_roles,
            interval=policy.roles_interval,
            clock=clock,
        )

    def _runner(self, check: ports.Check) -> runner.CheckRunner:
        return runner.CheckRunner(
            check,
            interval=self._policy.check_interval,
            deadline=self._policy.check_deadline,
            clock=self._clock,
            changed=self._wake.set,
        )

    # -- life ----------------------------------------------------------------

    def run(self) -> None:
        """Show the beacon and touch the session until :meth:`stop`; then say
        goodbye.

        :raises CoordinationError: another machine runs under this name.
        :raises ConfigError: the tree in ZooKeeper cannot be used.
        """
        for check in self._checks:
            check.start()
        self._role_watch.start()
        if self._marker is not None:
            self._marker.start()
        try:
            self._loop()
            self._say_goodbye()
        finally:
            self._role_watch.stop()
            if self._marker is not None:
                self._marker.stop()
            for check in (*self._checks, self._guests):
                check.stop()
            for writer in self._heartbeats:
                writer.stop()
            self._beacons.close()

    def stop(self) -> None:
        """Make :meth:`run` return; from any thread."""
        self._stopping.set()
        self._wake.set()

    def _loop(self) -> None:
        ready = False
        while not self._stopping.is_set():
            began = self._clock.boottime()
            self.turn()
            # Ready even without ZooKeeper: waiting for it is this service's
            # work, and restarting the service would not bring it back.
            self._manager.tell(*(() if ready else ("READY=1",)), "WATCHDOG=1")
            ready = True
            spent = self._clock.boottime() - began
            self._clock.wait(
                self._wake, max(0.0, self._policy.touch_interval - spent)
            )
            self._wake.clear()

    # -- one turn ------------------------------------------------------------

    def turn(self) -> None:
        """Show the beacon if it has changed or is gone, else touch it.

        :raises CoordinationError: another machine runs under this name.
        """
        wanted = self.beacon()
        try:
            if wanted == self._shown:
                self._beacons.touch()
            else:
                self._show(wanted)
        except (
            exception.CoordinationUnavailable,
            exception.CoordinationDenied,
            exception.StaleVersion,
        ) as error:
            self._lost(error)

    def beacon(self) -> model.Beacon:
        """What is to be shown right now."""
        results = (check.result() for check in (*self._checks, self._guests))
        return dataclasses.replace(
            self._identity,
            checks=tuple(result for result in results if result is not None),
            colocated=self._roles.roles,
            storage=None if self._marker is None else self._marker.domain,
        )

    def _show(self, wanted: model.Beacon) -> None:
        self._beacons.show(wanted)
        self._shown = wanted
        self._present.set()
        if not self._ever_shown:
            # Not earlier: only who may speak for this host may report.
            self._guests.start()
            for writer in self._heartbeats:
                writer.start()
            LOG.info(
                "Shown as %s, boot %s", wanted.host, wanted.boot_id or "?"
            )
        elif self._trouble:
            LOG.info("Shown again as %s", wanted.host)
        self._ever_shown = True
        self._trouble = None
        self._manager.tell(f"STATUS=Shown as {wanted.host}")

    def _lost(self, error: exception.CoordinationError) -> None:
        self._shown = None
        self._present.clear()
        now = self._clock.boottime()
        if type(error) is not self._trouble or now >= self._remind_at:
            self._remind_at = now + _REMINDER_SECONDS
            LOG.warning(
                "The beacon of %s cannot be kept up: %s. Nothing is stopped "
                "on this host; trying again",
                self._identity.host,
                error,
            )
            self._manager.tell(f"STATUS=Not shown: {error}")
        self._trouble = type(error)

    def _refresh_roles(self) -> None:
        if self._roles.refresh():
            self._wake.set()

    # -- leaving -------------------------------------------------------------

    def _say_goodbye(self) -> None:
        self._manager.tell("STOPPING=1")
        if not self._ever_shown:
            return
        goodbye = self._goodbye()
        try:
            self._beacons.goodbye(goodbye)
        except exception.CoordinationError as error:
            LOG.warning(
                "Could not say goodbye, so this host counts as lost once its "
                "session has expired: %s",
                error,
            )
            return
        LOG.info(
            "Said goodbye (%s), good for %g s", goodbye.reason, goodbye.ttl
        )

    def _goodbye(self) -> model.Goodbye:
        if self._shutting_down():
            reason, ttl = (
                model.GoodbyeReason.SHUTDOWN,
                self._policy.shutdown_ttl,
            )
        else:
            reason, ttl = model.GoodbyeReason.STOP, self._policy.goodbye_ttl
        return model.Goodbye(
            host=self._identity.host,
            boot_id=self._identity.boot_id,
            reason=reason,
            ttl=ttl,
            said_at=self._clock.utcnow(),
        )
