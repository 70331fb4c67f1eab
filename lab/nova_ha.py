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
"""nova_ha itself: its configuration, its engines, its command line."""

import pathlib
import subprocess
from collections.abc import Mapping, Sequence

import yaml

from lab import files
from lab import process
from lab.host import AGENT
from lab.host import COMPUTE
from lab.host import Host
from lab.services import base
from lab.services import wsgi
from nova_ha.agent import marker
from nova_ha.coordination import settings as settings_mod

ROLES = ("engine", "agent", "scheduler", "operator")
NAMESPACE = "lab"
USER = "nova-ha"


class NovaHa:
    """Engines and configuration files.

    :param zookeeper: connection string.
    :param transport_url: of RabbitMQ.
    :param options: further options by section, for engines, command line
        and agents alike.
    """

    def __init__(
        self,
        site: base.Site,
        *,
        zookeeper: str,
        transport_url: str,
        engines: int,
        options: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._site = site
        self._zookeeper = zookeeper
        self._transport_url = transport_url
        self._options = dict(options)
        self._etc = site.etc / "nova-ha"
        self._instances = site.shared / "instances"
        self.config = self._etc / "nova-ha.conf"
        self.engines = [
            self._engine(number) for number in range(1, engines + 1)
        ]

    def _engine(self, number: int) -> process.Process:
        name = f"nova-ha-engine-{number}"
        program = base.BIN / "nova-ha-engine"
        own = self._etc / f"engine-{number}.conf"
        return self._site.server(name, [program, "--config-file", own])

    # Configuration

    def prepare(self) -> None:
        """Write everything that does not depend on the hosts."""
        for role in ROLES:
            files.write(
                self._password_file(role),
                self._site.passwords.get(f"zookeeper-{role}") + "\n",
            )
        # All hypervisors mount it, as their agents will prove.
        marker.mark(str(self._instances), "lab")
        self._write_controllers()

    def set_options(self, section: str, **options: object) -> None:
        """Set options of the engines and the command line; an engine that
        runs has to be started again."""
        self._options[section] = {
            **self._options.get(section, {}),
            **options,
        }
        self._write_controllers()

    def _write_controllers(self) -> None:
        files.write_ini(self.config, self._controller("operator", None))
        for number, engine in enumerate(self.engines, 1):
            sections = self._controller("engine", engine.name)
            files.write_ini(self._etc / f"engine-{number}.conf", sections)

    def write_topology(self, hosts: Sequence[Host]) -> None:
        """Write the fencing file: each host's BMC, one level."""
        topology = {
            "devices": {host.bmc.name: host.bmc.device() for host in hosts},
            "hosts": {
                host.name: {"levels": [[host.bmc.name]]} for host in hosts
            },
        }
        files.write(self.topology, yaml.safe_dump(topology, sort_keys=False))

    def agent_config(self, host: Host) -> pathlib.Path:
        """Write the configuration of one host's agent; returns its path."""
        machine = host.machine
        sections: dict[str, dict[str, object]] = {
            "DEFAULT": {"host": host.name, "debug": True},
            "zookeeper": {
                **self.zookeeper_options("agent"),
                "host_password_file": self._etc / f"{host.name}.password",
            },
            "agent": {
                "instances_path": self._instances,
                "machine_id_file": machine.machine_id,
                "system_uuid_file": machine.system_uuid,
                "boot_id_file": machine.boot_id,
                "compute_pid_file": machine.pid_file(COMPUTE),
                "guests_driver": "command",
                "guests_command": host.guests_command,
                "allow_start_file": machine.directory / "allow-start",
                "colocated_services": "none",
            },
        }
        path = machine.directory / f"{AGENT}.conf"
        return files.write_ini(path, self._with_options(sections))

    def scheduler_options(self) -> dict[str, dict[str, object]]:
        """nova-scheduler's part: filters, weighers, and their view."""
        # All that Nova enables by default, and ours.
        enabled = (
            "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,"
            "ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter,"
            "HostLivenessFilter,ReservedHostFilter,SharedStorageFilter,"
            "FailureDomainAntiAffinityFilter"
        )
        own = self.zookeeper_options("scheduler")
        return {
            "filter_scheduler": {
                "available_filters": [
                    "nova.scheduler.filters.all_filters",
                    "nova_ha.scheduler.all_filters",
                ],
                "enabled_filters": enabled,
                "weight_classes": "nova.scheduler.weights.all_weighers,"
                "nova_ha.scheduler.all_weighers",
            },
            "nova_ha": {
                f"zookeeper_{name}": own[name]
                for name in ("hosts", "namespace", "username", "password_file")
            },
        }

    def zookeeper_options(self, role: str) -> dict[str, object]:
        """The ``[zookeeper]`` section of one role."""
        return {
            "hosts": self._zookeeper,
            "namespace": NAMESPACE,
            "username": role,
            "password_file": self._password_file(role),
        }

    def _controller(
        self, role: str, name: str | None
    ) -> dict[str, dict[str, object]]:
        default: dict[str, object] = {"transport_url": self._transport_url}
        if name is not None:
            default |= {"host": name, "debug": True}
        user = wsgi.credentials(self._site, USER)
        sections: dict[str, dict[str, object]] = {
            "DEFAULT": default,
            "zookeeper": self.zookeeper_options(role),
            "nova": user | {"interface": "public"},
            "fencing": {"topology_file": self.topology},
            "oslo_messaging_notifications": {"driver": "messagingv2"},
            # Of use only where the options enable it.
            "rpc": {
                "zookeeper_password_file": self._password_file("operator")
            },
        }
        return self._with_options(sections)

    def _with_options(
        self, sections: dict[str, dict[str, object]]
    ) -> dict[str, dict[str, object]]:
        for section, options in self._options.items():
            sections[section] = {**sections.get(section, {}), **options}
        return sections

    def settings(self, role: str) -> settings_mod.Settings:
        """How to reach ZooKeeper in one role, without a file of options."""
        password = self._password_file(role).read_text(encoding="utf-8")
        return settings_mod.Settings(
            hosts=self._zookeeper,
            namespace=NAMESPACE,
            username=role,
            password=password.strip(),
        )

    @property
    def topology(self) -> pathlib.Path:
        return self._etc / "fencing.yaml"

    def _password_file(self, role: str) -> pathlib.Path:
        return self._etc / f"zookeeper-{role}.password"

    # Running it

    def create_tree(self, hosts: Sequence[Host]) -> None:
        """Make the tree in ZooKeeper, each role and host with its own rights.

        :raises lab.process.LabError: when the command fails.
        """
        words = ["zk", "init"]
        for role in ("engine", "agent", "scheduler"):
            file = self._password_file(role)
            words += ["--role-password-file", f"{role}={file}"]
        self.cli(*words)
        names = [host.name for host in hosts]
        self.cli("zk", "enrol", *names, "--directory", str(self._etc))

    def start_engines(self) -> None:
        """Start the engines that do not run."""
        for engine in self.engines:
            if not engine.alive():
                engine.start()

    def cli(self, *words: str, check: bool = True) -> str:
        """Run ``nova-ha`` as the operator, on ZooKeeper itself, whatever may
        have happened to the message bus; returns what it printed.

        :param check: whether another exit status than 0 is an error.
        :raises lab.process.LabError:
        """
        done = subprocess.run(
            [
                str(base.BIN / "nova-ha"),
                "--direct",
                *("--config-file", str(self.config)),
                *words,
            ],
            env=self._site.environment(),
            cwd=process.REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and done.returncode != 0:
            raise process.LabError(
                f"nova-ha {' '.join(words)} answered {done.returncode}: "
                f"{done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout
