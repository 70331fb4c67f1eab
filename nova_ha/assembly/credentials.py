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

"""The credential of each hypervisor: made here, written to a file, once.

Nobody but the agent keeps it: the tree holds a digest. Whoever has lost it
makes another one.
"""

import contextlib
import os
import pathlib
import secrets
import tempfile
from collections.abc import Iterable, Iterator

from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import identity
from nova_ha.assembly import operator
from nova_ha.coordination import acl
from nova_ha.coordination import credentials
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.core import model

DIRECTORY_OPTION = "--directory"

_BYTES = 24
"""Of chance in a password: more than its digest (SHA-1) could tell apart."""


def enrol(
    conf: cfg.ConfigOpts,
    clock: nova_clock.Clock,
    hosts: Iterable[str],
    directory: str,
) -> Iterator[pathlib.Path]:
    """Give each host a credential of its own; yields the file with it.

    :param directory: where the files are written, readable for nobody but
        the user who runs this; made if it is not there.
    :raises ConfigError: a name is none, or a file cannot be written.
    """
    names = [_host(name) for name in hosts]
    with _session(conf, clock) as (session, paths):
        for host in names:
            target = _file(directory, host)
            password = secrets.token_hex(_BYTES)
            with _written(target, password):
                own = acl.identity(acl.host_user(host), password)
                credentials.enrol(session, paths, host, own)
            yield target


def revoke(
    conf: cfg.ConfigOpts, clock: nova_clock.Clock, hosts: Iterable[str]
) -> None:
    """Take the credentials of hosts away, and what was said with them.

    :raises ConfigError: a name is none.
    :raises CoordinationError: a host has never been enrolled.
    """
    names = [_host(name) for name in hosts]
    with _session(conf, clock) as (session, paths):
        for host in names:
            credentials.revoke(session, paths, host)


def _host(name: str) -> model.HostName:
    return identity.check_name(name, "HOST")


def _file(directory: str, host: model.HostName) -> pathlib.Path:
    # Escaped, so that no name leads out of the directory.
    return pathlib.Path(directory, f"{paths_module.escape(host)}.password")


@contextlib.contextmanager
def _session(
    conf: cfg.ConfigOpts, clock: nova_clock.Clock
) -> Iterator[tuple[kazoo_znodes.KazooZnodes, paths_module.Paths]]:
    """The operator's."""
    own = operator.settings(conf)
    session = opening.new_session(own, clock)
    try:
        session.start()
        yield session, paths_module.Paths(own.namespace)
    finally:
        session.close()


@contextlib.contextmanager
def _written(target: pathlib.Path, secret: str) -> Iterator[None]:
    """Write a private file that shows only if all goes well: where the disk
    is full, the old credential still works."""
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        # Its mode is 0600.
        handle, draft = tempfile.mkstemp(dir=target.parent)
        with open(handle, "w", encoding="ascii") as file:
            file.write(f"{secret}\n")
    except OSError as error:
        raise exception.ConfigError(
            DIRECTORY_OPTION, f"{target.parent}: {error.strerror}"
        ) from None
    try:
        yield
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
