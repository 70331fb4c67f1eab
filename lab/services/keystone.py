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

"""Keystone, its users, roles and catalogue."""

import base64
import os
import pathlib

from keystoneauth1 import exceptions as auth_exceptions
from keystoneauth1 import session as auth_session
from keystoneauth1.identity import v3
from keystoneclient.v3 import client

from lab import files
from lab import process
from lab.services import base
from lab.services import mariadb
from lab.services import schemas
from lab.services import wsgi

ADMIN = "admin"
SERVICE = "service"
#: Users of services; all of them are administrators of that project.
SERVICE_USERS = ("nova", "placement", "glance", "neutron", "nova-ha")
#: Service -> type and the path that its catalogue entry ends in.
CATALOGUE = {
    "nova": ("compute", "/v2.1"),
    "placement": ("placement", ""),
    "glance": ("image", ""),
    "neutron": ("network", ""),
}


class Keystone:
    """One API server."""

    def __init__(
        self, site: base.Site, database: mariadb.MariaDB, memcached: str
    ) -> None:
        self._site = site
        self._database = database
        self._memcached = memcached
        self._file = site.etc / "keystone" / "keystone.conf"
        self.process = wsgi.server(
            site,
            "keystone",
            "keystone.wsgi.api:application",
            {"OS_KEYSTONE_CONFIG_FILES": str(self._file)},
        )

    def _configure(self) -> None:
        keys = self._site.data("keystone-keys")
        files.write_ini(
            self._file,
            {
                "DEFAULT": {"use_stderr": True},
                "database": {"connection": self._database.url("keystone")},
                "cache": {
                    "enabled": True,
                    "backend": "dogpile.cache.pymemcache",
                    "memcache_servers": self._memcached,
                },
                "identity": {"password_hash_rounds": 4},
                "token": {"provider": "fernet", "expiration": 86400},
                "fernet_tokens": {"key_repository": keys},
                "fernet_receipts": {"key_repository": keys},
                "credential": {"key_repository": keys},
                "oslo_policy": {"enforce_scope": True},
            },
        )

    def start(self) -> None:
        """Make the database and the first users, start, fill it.

        :raises lab.process.LabError: when a step fails.
        """
        self._configure()
        schemas.ensure(
            self._database,
            ["keystone"],
            "keystone",
            lambda: self._manage("db_sync"),
        )
        _make_keys(self._site.data("keystone-keys"))
        self._bootstrap()
        self.process.start()
        port = self._site.ports.get("keystone")
        self._site.wait_listening(self.process, port)
        try:
            self._fill()
        except auth_exceptions.ClientException as error:
            raise process.LabError(
                f"cannot fill keystone: {error}; end of {self.process.log}:\n"
                f"{process.log_tail(self.process.log)}"
            ) from error

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()

    def session(
        self, user: str = ADMIN, project: str = ADMIN
    ) -> auth_session.Session:
        """An administrator's session, in one of his projects."""
        auth = v3.Password(
            auth_url=self._site.url("keystone") + "/v3",
            username=user,
            password=self._site.passwords.get(user),
            project_name=project,
            user_domain_name="Default",
            project_domain_name="Default",
        )
        return auth_session.Session(auth=auth, timeout=120)

    def _manage(self, *words: str) -> None:
        self._site.command(
            "keystone-manage",
            [
                base.BIN / "keystone-manage",
                "--config-file",
                self._file,
                *words,
            ],
        )

    def _bootstrap(self) -> None:
        url = self._site.url("keystone") + "/v3"
        self._site.command(
            "keystone-manage",
            [
                base.BIN / "keystone-manage",
                "--config-file",
                self._file,
                "bootstrap",
                "--bootstrap-region-id",
                wsgi.REGION,
                "--bootstrap-public-url",
                url,
                "--bootstrap-internal-url",
                url,
                "--bootstrap-admin-url",
                url,
            ],
            # Not on the command line, which everybody can read.
            {"OS_BOOTSTRAP_PASSWORD": self._site.passwords.get(ADMIN)},
        )

    def _fill(self) -> None:
        keystone = client.Client(session=self.session())
        project = keystone.projects.create(SERVICE, domain="default")
        roles = {role.name: role for role in keystone.roles.list()}
        for user in SERVICE_USERS:
            made = keystone.users.create(
                user,
                domain="default",
                password=self._site.passwords.get(user),
            )
            for role in ("admin", "service"):
                keystone.roles.grant(roles[role], user=made, project=project)
        for name, (kind, path) in CATALOGUE.items():
            service = keystone.services.create(name, type=kind)
            keystone.endpoints.create(
                service,
                self._site.url(name) + path,
                interface="public",
                region=wsgi.REGION,
            )


def _make_keys(repository: pathlib.Path) -> None:
    """A staged and a primary key: the names are keystone's.

    Its own command for that insists on changing their owner.
    """
    for name in ("0", "1"):
        key = base64.urlsafe_b64encode(os.urandom(32))
        files.write(repository / name, key.decode())
