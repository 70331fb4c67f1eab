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

"""The engine's memory of the world: the views of all hosts."""

import dataclasses
from collections.abc import Iterator

from nova_ha.core import events
from nova_ha.core import guests as guests_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import roster as roster_mod


class Fleet:
    """The views of all hosts: the engine's memory of the world.

    The only mutable object of the core; the views in it are frozen.
    """

    def __init__(self) -> None:
        self.views: dict[model.HostName, liveness.HostView] = {}
        self.connected = False
        """The engine's own session is good and all hosts have been read
        since it became so."""
        self.services_error = "Nova has not been asked yet"
        self.services: dict[model.HostName, model.ServiceReport] = {}
        """Every nova-compute that Nova knows, enrolled or not."""
        self.guests = guests_mod.Guests()
        """By live agents, of all hosts."""
        self.contenders: tuple[model.Contender, ...] = ()
        self._first_look = True
        self._roster: roster_mod.Roster | None = None

    def __iter__(self) -> Iterator[liveness.HostView]:
        return iter(self.views.values())

    def view(self, host: model.HostName) -> liveness.HostView | None:
        return self.views.get(host)

    @property
    def roster(self) -> roster_mod.Roster:
        """The hosts that may be fenced. Made anew only when a record has
        changed: all other news leave it as it is."""
        if self._roster is None:
            self._roster = roster_mod.of(view.facts.record for view in self)
        return self._roster

    def fold(
        self, event: events.Event, now: float
    ) -> frozenset[model.HostName]:
        """Take in an event.

        :returns: the hosts of which something changed.
        """
        match event:
            case events.ConnectionChanged(connected=connected):
                return self._fold_connection(connected)
            case events.HostsRead():
                return self._fold_hosts(event, now)
            case events.ServicesRead():
                return self._fold_services(event, now)
            case events.ServicesUnread(error=error):
                self.services_error = error
            case events.SignsRead():
                return self._fold_signs(event, now)
            case events.PowerRead(host=host) if host in self.views:
                self.views[host] = liveness.fold_power(
                    self.views[host], event.reading, event.began
                )
                return frozenset([host])
            case events.Fenced(host=host, outcome=outcome) if outcome.alive:
                return self._fold_doubt(host, now)
            case events.ContendersRead(contenders=contenders):
                self.contenders = contenders
        return frozenset()

    def _fold_doubt(
        self, host: model.HostName, now: float
    ) -> frozenset[model.HostName]:
        view = self.views.get(host)
        if view is None or view.lost_at is None:
            return frozenset()
        self.views[host] = dataclasses.replace(view, doubted_at=now)
        return frozenset([host])

    def _fold_connection(self, connected: bool) -> frozenset[model.HostName]:
        # Only a complete read makes the engine trust what it sees again,
        # and all ages count anew from there (invariant 6).
        self.connected = False
        self._first_look = True
        return frozenset(self.views)

    def _fold_hosts(
        self, event: events.HostsRead, now: float
    ) -> frozenset[model.HostName]:
        if self._first_look and not event.complete:
            return frozenset()
        changed = {
            host
            for host, facts in event.hosts.items()
            if self._first_look or self._facts(host) != facts
        }
        for host in changed:
            if self._record(host) != event.hosts[host].record:
                self._roster = None
            self.views[host] = liveness.fold_facts(
                self.views.get(host),
                event.hosts[host],
                now,
                first_look=self._first_look,
            )
            self.guests.put(host, self.views[host].inventory)
        if event.complete:
            for host in self.views.keys() - event.hosts.keys():
                del self.views[host]
                self._roster = None
                self.guests.put(host, None)
            self._first_look = False
            self.connected = True
        return frozenset(changed)

    def _record(self, host: model.HostName) -> model.HostRecord | None:
        view = self.views.get(host)
        return None if view is None else view.facts.record

    def _facts(self, host: model.HostName) -> model.HostFacts | None:
        view = self.views.get(host)
        return None if view is None else view.facts

    def _fold_services(
        self, event: events.ServicesRead, now: float
    ) -> frozenset[model.HostName]:
        self.services_error = ""
        self.services = dict(event.services)
        self.guests.put_computes(event.services.keys())
        changed = set()
        for host, view in self.views.items():
            report = event.services.get(host)
            if report is None:
                if not view.unlisted:
                    changed.add(host)
                self.views[host] = dataclasses.replace(
                    view, service=None, unlisted=True
                )
                continue
            if view.service != report:
                changed.add(host)
            self.views[host] = liveness.fold_service(
                view, report, event.began, now
            )
        return frozenset(changed)

    def _fold_signs(
        self, event: events.SignsRead, now: float
    ) -> frozenset[model.HostName]:
        changed = set()
        for host, look in event.looks.items():
            view = self.views.get(host)
            if view is not None:
                changed.add(host)
                self.views[host] = liveness.fold_sign(
                    view, event.source, look.sign, look.began, now
                )
        return frozenset(changed)
