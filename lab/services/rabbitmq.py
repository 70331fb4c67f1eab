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

"""RabbitMQ, with a node name, port mapper and cookie of its own."""

from lab import files
from lab import network
from lab.services import base

USER = "openstack"
_SERVER_DIRECTORY = "/usr/lib/rabbitmq/bin"


class RabbitMQ:
    """One broker."""

    def __init__(self, site: base.Site) -> None:
        self._site = site
        self._data = site.data("rabbitmq")
        # The wrapper in /usr/sbin changes to the system's own user.
        server = base.system_command("rabbitmq-server", _SERVER_DIRECTORY)
        self.process = site.server("rabbitmq", [server], self._environment())

    @property
    def transport_url(self) -> str:
        """For oslo.messaging; holds the password."""
        password = self._site.passwords.get("rabbitmq")
        port = self._site.ports.get("rabbitmq")
        return f"rabbit://{USER}:{password}@{network.LOOPBACK}:{port}/"

    def _environment(self) -> dict[str, str]:
        ports = self._site.ports
        etc = self._site.etc
        return {
            "HOME": str(self._data),
            "ERL_EPMD_ADDRESS": network.LOOPBACK,
            "ERL_EPMD_PORT": str(ports.get("epmd")),
            "RABBITMQ_NODENAME": "nova-ha-lab@localhost",
            "RABBITMQ_DIST_PORT": str(ports.get("rabbitmq-dist")),
            "RABBITMQ_MNESIA_BASE": str(self._data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._site.log / "rabbitmq"),
            "RABBITMQ_PID_FILE": str(self._data / "rabbitmq.pid"),
            "RABBITMQ_CONFIG_FILE": str(etc / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(etc / "rabbitmq-plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # Two schedulers start faster than one for each core, and do.
            "RABBITMQ_SERVER_ERL_ARGS": "+S 2:2 +sbwt none",
        }

    def _configure(self) -> None:
        files.write(
            self._site.etc / "rabbitmq.conf",
            f"listeners.tcp.1 = {network.LOOPBACK}:"
            f"{self._site.ports.get('rabbitmq')}\n"
            f"default_user = {USER}\n"
            f"default_pass = {self._site.passwords.get('rabbitmq')}\n"
            "log.console = true\n"
            "log.console.level = warning\n"
            "log.file = false\n"
            # The lab is not where the disk runs full.
            "disk_free_limit.absolute = 50MB\n",
        )
        files.write(self._site.etc / "rabbitmq-plugins", "[].\n")
        cookie = self._data / ".erlang.cookie"
        if not cookie.exists():
            files.write(
                cookie, self._site.passwords.get("erlang-cookie"), 0o400
            )

    def start(self) -> None:
        """Start it and wait until it accepts connections.

        :raises lab.process.LabError: when it does not.
        """
        self._configure()
        self.process.start()
        self._site.wait_listening(
            self.process, self._site.ports.get("rabbitmq")
        )

    def stop(self) -> None:
        """Stop it; its port mapper goes with the rest of the cloud."""
        self.process.stop(grace=10)
