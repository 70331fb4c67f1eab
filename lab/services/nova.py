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

"""Nova's control plane: API, scheduler and conductor."""

import pathlib
import shutil
import sys
from collections.abc import Mapping

from lab import files
from lab import process
from lab.services import base
from lab.services import mariadb
from lab.services import nova_api
from lab.services import nova_faults
from lab.services import rabbitmq
from lab.services import schemas
from lab.services import wsgi

#: How often a compute service reports, and how long Nova takes a silent one
#: for alive; seconds.
REPORT_INTERVAL = 5
SERVICE_DOWN_TIME = 20

#: Nova knows the cell for servers without a host by this UUID.
_CELL0 = "00000000-0000-0000-0000-000000000000"
_CELL1 = "b5b5a3a0-4f4b-4d54-8b0c-6f6d6c0a7c11"

Sections = dict[str, dict[str, object]]


class Nova:
    """The three servers.

    :param scheduler_options: sections that only nova-scheduler gets on top.
    """

    def __init__(
        self,
        site: base.Site,
        database: mariadb.MariaDB,
        memcached: str,
        broker: rabbitmq.RabbitMQ,
        scheduler_options: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._site = site
        self._database = database
        self._memcached = memcached
        self._broker = broker
        self._scheduler_options = scheduler_options
        self._directory = site.etc / "nova"
        self.call_log = site.log / "nova-api-calls.jsonl"
        faults = site.run / "nova-api-faults.json"
        #: What nova-api does wrong from now on; nothing unless planned.
        self.faults = nova_faults.Plan(faults)
        self.api = wsgi.server(
            site,
            "nova",
            "lab.services.nova_api:application",
            {
                "OS_NOVA_CONFIG_DIR": str(self._directory),
                "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf",
                nova_api.LOG_VARIABLE: str(self.call_log),
                nova_api.FAULTS_VARIABLE: str(faults),
            },
            threads=32,
        )
        self.conductor = self._daemon("nova-conductor", "nova.conf")
        self.scheduler = self._daemon("nova-scheduler", "scheduler.conf")

    def _daemon(self, name: str, file: str) -> process.Process:
        return self._site.server(
            name,
            [base.BIN / name, "--config-file", self._directory / file],
        )

    def common(self) -> Sections:
        """What every Nova service of the lab is configured with."""
        site = self._site
        user = wsgi.credentials(site, "nova")
        return {
            "DEFAULT": {
                "transport_url": self._broker.transport_url,
                "report_interval": REPORT_INTERVAL,
                "service_down_time": SERVICE_DOWN_TIME,
                # Up to a minute until a new host is found, by default.
                "periodic_fuzzy_delay": 0,
                "executor_thread_pool_size": 16,
                # What is shelved stays on its host: off it, it is no
                # business of who recovers that host.
                "shelved_offload_time": -1,
                "use_stderr": True,
                "rpc_response_timeout": 60,
                "instances_path": site.shared / "instances",
                "rootwrap_config": f"{sys.prefix}/etc/nova/rootwrap.conf",
            },
            **{
                section: dict(options)
                for section, options in self._broker.client_options.items()
            },
            "glance": user | {"endpoint_override": site.url("glance")},
            "placement": dict(user),
            "neutron": user | {"endpoint_override": site.url("neutron")},
            "service_user": user | {"send_service_user_token": True},
        }

    def prepare(self) -> None:
        """Write the configuration, make the databases, map the cells.

        :raises lab.process.LabError: when a step fails.
        """
        site = self._site
        sections = self.common()
        sections["DEFAULT"] |= {
            "host": "controller",
            "state_path": site.data("nova"),
            "compute_driver": "fake.FakeDriverWithoutFakeNodes",
        }
        sections |= {
            "api": {"auth_strategy": "keystone"},
            "api_database": {"connection": self._database.url("nova_api")},
            "database": {"connection": self._database.url("nova")},
            "keystone_authtoken": wsgi.auth_token(
                site, "nova", self._memcached
            ),
            "conductor": {"workers": 1},
            "scheduler": {
                "workers": 1,
                "discover_hosts_in_cells_interval": 2,
            },
            "oslo_concurrency": {"lock_path": site.data("nova-locks")},
            "quota": dict.fromkeys(
                ("instances", "cores", "ram", "server_groups"), -1
            ),
        }
        path = files.write_ini(self._directory / "nova.conf", sections)
        for section, options in self._scheduler_options.items():
            sections[section] = {**sections.get(section, {}), **options}
        files.write_ini(self._directory / "scheduler.conf", sections)
        _copy_paste_file(self._directory)
        command = [sys.executable, "-m", "lab.services.nova_database"]
        schemas.ensure(
            self._database,
            ["nova_api", "nova"],
            "nova",
            lambda: site.command("nova-database", [*command, path]),
        )
        self._map_cells()

    def _map_cells(self) -> None:
        """What ``nova-manage cell_v2 map_cell0`` and ``create_cell`` do,
        less the four seconds that it takes them."""
        statements = []
        for row in self._database.query("nova", "SHOW TABLES"):
            # Where servers go that no host could be found for. Its tables
            # are those of the real cell.
            table = f"`{row[0]}`"
            statements += [
                f"CREATE TABLE {table} LIKE nova.{table}",
                f"INSERT INTO {table} SELECT * FROM nova.{table}",
            ]
        self._database.query("nova_cell0", *statements)
        for uuid, name, transport, database in (
            (_CELL0, "cell0", "none:///", "nova_cell0"),
            (_CELL1, "cell1", self._broker.transport_url, "nova"),
        ):
            self._database.query(
                "nova_api",
                "INSERT INTO cell_mappings (created_at, uuid, name, "
                "transport_url, database_connection, disabled) VALUES "
                f"(NOW(), '{uuid}', '{name}', '{transport}', "
                f"'{self._database.url(database)}', 0)",
            )

    def start(self) -> None:
        """Start the servers; wait until the API accepts connections.

        Keystone must have the user of Nova by now: the conductor ends
        otherwise.

        :raises lab.process.LabError: when the API does not come up.
        """
        for server in (self.conductor, self.api, self.scheduler):
            server.start()
        port = self._site.ports.get("nova")
        self._site.wait_listening(self.api, port)

    def stop(self) -> None:
        """Stop the servers."""
        for server in (self.api, self.scheduler, self.conductor):
            server.stop(grace=2)

    def mapped_hosts(self) -> set[str]:
        """Hosts that the scheduler can use (found and mapped to a cell)."""
        rows = self._database.query(
            "nova_api", "SELECT host FROM host_mappings"
        )
        return {str(row[0]) for row in rows}


def _copy_paste_file(directory: pathlib.Path) -> None:
    paste = f"{sys.prefix}/etc/nova/api-paste.ini"
    shutil.copy(paste, directory / "api-paste.ini")
