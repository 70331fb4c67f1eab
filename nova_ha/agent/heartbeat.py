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

"""Writes this host's storage heartbeat, again and again.

It goes on without ZooKeeper: that is when it is needed. A write that hangs
with its storage holds up nothing else, and no second one is begun beside it.
"""

import contextlib
import os
import pathlib

from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha.agent import bounded
from nova_ha.agent import periodic
from nova_ha.core import heartbeat
from nova_ha.core import model

LOG = logging.getLogger(__name__)

_DIRECTORY_MODE = 0o755
_FILE_MODE = 0o644  # engines read it as another user


class HeartbeatWriter:
    """Rewrites the file every ``interval`` seconds from start to stop."""

    def __init__(
        self,
        identity: model.Beacon,
        *,
        path: str,
        interval: float,
        clock: nova_clock.Clock,
    ) -> None:
        """:param path: Nova's instances path; not created if it is missing,
        since that may be a mount point without its mount."""
        self._boot_id = identity.boot_id
        self._directory = pathlib.Path(path, heartbeat.DIRECTORY)
        self._file = self._directory / heartbeat.file_name(identity.host)
        self._interval = interval
        self._clock = clock
        self._trouble = ""
        self._bounded = bounded.Bounded(
            self._write, deadline=interval, clock=clock, name="heartbeat-write"
        )
        self._periodic = periodic.Periodic(
            "storage heartbeat", self.beat, interval=interval, clock=clock
        )
        self.start = self._periodic.start
        self.stop = self._periodic.stop

    def beat(self) -> None:
        """Write once. A failure is told when it begins and ends."""
        trouble = ""
        try:
            self._bounded.call()
        except (bounded.NoAnswer, OSError) as error:
            trouble = str(error)
        if trouble and not self._trouble:
            LOG.warning("No storage heartbeat: %s: %s", self._file, trouble)
        elif self._trouble and not trouble:
            LOG.info("The storage heartbeat is written again")
        self._trouble = trouble

    def _write(self) -> None:
        self.put(
            heartbeat.Heartbeat(
                boot_id=self._boot_id,
                count=int(1000 * self._clock.boottime()),
                gap=self._interval,
            ).encode()
        )

    def put(self, content: bytes) -> None:
        """Replace what the file holds; the seam to the storage itself.

        :raises OSError:
        """
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._directory, _DIRECTORY_MODE)
        # Renamed, so that a reader sees one heartbeat or the next, whole.
        new = self._file.with_name(self._file.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        descriptor = os.open(new, flags | os.O_CLOEXEC, _FILE_MODE)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(new, self._file)
