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


"""The marker that proves which storage a host has mounted.

A file in Nova's instances path names the storage domain. It is made once on
each storage, by ``nova-ha-agent mark-storage``, and every host that reads it
there has mounted that storage. Who reads the same name shares the disks.
"""

import contextlib
import errno
import os
import pathlib
import stat
import tempfile

from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.agent import bounded
from nova_ha.agent import periodic
from nova_ha.core import storage

LOG = logging.getLogger(__name__)

_OPTION = "[agent] instances_path"
_MODE = 0o644  # read by agents of other hosts, whose nova may be another user

_NONE = (errno.ENOENT, errno.ENOTDIR)
"""The file is not there; any other error only keeps it from being read."""


class BadMarker(Exception):
    """What is called like a marker is none."""


class Marker:
    """Reads the marker again and again, from start to stop.

    Nothing waits for it: a hung mount only keeps what is known as it is.
    """

    def __init__(
        self,
        path: str,
        *,
        interval: float,
        deadline: float,
        clock: nova_clock.Clock,
    ) -> None:
        """:param path: Nova's instances path.
        :param interval: seconds between the starts of two reads.
        :param deadline: seconds after which a read has failed."""
        self.domain: str | None = None
        """What it says; empty: there is none; None: not known. While it
        cannot be read it says what it did before: a mount that hangs has
        not moved the disks."""
        self._path = path
        self._trouble = ""
        self._bounded = bounded.Bounded(
            self.read, deadline=deadline, clock=clock, name="read-marker"
        )
        self._periodic = periodic.Periodic(
            "read the storage marker",
            self.refresh,
            interval=interval,
            clock=clock,
        )
        self.stop = self._periodic.stop

    def start(self) -> None:
        """Read it, and from then on again and again; takes up to a deadline.

        The first beacon already says it: a host may die young.
        """
        self.refresh()
        self._periodic.start()

    def refresh(self) -> None:
        """Read it once. A trouble is told when it begins."""
        trouble = ""
        try:
            self._now(self._bounded.call())
        except BadMarker as error:
            trouble = str(error)
            self._now("")
        except (bounded.NoAnswer, OSError) as error:
            trouble = str(error)
        if trouble and trouble != self._trouble:
            LOG.warning("The storage of %s: %s", self._path, trouble)
        self._trouble = trouble

    def _now(self, domain: str) -> None:
        if domain != self.domain:
            LOG.info("Storage domain of %s: %s", self._path, domain or "none")
        self.domain = domain

    def read(self) -> str:
        """The seam to the storage itself; see :func:`read`."""
        return read(self._path)


def read(path: str) -> str:
    """The domain that the marker in an instances path names; empty: none.

    :raises BadMarker: what is there is no marker.
    :raises OSError: it cannot be found out.
    """
    file = _file(path)
    try:
        data = _content(file)
    except OSError as error:
        if error.errno in _NONE:
            return ""
        if error.errno == errno.ELOOP:
            raise BadMarker(f"{file} is a symbolic link") from None
        raise
    domain = storage.decode_marker(data)
    if domain is None or len(data) > storage.MAX_BYTES:
        raise BadMarker(
            f"{file} does not hold the name of a storage domain: delete it, "
            "and run nova-ha-agent mark-storage"
        )
    return domain


def mark(path: str, domain: str) -> str:
    """Mark the storage, unless it is; return the domain that it is of.

    :param domain: what to call it; a storage that has another name keeps it.
    :raises ConfigError: it cannot be marked, or the name cannot be used.
    """
    if not storage.is_name(domain):
        raise exception.ConfigError(
            "--domain",
            f"{domain!r} cannot name a storage domain",
            "use up to 128 letters, digits and any of ._:/-",
        )
    try:
        with contextlib.suppress(FileExistsError):
            _create(_file(path), storage.encode_marker(domain))
        return read(path)
    except OSError as error:
        raise exception.ConfigError(
            _OPTION,
            f"{path} cannot be marked: {error.strerror}",
            "run this as the user of nova-compute, with the storage mounted",
        ) from error
    except BadMarker as error:
        raise exception.ConfigError(_OPTION, str(error)) from error


def _file(path: str) -> pathlib.Path:
    return pathlib.Path(path, storage.MARKER)


def _content(file: pathlib.Path) -> bytes:
    # Nobody who puts something else there is waited for, or followed.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(file, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadMarker(f"{file} is not a file")
        return os.read(descriptor, storage.MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _create(file: pathlib.Path, content: bytes) -> None:
    """Whole or not at all, whatever two hosts do at the same moment.

    :raises FileExistsError: it is there.
    :raises OSError:
    """
    descriptor, new = tempfile.mkstemp(prefix=file.name, dir=file.parent)
    try:
        os.fchmod(descriptor, _MODE)
        os.write(descriptor, content)
        os.fsync(descriptor)
        os.link(new, file)  # which never replaces a file
    finally:
        os.close(descriptor)
        os.unlink(new)
