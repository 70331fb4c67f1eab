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

"""What can happen: everything the controller reacts to.

Events carry facts, never decisions. ``at`` and ``began`` are seconds on the
engine's monotonic clock; ``began`` is taken *before* a question was sent, so
that an answer is never taken for younger than it may be.
"""

import dataclasses
from collections.abc import Mapping

from nova_ha.core import deeds
from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.core.model import record


@record
class Event:
    """Base of all events."""


@record
class Tick(Event):
    """Time has passed; nothing else has happened."""


@record
class Stop(Event):
    """The engine is to end."""


# -- from ZooKeeper ----------------------------------------------------------


@record
class ConnectionChanged(Event):
    """The engine's own session: connected, or SUSPENDED or LOST."""

    connected: bool


@record
class LeadershipChanged(Event):
    """This engine leads from now on in ``epoch``, or (None) no longer."""

    epoch: model.Epoch | None


@record
class HostsRead(Event):
    """Facts about some hosts, or (``complete``) about all there are."""

    hosts: Mapping[model.HostName, model.HostFacts]
    complete: bool = False


@record
class ControlRead(Event):
    control: model.Control


@record
class ConfirmationsRead(Event):
    """All confirmations that wait to be used, by case."""

    confirmations: Mapping[model.CaseId, model.Confirmation]


@record
class RequestsRead(Event):
    """All evacuations that operators ask for, by host."""

    requests: Mapping[model.HostName, model.EvacuationRequest]


@record
class ContendersRead(Event):
    """The engines that run."""

    contenders: tuple[model.Contender, ...]


# -- results of the engine's own jobs ----------------------------------------


@record
class CasesLoaded(Event):
    """Everything that earlier leaders left, read in ``epoch``."""

    epoch: model.Epoch
    cases: tuple[tuple[model.RecoveryCase, int], ...] = ()
    """With the znode version of each."""
    unreadable: Mapping[model.HostName, str] = dataclasses.field(
        default_factory=dict
    )
    """Why the stored case of a host cannot be read."""
    published: tuple[model.PublishedVerdict, ...] = ()
    error: str = ""


@record
class Published(Event):
    """A verdict has been published, or (``error``) has not."""

    host: model.HostName
    verdict: model.PublishedVerdict | None
    error: str = ""


@record
class Enrolled(Event):
    """A host has been enrolled, or (``error``) has not."""

    host: model.HostName
    record: model.HostRecord | None = None
    error: str = ""


@record
class RequestDropped(Event):
    """An operator's request has been taken away, or (``error``) has not."""

    host: model.HostName
    error: str = ""


@record
class Challenged(Event):
    """A host's beacon has been taken away, or (``error``) has not."""

    host: model.HostName
    quiet: float
    """Seconds for which the host had written nothing."""
    error: str = ""


@record
class DevicesChecked(Event):
    """The devices of a host were asked whether they could fence."""

    host: model.HostName
    reports: tuple[model.DeviceReport, ...] = ()
    error: str = ""


@record
class FencingKept(Event):
    """What a check has found is in the host's record, or (``error``) not."""

    host: model.HostName
    error: str = ""


@record
class TopologyChecked(Event):
    """Which fencing.yaml is in force; ``error``: it is not known, or could
    not be shown."""

    state: model.TopologyState | None
    shown: bool = True
    """Whether operators may be shown that it is refused."""
    error: str = ""


@record
class QuarantineKept(Event):
    """Something has been done about a host's failures, or (``error``) has
    not."""

    host: model.HostName
    deed: deeds.Deed
    error: str = ""


# -- from Nova and devices ---------------------------------------------------


@record
class ServicesRead(Event):
    """All nova-compute services, by host; asked for at ``began``."""

    services: Mapping[model.HostName, model.ServiceReport]
    began: float


@record
class ServicesUnread(Event):
    """Nova did not say."""

    error: str


@record
class Look:
    """What a source showed of one host when it was looked at; the look began
    at ``began`` at the earliest."""

    sign: sources.Sign
    began: float


@record
class SignsRead(Event):
    """What the source of a driver shows. A host that is left out has not
    been looked at, which says nothing."""

    source: str
    looks: Mapping[model.HostName, Look]


@record
class PowerRead(Event):
    """A device was asked for the state of a suspect, at ``began``."""

    host: model.HostName
    reading: model.PowerReading
    began: float


@record
class InstanceStirred(Event):
    """Nova has told, by a notification, that it has done something with an
    instance. It proves nothing: whoever waits for that looks sooner."""

    instance: model.InstanceId


# -- results of a case's actions ---------------------------------------------


@record
class CaseEvent(Event):
    """Belongs to the case of ``host``; ignored if that is not ``case``."""

    host: model.HostName
    case: model.CaseId


@record
class Saved(CaseEvent):
    version: int


@record
class SaveFailed(CaseEvent):
    """Nothing was written: somebody else has written (``stale``), or the
    case is no payload (``unfit``)."""

    error: str
    stale: bool = False
    unfit: bool = False


@record
class Closed(CaseEvent):
    """The case is in the history."""


@record
class Fenced(CaseEvent):
    """A round of fencing is over, with or without proof."""

    outcome: model.FenceOutcome


@record
class Surveyed(CaseEvent):
    survey: model.Survey
    began: float


@record
class EvacuateAnswered(CaseEvent):
    """Nova has answered a request to evacuate. Not accepted: ``refused``
    (it had no effect) or neither (nobody knows)."""

    instance: model.InstanceId
    accepted: bool = False
    refused: bool = False
    error: str = ""


@record
class ActionDone(CaseEvent):
    """Any other action has taken effect; ``key`` names it."""

    key: str


@record
class ActionFailed(CaseEvent):
    """An action has failed. ``refused``: surely without effect."""

    key: str
    error: str
    refused: bool = False
