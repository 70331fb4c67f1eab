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

"""Check ``libvirt``: libvirt answers, where it is configured."""

from collections.abc import Mapping
from typing import Any, Self

from nova_ha import clock as nova_clock
from nova_ha import ports
from nova_ha.agent import libvirt_connection
from nova_ha.core import model


class LibvirtCheck(ports.Check):
    """libvirt accepts a connection and lists its guests."""

    name = "libvirt"

    def __init__(
        self,
        *,
        library: Any,
        uri: str,
        deadline: float,
        clock: nova_clock.Clock,
    ) -> None:
        """:param library: the module ``libvirt``.
        :param deadline: seconds."""
        self._question: libvirt_connection.Question[int] = (
            libvirt_connection.Question(
                library,
                uri,
                lambda connection: int(connection.numOfDomains()),
                deadline=deadline,
                clock=clock,
            )
        )

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], clock: nova_clock.Clock
    ) -> Self | None:
        uri = settings["libvirt_uri"]
        if not uri:
            return None
        return cls(
            library=libvirt_connection.load("[agent] libvirt_uri"),
            uri=uri,
            deadline=settings["check_deadline"],
            clock=clock,
        )

    def run(self) -> model.CheckResult:
        try:
            self._question.put()
        except libvirt_connection.LibvirtFailed as error:
            return model.CheckResult(
                name=self.name, ok=False, detail=str(error)
            )
        return model.CheckResult(name=self.name, ok=True)
