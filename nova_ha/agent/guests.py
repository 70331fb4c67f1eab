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

"""Who knows the guests that really run here (``nova_ha.guests``).

Like the checks, a source has a class method ``from_settings(settings,
clock)``. Not knowing is never told as "no guests": where the answer is not
beyond doubt, :class:`nova_ha.exception.GuestsUnknown` is raised.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any, Self

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha import ports
from nova_ha.agent import command
from nova_ha.agent import libvirt_connection
from nova_ha.core import model

_UUID = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII
)


class CommandGuests(ports.GuestSource):
    """A command that prints UUIDs, one a line."""

    def __init__(self, *, argv: list[str], deadline: float) -> None:
        """:param deadline: seconds."""
        self._command = command.Command(argv, deadline=deadline)

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], clock: nova_clock.Clock
    ) -> Self:
        option = "[agent] guests_command"
        try:
            argv = shlex.split(settings["guests_command"])
        except ValueError as error:
            raise exception.ConfigError(
                option, f"cannot be taken apart: {error}", "check its quotes"
            ) from error
        if not argv:
            raise exception.ConfigError(
                option,
                "is empty, but guests_driver = command needs it",
                "name a command that prints the UUIDs of running guests",
            )
        return cls(argv=argv, deadline=settings["guests_deadline"])

    def running(self) -> frozenset[model.InstanceId]:
        try:
            status, output = self._command.run()
        except command.CommandFailed as error:
            raise exception.GuestsUnknown(
                f"guests command: {error}"
            ) from error
        if status != 0:
            raise exception.GuestsUnknown(
                f"guests command: exit status {status}"
            )
        return _parse(output)


def _parse(output: str) -> frozenset[model.InstanceId]:
    # Even a blank line makes the answer doubtful: it is what a script
    # prints when the list it meant to print could not be had.
    for number, line in enumerate(output.splitlines(), start=1):
        if not _UUID.fullmatch(line.strip()):
            raise exception.GuestsUnknown(
                f"guests command: line {number} of its output is no UUID"
            )
    return frozenset(
        model.InstanceId(line.strip().lower()) for line in output.splitlines()
    )


class LibvirtGuests(ports.GuestSource):
    """libvirt's active domains: Nova gives a domain its instance's UUID.

    Paused ones and those of an incoming migration are active: their disks
    are open.
    """

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
        self._active = library.VIR_CONNECT_LIST_DOMAINS_ACTIVE
        self._question: libvirt_connection.Question[
            frozenset[model.InstanceId]
        ] = libvirt_connection.Question(
            library, uri, self._ask, deadline=deadline, clock=clock
        )

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], clock: nova_clock.Clock
    ) -> Self:
        return cls(
            library=libvirt_connection.load("[agent] guests_driver"),
            uri=settings["libvirt_uri"] or libvirt_connection.DEFAULT_URI,
            deadline=settings["guests_deadline"],
            clock=clock,
        )

    def running(self) -> frozenset[model.InstanceId]:
        try:
            return self._question.put()
        except libvirt_connection.LibvirtFailed as error:
            raise exception.GuestsUnknown(f"libvirt: {error}") from error

    def _ask(self, connection: Any) -> frozenset[model.InstanceId]:
        return frozenset(
            model.InstanceId(domain.UUIDString().lower())
            for domain in connection.listAllDomains(self._active)
        )
