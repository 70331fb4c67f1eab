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

"""Each change of a host is told once, until something else is told of it."""

from nova_ha import ports
from nova_ha.core import model


class Teller:
    """Passes on what is told, and remembers the latest of each topic."""

    def __init__(self, notifier: ports.Notifier) -> None:
        self._notifier = notifier
        self._told: dict[model.HostName, dict[str, str]] = {}

    def tell(self, event: model.AuditEvent) -> None:
        """Tell it in any case."""
        self._notifier.emit(event)

    def once(
        self, host: model.HostName, topic: str, event: model.AuditEvent
    ) -> bool:
        """Tell it, unless its code is what was told last of the topic.

        :returns: whether it was told.
        """
        if self.last(host, topic) == event.code:
            return False
        self._told.setdefault(host, {})[topic] = event.code
        self._notifier.emit(event)
        return True

    def last(self, host: model.HostName, topic: str) -> str:
        """Code of what was told last of the topic; empty: nothing."""
        return self._told.get(host, {}).get(topic, "")

    def renew(self, host: model.HostName, topic: str) -> None:
        """What was told of the topic is to be told again."""
        self._told.get(host, {}).pop(topic, None)

    def drop(self, host: model.HostName) -> None:
        """The host is gone."""
        self._told.pop(host, None)

    def forget(self) -> None:
        """Tell everything again."""
        self._told.clear()
