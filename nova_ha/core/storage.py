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


"""Which hosts share the directory that their instances' disks are in.

An agent proves it: a marker file in the instances path names the storage
domain, and whoever reads the same name has mounted the same storage. For
hosts without a marker an operator says it. This is the only place where the
two are weighed, for the engine and for nova-scheduler alike.
"""

import re

from nova_ha.core import model
from nova_ha.core.model import record

MARKER = ".nova-ha-storage"
"""In Nova's instances path. Its clean-up looks for directories named like an
instance, and its image cache into ``_base`` only: a dot name is neither."""

MAX_BYTES = 256
"""Nothing longer is a marker."""

_NAME = re.compile(r"[A-Za-z0-9._:/-]{1,128}")


@record
class Storage:
    """Where the disks of a host's instances are."""

    domain: str = ""
    """The hosts of this domain share them; empty: no other host does."""
    doubt: str = ""
    """Why no domain is believed, though there is one."""


def of(facts: model.HostFacts) -> Storage:
    """The storage of a host.

    What its agent reads now counts for more than what it has proven before;
    a host that is gone is known by the latter. Where an operator says
    otherwise nobody can know who is right: then it is shared with nobody.
    """
    said = "" if facts.record is None else facts.record.storage_domain
    proven = _proven(facts)
    if said and proven and said != proven:
        return Storage(
            doubt=f"the agent proves storage domain {proven}, an operator "
            f"has said {said}"
        )
    return Storage(domain=proven or said)


def claimed(beacon: model.Beacon) -> str | None:
    """The domain that a beacon proves; empty: none; None: it does not say.

    What cannot be the name of a domain, an agent has not read from a marker.
    """
    if beacon.storage is None or is_name(beacon.storage):
        return beacon.storage
    return ""


def is_name(text: str) -> bool:
    """Whether a domain may be called so in a marker."""
    return _NAME.fullmatch(text) is not None


def encode_marker(domain: str) -> bytes:
    """What the marker of a domain holds."""
    return f"{domain}\n".encode("ascii")


def decode_marker(data: bytes) -> str | None:
    """The way back; None where it is not what :func:`encode_marker` makes."""
    name = data.decode("ascii", errors="replace").strip()
    return name if is_name(name) else None


def _proven(facts: model.HostFacts) -> str:
    now = None if facts.beacon is None else claimed(facts.beacon)
    if now is not None:
        return now
    return (facts.record and facts.record.proven_storage) or ""
