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
"""Empty databases with their tables, kept between clouds.

The services' own migrations take ten seconds of work and always lead to
the same tables. So what they made is dumped once for each version of a
service and loaded from then on. There are no secrets in it: the dump is
taken before the first row that a cloud writes.
"""

import importlib.metadata
import os
import subprocess
from collections.abc import Callable, Sequence

from lab import process
from lab.services import base
from lab.services import mariadb

CACHE = process.REPOSITORY / ".lab" / "cache"


def ensure(
    database: mariadb.MariaDB,
    names: Sequence[str],
    distribution: str,
    make: Callable[[], None],
) -> None:
    """Give empty databases their tables.

    :param distribution: the Python distribution whose version counts.
    :param make: runs the service's own migrations.
    :raises lab.process.LabError: when that, the dump or its load fails.
    """
    version = importlib.metadata.version(distribution)
    dump = CACHE / f"{'+'.join(names)}-{version}.sql"
    client = f"--defaults-file={database.client_options}"
    if dump.exists():
        mysql = str(base.system_command("mariadb"))
        with dump.open("rb") as stream:
            _run([mysql, client], stdin=stream)
        return
    make()
    dump.parent.mkdir(parents=True, exist_ok=True)
    # Under a name of our own until it is whole: others may be at it too.
    partial = dump.with_suffix(f".{os.getpid()}")
    command = [str(base.system_command("mariadb-dump")), client]
    with partial.open("wb") as stream:
        _run([*command, "--databases", *names], stdout=stream)
    partial.rename(dump)


def _run(
    argv: Sequence[str],
    stdin: object = subprocess.DEVNULL,
    stdout: object = subprocess.DEVNULL,
) -> None:
    done = subprocess.run(
        list(argv),
        stdin=stdin,  # type: ignore[call-overload]
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise process.LabError(
            f"{argv[0]} answered {done.returncode}: {done.stderr.decode()}; "
            f"if it does not go away, remove {CACHE}"
        )
