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

"""The storage heartbeat: a small file that each agent rewrites on the storage
that its host's instances live on. This is its content; others do the I/O.

The count is the agent's own uptime and so grows through its restarts, but it
is compared with nothing but itself: a heartbeat is alive if it *moves*.
"""

import urllib.parse

from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.core.model import record

DIRECTORY = ".nova-ha"
"""Below Nova's instances path. Its image cache looks into ``_base`` only, and
its clean-up for directories named like an instance: a dot name is neither."""

SUFFIX = ".beat"
MAX_BYTES = 256
"""Nothing longer is a heartbeat."""

MAX_GAP = 60.0
"""Seconds. A host that promised more would be waited for too long."""


@record
class Heartbeat:
    """What one file holds."""

    boot_id: model.BootId
    count: int
    gap: float
    """Seconds between two writes that the writer promises."""

    def encode(self) -> bytes:
        return f"{self.boot_id} {self.count} {self.gap:g}\n".encode("ascii")

    @property
    def sign(self) -> sources.Sign:
        return sources.Sign(value=f"{self.boot_id} {self.count}", gap=self.gap)


def decode(data: bytes) -> Heartbeat | None:
    """The way back; None where it is not what an agent writes."""
    try:
        boot_id, count, gap = data.decode("ascii").split()
        found = Heartbeat(
            boot_id=model.BootId(boot_id), count=int(count), gap=float(gap)
        )
    except ValueError:
        return None
    return found if 0.0 < found.gap <= MAX_GAP else None


def file_name(host: model.HostName) -> str:
    """The file of a host; the suffix keeps ``..`` from being special."""
    return urllib.parse.quote(host, safe="") + SUFFIX


def host_of(name: str) -> model.HostName | None:
    """Whose file it is; None where :func:`file_name` writes no such name."""
    host = urllib.parse.unquote(name.removesuffix(SUFFIX), errors="replace")
    if not name.endswith(SUFFIX) or not host:
        return None
    found = model.HostName(host)
    return found if file_name(found) == name else None
