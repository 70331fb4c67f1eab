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

"""MariaDB with the databases of all services."""

import pathlib

import pymysql

from lab import files
from lab import network
from lab import process
from lab.services import base

DATABASES = (
    "keystone",
    "placement",
    "glance",
    "nova_api",
    "nova_cell0",
    "nova",
)
_USER = "openstack"

Row = tuple[object, ...]


class MariaDB:
    """One server; one user owns every database."""

    def __init__(self, site: base.Site) -> None:
        self._site = site
        self._data = site.data("mariadb")
        self._options = site.etc / "mariadb.cnf"
        #: For the command line clients; holds the password.
        self.client_options = site.etc / "mariadb-client.cnf"
        self._port = site.ports.get("mariadb")
        self.process = site.server(
            "mariadb",
            [
                base.system_command("mariadbd"),
                f"--defaults-file={self._options}",
            ],
        )

    def url(self, database: str) -> str:
        """SQLAlchemy's address of a database; holds the password."""
        password = self._site.passwords.get("mariadb")
        return (
            f"mysql+pymysql://{_USER}:{password}@{network.LOOPBACK}:"
            f"{self._port}/{database}?charset=utf8"
        )

    def start(self) -> None:
        """Install the system tables if need be, start, make databases.

        :raises lab.process.LabError: when it does not come up.
        """
        self._configure()
        if not (self._data / "data").exists():
            self._install()
        self.process.start()
        self._site.wait_listening(self.process, self._port)

    def stop(self) -> None:
        """Stop it."""
        self.process.stop(grace=10)

    def query(self, database: str, *statements: str) -> list[Row]:
        """The rows that the last of some statements answers.

        :raises lab.process.LabError: when one fails.
        """
        try:
            with pymysql.connect(
                host=network.LOOPBACK,
                port=self._port,
                user=_USER,
                password=self._site.passwords.get("mariadb"),
                database=database,
                autocommit=True,
            ) as connection:
                with connection.cursor() as cursor:
                    for statement in statements:
                        cursor.execute(statement)
                    return list(cursor.fetchall())
        except pymysql.Error as error:
            raise process.LabError(f"{database}: {error}") from error

    def _configure(self) -> None:
        first_statements = [
            f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8;"
            for name in DATABASES
        ]
        first_statements.append(
            f"GRANT ALL PRIVILEGES ON *.* TO '{_USER}'@'{network.LOOPBACK}' "
            f"IDENTIFIED BY '{self._site.passwords.get('mariadb')}';"
        )
        start_file = self._data / "start.sql"
        files.write(start_file, "\n".join(first_statements) + "\n")
        options = {
            "user": base.account(),
            "datadir": self._data / "data",
            "tmpdir": self._tmp(),
            "socket": self._data / "socket",
            "pid-file": self._data / "mariadb.pid",
            "bind-address": network.LOOPBACK,
            "port": self._port,
            "init-file": start_file,
            "max_connections": 1000,
            "character-set-server": "utf8mb3",
            # Nothing here has to survive a power cut of this machine.
            "innodb_flush_log_at_trx_commit": 0,
            "innodb_doublewrite": 0,
            "innodb_flush_method": "nosync",
            "innodb_stats_persistent": 0,
            "innodb_file_per_table": 0,
            "innodb_buffer_pool_size": "128M",
            "performance_schema": 0,
            "skip-log-bin": 1,
            "skip-name-resolve": 1,
        }
        files.write_ini(self._options, {"mysqld": options})
        client = {
            "host": network.LOOPBACK,
            "port": self._port,
            "user": _USER,
            "password": self._site.passwords.get("mariadb"),
        }
        files.write_ini(self.client_options, {"client": client})

    def _tmp(self) -> pathlib.Path:
        path = self._data / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def _install(self) -> None:
        self._site.command(
            "mariadb",
            [
                base.system_command("mariadb-install-db"),
                f"--defaults-file={self._options}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
        )
