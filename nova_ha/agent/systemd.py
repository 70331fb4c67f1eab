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

"""What an agent tells systemd, and asks it."""

import socket

from oslo_log import log as logging

from nova_ha.agent import command

LOG = logging.getLogger(__name__)

_ASK_SECONDS = 2.0

_SHUTDOWN = ["shutdown.target", "start"]
"""Unit and type of the job that power-off, reboot, halt and kexec share."""


class ServiceManager:
    """Tells systemd how this service does (``sd_notify(3)``)."""

    def __init__(self, address: str) -> None:
        """:param address: of ``NOTIFY_SOCKET``; empty: nobody listens."""
        # A leading @ stands for the zero byte of an abstract socket.
        self._address = "\0" + address[1:] if address[:1] == "@" else address

    def tell(self, *lines: str) -> None:
        """Send assignments like ``READY=1``; a failure is not fatal."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.connect(self._address)
                sender.send("\n".join(lines).encode())
        except OSError as error:
            LOG.debug("systemd could not be told: %s", error)


def shutting_down() -> bool:
    """Whether systemd is taking the whole machine down.

    Its jobs tell: this service is stopped before ``shutdown.target`` is
    reached. Its state (``is-system-running``) is "starting" until the boot is
    complete, and so while our own start gate holds up nova-compute.
    """
    question = command.Command(
        ["systemctl", "list-jobs", "--plain", "--no-legend"],
        deadline=_ASK_SECONDS,
    )
    try:
        jobs = question.run()[1].splitlines()
    except command.CommandFailed as error:
        LOG.debug("systemd was not asked whether it shuts down: %s", error)
        return False
    return any(job.split()[1:3] == _SHUTDOWN for job in jobs)
