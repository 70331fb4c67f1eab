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

"""Placement."""

import pathlib

from lab import files
from lab.services import base
from lab.services import mariadb
from lab.services import schemas
from lab.services import wsgi


class Placement:
    """One API server."""

    def __init__(
        self, site: base.Site, database: mariadb.MariaDB, memcached: str
    ) -> None:
        self._site = site
        self._database = database
        self._memcached = memcached
        self._directory = site.etc / "placement"
        self.process = wsgi.server(
            site,
            "placement",
            "placement.wsgi.api:application",
            {"OS_PLACEMENT_CONFIG_DIR": str(self._directory)},
        )

    def prepare(self) -> None:
        """Write the configuration and make the database.

        :raises lab.process.LabError: when that fails.
        """
        path = files.write_ini(
            self._directory / "placement.conf",
            {
                "DEFAULT": {"use_stderr": True},
                "api": {"auth_strategy": "keystone"},
                "placement_database": {
                    "connection": self._database.url("placement")
                },
                "keystone_authtoken": wsgi.auth_token(
                    self._site, "placement", self._memcached
                ),
            },
        )
        command: list[str | pathlib.Path] = [base.BIN / "placement-manage"]
        command += ["--config-file", path, "db", "sync"]
        schemas.ensure(
            self._database,
            ["placement"],
            "openstack-placement",
            lambda: self._site.command("placement-manage", command),
        )

    def start(self) -> None:
        """Start it and wait until it accepts connections.

        :raises lab.process.LabError: when it does not.
        """
        self.process.start()
        port = self._site.ports.get("placement")
        self._site.wait_listening(self.process, port)

    def offered_hosts(self) -> set[str]:
        """Hosts that it offers to the scheduler: their nova-compute has
        reported what it has, and that it is not disabled. Nova's API shows
        them as up some seconds earlier."""
        rows = self._database.query(
            "placement",
            "SELECT DISTINCT p.name FROM resource_providers p "
            "JOIN inventories i ON i.resource_provider_id = p.id "
            "WHERE p.id NOT IN (SELECT t.resource_provider_id "
            "FROM resource_provider_traits t JOIN traits n "
            "ON n.id = t.trait_id WHERE n.name = 'COMPUTE_STATUS_DISABLED')",
        )
        return {str(row[0]) for row in rows}

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()
