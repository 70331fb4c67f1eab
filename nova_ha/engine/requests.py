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

"""Sees to what operators ask for: each request is followed or refused, told,
and taken away once that is on record."""

from collections.abc import Callable, Mapping

from oslo_log import log as logging

from nova_ha.core import by_hand
from nova_ha.core import events
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import model
from nova_ha.engine import jobs
from nova_ha.engine import open_cases
from nova_ha.engine import telling

LOG = logging.getLogger(__name__)

RETRY = 5.0
"""Seconds until a request that was taken away is expected to be gone, and
until a failure is tried again."""


class Requests:
    """A request stays in the tree until the case that follows it is saved: a
    successor of a leader that died before finds it there, or in the case."""

    def __init__(
        self, submit: Callable[[jobs.Job], None], teller: telling.Teller
    ) -> None:
        self._submit = submit
        self._teller = teller
        self.by_host: Mapping[model.HostName, model.EvacuationRequest] = {}
        self._not_before: dict[model.HostName, float] = {}
        self._refused: dict[model.HostName, model.EvacuationRequest] = {}
        """The latest of each host that was told to be refused."""

    def forget(self) -> None:
        """Another term: ask again."""
        self._not_before.clear()
        self._refused.clear()

    def take(
        self, event: events.RequestsRead | events.RequestDropped
    ) -> set[model.HostName]:
        """What is asked for by now, or that one has been taken away; returns
        the hosts concerned."""
        if isinstance(event, events.RequestDropped):
            if event.error:
                LOG.warning(
                    "The request for %s stays: %s", event.host, event.error
                )
            return set()
        before, self.by_host = self.by_host, dict(event.requests)
        for host in before.keys() - self.by_host.keys():
            self._not_before.pop(host, None)
            self._refused.pop(host, None)
        return set(before.keys() | self.by_host.keys())

    def wanted(
        self,
        host: model.HostName,
        one: open_cases.OpenCase | None,
        fleet: fleet_mod.Fleet,
        now: model.Now,
    ) -> model.EvacuationRequest | None:
        """The request that a case is to be opened for. One that is refused,
        or that a saved case follows, is taken away."""
        request = self.by_host.get(host)
        if request is None or self._not_before.get(host, 0.0) > now.mono:
            return None
        if one is not None:
            self._follow(request, one, now)
            return None
        view = fleet.view(host)
        facts = None if view is None else view.facts
        why = by_hand.refusal(request, facts, fleet.views.keys(), now.utc)
        if why:
            self._tell_refused(request, why)
            self._drop(request, now)
            return None
        return request

    def _follow(
        self,
        request: model.EvacuationRequest,
        one: open_cases.OpenCase,
        now: model.Now,
    ) -> None:
        if one.version is None or one.saving or one.unsaved is not None:
            return
        if one.case.request == request:
            self._drop(request, now)
        elif by_hand.too_late(one.case):
            self._tell_refused(
                request, f"its case is {one.case.state.value} already"
            )
            self._drop(request, now)

    def _drop(self, request: model.EvacuationRequest, now: model.Now) -> None:
        self._not_before[request.host] = now.mono + RETRY
        self._submit(jobs.DropRequest(host=request.host, request=request))

    def _tell_refused(
        self, request: model.EvacuationRequest, why: str
    ) -> None:
        """Once, however often it has to be taken away until it is gone."""
        if self._refused.get(request.host) == request:
            return
        self._refused[request.host] = request
        self._teller.tell(
            model.AuditEvent(
                code="host.request_refused",
                severity=model.Severity.WARNING,
                host=request.host,
                message=f"{request.by} asks for its evacuation: {why}",
            )
        )
