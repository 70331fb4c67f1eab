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

"""Glance with a file store."""

import pathlib
import shutil
import sys

from keystoneauth1 import session as auth_session

from lab import files
from lab.services import base
from lab.services import mariadb
from lab.services import schemas
from lab.services import wsgi


class Glance:
    """One API server."""

    def __init__(
        self, site: base.Site, database: mariadb.MariaDB, memcached: str
    ) -> None:
        self._site = site
        self._database = database
        self._memcached = memcached
        self._directory = site.etc / "glance"
        self.process = wsgi.server(
            site,
            "glance",
            "glance.wsgi.api:application",
            {"OS_GLANCE_CONFIG_DIR": str(self._directory)},
        )

    def prepare(self) -> None:
        """Write the configuration and make the database.

        :raises lab.process.LabError: when that fails.
        """
        data = self._site.data("glance")
        path = files.write_ini(
            self._directory / "glance-api.conf",
            {
                "DEFAULT": {
                    "enabled_backends": "fs:file",
                    "use_stderr": True,
                    "log_file": self._site.log / "glance.log",
                    "enabled_import_methods": "[]",
                    "node_staging_uri": f"file://{data}/staging",
                    "worker_self_reference_url": self._site.url("glance"),
                },
                "os_glance_tasks_store": {
                    "filesystem_store_datadir": data / "tasks"
                },
                "os_glance_staging_store": {
                    "filesystem_store_datadir": data / "staging"
                },
                "glance_store": {"default_backend": "fs"},
                "fs": {"filesystem_store_datadir": data / "images"},
                "database": {"connection": self._database.url("glance")},
                "keystone_authtoken": wsgi.auth_token(
                    self._site, "glance", self._memcached
                ),
                "paste_deploy": {"flavor": "keystone"},
            },
        )
        paste = f"{sys.prefix}/etc/glance/glance-api-paste.ini"
        shutil.copy(paste, self._directory / "glance-api-paste.ini")
        command: list[str | pathlib.Path] = [base.BIN / "glance-manage"]
        command += ["--config-file", path, "db_sync"]
        schemas.ensure(
            self._database,
            ["glance"],
            "glance",
            lambda: self._site.command("glance-manage", command),
        )

    def start(self) -> None:
        """Start it and wait until it accepts connections.

        :raises lab.process.LabError: when it does not.
        """
        self.process.start()
        port = self._site.ports.get("glance")
        self._site.wait_listening(self.process, port)

    def create_image(
        self, session: auth_session.Session, name: str, **properties: str
    ) -> str:
        """Make a small public image with these properties; returns its id."""
        service = {"service_type": "image"}
        made = session.post(
            "/v2/images",
            endpoint_filter=service,
            json={
                "name": name,
                "disk_format": "raw",
                "container_format": "bare",
                "visibility": "public",
                **properties,
            },
        ).json()
        session.put(
            made["file"],
            endpoint_filter=service,
            data=b"\0" * 1024,
            headers={"Content-Type": "application/octet-stream"},
        )
        return str(made["id"])

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()
