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

"""RabbitMQ, with node names, port mapper and cookie of its own; alone or as a
cluster."""

from collections.abc import Mapping

from lab import files
from lab import network
from lab import process
from lab.services import base

USER = "openstack"
_SERVER_DIRECTORY = "/usr/lib/rabbitmq/bin"


class RabbitMQ:
    """The brokers, numbered from 1.

    :param members: 1, or an odd number for a cluster with a quorum.
    """

    def __init__(self, site: base.Site, members: int = 1) -> None:
        self._site = site
        self._numbers = range(1, members + 1)
        self.members = [self._member(number) for number in self._numbers]

    def _member(self, number: int) -> process.Process:
        # The wrapper in /usr/sbin changes to the system's own user.
        server = base.system_command("rabbitmq-server", _SERVER_DIRECTORY)
        return self._site.server(
            _name(number), [server], self._environment(number)
        )

    def port(self, number: int) -> int:
        """Where a member listens."""
        return self._site.ports.get(_name(number))

    @property
    def transport_url(self) -> str:
        """For oslo.messaging, names every member; holds the password."""
        password = self._site.passwords.get("rabbitmq")
        members = ",".join(
            f"{USER}:{password}@{network.LOOPBACK}:{self.port(number)}"
            for number in self._numbers
        )
        return f"rabbit://{members}/"

    @property
    def client_options(self) -> Mapping[str, Mapping[str, object]]:
        """What oslo.messaging needs besides, by section: on a cluster, queues
        that outlive the member that they were made on."""
        if len(self.members) == 1:
            return {}
        return {
            "oslo_messaging_rabbit": {
                "rabbit_quorum_queue": True,
                "rabbit_transient_quorum_queue": True,
                "rabbit_retry_interval": 1,
                "kombu_reconnect_delay": 0.5,
            }
        }

    def _environment(self, number: int) -> dict[str, str]:
        ports, etc, name = self._site.ports, self._site.etc, _name(number)
        data = self._site.data(name)
        return {
            "HOME": str(data),
            "ERL_EPMD_ADDRESS": network.LOOPBACK,
            "ERL_EPMD_PORT": str(ports.get("epmd")),
            "RABBITMQ_NODENAME": _node(number),
            "RABBITMQ_DIST_PORT": str(ports.get(f"{name}-dist")),
            "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._site.log / name),
            "RABBITMQ_PID_FILE": str(data / "rabbitmq.pid"),
            "RABBITMQ_CONFIG_FILE": str(etc / name),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(etc / "rabbitmq-plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # Two schedulers start faster than one for each core, and do.
            "RABBITMQ_SERVER_ERL_ARGS": "+S 2:2 +sbwt none",
        }

    def _configure(self, number: int) -> None:
        options = {
            "listeners.tcp.1": f"{network.LOOPBACK}:{self.port(number)}",
            "default_user": USER,
            "default_pass": self._site.passwords.get("rabbitmq"),
            "log.console": "true",
            "log.console.level": "warning",
            "log.file": "false",
            # The lab is not where the disk runs full.
            "disk_free_limit.absolute": "50MB",
        }
        if len(self.members) > 1:
            options["cluster_formation.peer_discovery_backend"] = (
                "classic_config"
            )
            for other in self._numbers:
                key = f"cluster_formation.classic_config.nodes.{other}"
                options[key] = _node(other)
        files.write(
            self._site.etc / f"{_name(number)}.conf",
            "".join(f"{name} = {value}\n" for name, value in options.items()),
        )
        files.write(self._site.etc / "rabbitmq-plugins", "[].\n")
        cookie = self._site.data(_name(number)) / ".erlang.cookie"
        if not cookie.exists():
            files.write(
                cookie, self._site.passwords.get("erlang-cookie"), 0o400
            )

    def start(self) -> None:
        """Start the members that do not run; wait until all accept
        connections.

        :raises lab.process.LabError: when one does not.
        """
        started = [
            (number, member)
            for number, member in zip(self._numbers, self.members, strict=True)
            if not member.alive()
        ]
        for number, member in started:
            self._configure(number)
            member.start()
            # One after another: the others find the first, and join it.
            self._site.wait_listening(member, self.port(number))

    def stop(self) -> None:
        """Stop them; their port mapper goes with the rest of the cloud."""
        for member in self.members:
            member.stop(grace=10)


def _name(number: int) -> str:
    return f"rabbitmq-{number}"


def _node(number: int) -> str:
    return f"nova-ha-lab-{number}@localhost"
