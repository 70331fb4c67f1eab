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

"""What goes over the bus: a body for each method, and a reply.

A body is a payload of :mod:`nova_ha.core.codec`, so that a field which one
side does not know is ignored, and one that it misses takes its default. That
keeps releases one apart compatible within a major version; a new method, or a
field that must not be ignored, raises the minor one.
"""

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from nova_ha import exception
from nova_ha.core import audit
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core.model import CaseId
from nova_ha.core.model import HostName
from nova_ha.core.model import record

VERSION = "1.0"
"""Of the interface that engines serve."""

LARGEST_BODY = 64 * 1024
"""Bytes of what is asked; most is a request for a thousand servers."""

LARGEST_ANSWER = 12 * 1024 * 1024
"""Bytes; RabbitMQ 4 takes messages of 16 MiB, with quotes escaped twice."""

READS = frozenset({"picture", "history", "requests", "facts", "deeds"})
"""Methods that change nothing."""

Reply = Mapping[str, str]
"""``{"answer": PAYLOAD}``, or ``{"error": KIND, "text": WHY}``."""

T = TypeVar("T")


def topic(namespace: str) -> str:
    """That of a region: two may share a bus, but never a command."""
    return f"nova_ha_engine.{namespace}"


# -- what is asked -----------------------------------------------------------


@record
class Nothing:
    """A method that needs to know no more."""


@record
class Switch:
    """Of ``switch``; None leaves one as it is."""

    reason: str = ""
    armed: bool | None = None
    paused: bool | None = None


@record
class Confirm:
    """Of ``confirm``: the case as the operator has seen it."""

    host: HostName
    case: CaseId
    boot_id: model.BootId
    comment: str = ""


@record
class Host:
    """Of ``facts`` and ``release``."""

    host: HostName


@record
class Maintenance:
    """Of ``maintenance``."""

    host: HostName
    on: bool
    reason: str = ""


@record
class Reserve:
    """Of ``reserve``."""

    host: HostName
    on: bool


@record
class Domains:
    """Of ``domains``; None leaves one as it is."""

    host: HostName
    failure: str | None = None
    storage: str | None = None


@record
class Device:
    """Of ``clear``."""

    host: HostName
    device: str


# -- what is answered --------------------------------------------------------


@record
class Engine:
    """A contender, with what is not part of its node's payload."""

    engine: str
    epoch: model.Epoch
    leading: bool = False
    machine_id: str = ""
    refused: str = ""


@record
class Facts:
    """A host, with the session that is not part of its beacon's payload."""

    facts: model.HostFacts
    session: int = 0


@record
class Picture:
    """Of ``picture``."""

    at: datetime.datetime
    control: model.Control
    engines: tuple[Engine, ...]
    hosts: Mapping[HostName, Facts]
    verdicts: Mapping[HostName, model.PublishedVerdict]
    cases: Mapping[HostName, model.RecoveryCase]


@record
class Cases:
    """Of ``history``."""

    cases: tuple[model.RecoveryCase, ...]


@record
class Requests:
    """Of ``requests``."""

    requests: tuple[model.EvacuationRequest, ...]


@record
class Deeds:
    """Of ``deeds``."""

    entries: tuple[audit.Entry, ...]


@record
class Released:
    """Of ``release``."""

    quarantine: model.Quarantine | None = None


@record
class Cleared:
    """Of ``clear``."""

    bar: model.Bar | None = None


# -- replies -----------------------------------------------------------------

_KINDS: Mapping[str, type[exception.NovaHaError]] = {
    # The first that fits; a client that does not know one takes the base.
    "unavailable": exception.CoordinationUnavailable,
    "coordination": exception.CoordinationError,
    "forbidden": exception.Forbidden,
    "error": exception.NovaHaError,
}


def answer(value: Any, method: str) -> Reply:
    """:raises PayloadTooLarge: the bus would not take it."""
    data = codec.encode(value, f"answer to {method}", LARGEST_ANSWER)
    return {"answer": data.decode("ascii")}


def failure(error: exception.NovaHaError) -> Reply:
    """What a client raises again, with the same words."""
    kind = next(one for one, cls in _KINDS.items() if isinstance(error, cls))
    return {"error": kind, "text": str(error)}


def opened(reply: object, kind: type[T], method: str) -> T:
    """Return what a reply holds.

    :raises PayloadError: it is none.
    :raises NovaHaError: what the engine could not, or would not, do.
    """
    where = f"an engine's answer to {method}"
    if isinstance(reply, dict) and isinstance(reply.get("answer"), str):
        return codec.decode(kind, reply["answer"].encode(), where)
    if isinstance(reply, dict) and "error" in reply:
        cls = _KINDS.get(str(reply["error"]), exception.NovaHaError)
        raise cls(str(reply.get("text")))
    raise exception.PayloadError(where, "makes no sense")
