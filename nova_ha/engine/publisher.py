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

"""What filters and operators are told of hosts, kept up to date."""

from collections.abc import Callable, Collection, Iterable, Mapping

from oslo_log import log as logging

from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import publication
from nova_ha.engine import jobs

LOG = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds before a publication that failed is tried again."""


class Publisher:
    """Publishes what has changed, one publication of a host at a time."""

    def __init__(self, submit: Callable[[jobs.Job], None]) -> None:
        self._submit = submit
        self._published: dict[model.HostName, model.PublishedVerdict] = {}
        self._not_before: dict[model.HostName, float] = {}
        """Of what is under way, or has failed."""
        self._problem = ""

    def start(self, published: Iterable[model.PublishedVerdict]) -> None:
        """Go on from what earlier leaders have published."""
        self.forget()
        self._published = {one.host: one for one in published}

    def forget(self) -> None:
        self._published.clear()
        self._not_before.clear()

    @property
    def published(self) -> Mapping[model.HostName, model.PublishedVerdict]:
        return self._published

    @property
    def restless(self) -> Collection[model.HostName]:
        """Hosts to look at even if there is no news of them."""
        return self._not_before.keys()

    def look(
        self,
        host: model.HostName,
        wanted: model.PublishedVerdict | None,
        now: float,
    ) -> None:
        """See to it that this is published; None: nothing."""
        if self._not_before.get(host, 0.0) > now:
            return
        if publication.same(wanted, self._published.get(host)):
            self._not_before.pop(host, None)
            return
        # Until the answer comes; it always does.
        self._not_before[host] = float("inf")
        self._submit(jobs.PublishVerdict(host=host, verdict=wanted))

    def take(self, event: events.Published, now: float) -> None:
        """The answer to a publication; what is wanted may have changed
        since, so look again."""
        if event.error:
            self._log(event)
            self._not_before[event.host] = now + RETRY
            return
        self._problem = ""
        self._not_before.pop(event.host, None)
        if event.verdict is None:
            self._published.pop(event.host, None)
        else:
            self._published[event.host] = event.verdict

    def _log(self, event: events.Published) -> None:
        # An outage concerns many hosts, and every second anew.
        if event.error != self._problem:
            self._problem = event.error
            LOG.warning(
                "Verdict on %s not published: %s", event.host, event.error
            )
