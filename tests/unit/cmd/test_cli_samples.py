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

"""A small cloud to render, and a store that holds it."""

import dataclasses
import datetime

from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import HostName
from nova_ha.core.model import MoveState
from nova_ha.core.model import Reason
from nova_ha.core.model import VerdictKind
from tests import base

NOW = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.UTC)

GUEST = "6f3c3a2c-58f7-4b43-9b9e-5a5c1ab4a{:03}"


def ago(seconds):
    return NOW - datetime.timedelta(seconds=seconds)


def facts(host, *, present=True, boot="boot-1", guests=(), **record):
    """A host that is enrolled, and healthy if present."""
    beacon = model.Beacon(
        host=HostName(host),
        boot_id=model.BootId(boot),
        machine_id=f"machine-{host}",
        system_uuid="",
        agent_version="1.2.3",
        checks=(model.CheckResult(name="compute_service", ok=True),),
    )
    return model.HostFacts(
        host=HostName(host),
        record=model.HostRecord(
            host=HostName(host), machine_id=f"machine-{host}", **record
        ),
        beacon=beacon if present else None,
        inventory=model.GuestInventory(
            host=HostName(host),
            boot_id=model.BootId("boot-1"),
            guests=frozenset(guests),
            sequence=7,
        ),
    )


def verdict(kind, reason, detail=""):
    return model.Verdict(
        kind=VerdictKind(kind), reason=Reason(reason), detail=detail
    )


DOWN = verdict("down", "all-silent")


def published(host, said, *, case=None, schedulable=False, seconds=30):
    return model.PublishedVerdict(
        host=HostName(host),
        verdict=said,
        case=case and case.id,
        case_state=case and case.state,
        schedulable=schedulable,
        message="what the leader says",
        at=ago(seconds),
    )


def move(number, state, **others):
    return model.Move(
        instance=model.InstanceId(GUEST.format(number)),
        name=f"vm-{number}",
        state=MoveState(state),
        **others,
    )


def case(host="cmp2", state="evacuating", **others):
    """A case that was opened a minute ago."""
    values = {
        "id": model.CaseId(f"20260301T115900Z-{host}"),
        "host": HostName(host),
        "boot_id": model.BootId("boot-1"),
        "service_id": "service-2",
        "state": CaseState(state),
        "epoch": model.Epoch(77),
        "verdict": DOWN,
        "opened_at": ago(60),
        "times": {"suspected": ago(60), state: ago(20)},
        "message": "what the case says",
    }
    return model.RecoveryCase(**{**values, **others})


def evacuating():
    """In the middle of its evacuation, with everything in it."""
    return case(
        times={
            "suspected": ago(60),
            "fencing": ago(50),
            "fenced": ago(48.5),
            "forced_down": ago(48),
            "evacuating": ago(47),
            "first_instance": ago(40),
        },
        evidence=model.FenceEvidence(
            kind=model.EvidenceKind.POWER_OFF_OBSERVED,
            by="bmc-2",
            seen_at=ago(48.5),
        ),
        attempts=(
            model.FenceAttempt(
                device="bmc-2",
                command="off",
                result="accepted",
                at=ago(50),
                seconds=0.4,
            ),
        ),
        off_sent=True,
        surveyed=True,
        force_down=model.Ownership.OURS,
        disable=model.Ownership.FOREIGN,
        moves=(
            move(1, "done", target=HostName("cmp1"), done_at=ago(40)),
            move(2, "running", target=HostName("cmp3"), attempts=1),
            move(3, "skipped", reason="paused", was="paused"),
            move(4, "retry", reason="no room"),
        ),
    )


CONTENDERS = (
    model.Contender(engine="ctl1:100", epoch=model.Epoch(77), leading=True),
    model.Contender(engine="ctl2:200", epoch=model.Epoch(80)),
)

ARMED = model.Control(armed=True, by="root@ctl1", at=ago(3600))


def picture(*hosts, verdicts=(), cases=(), **others):
    """By default all is well."""
    hosts = hosts or tuple(facts(f"cmp{number}") for number in (1, 2, 3, 4))
    values = {
        "at": NOW,
        "control": ARMED,
        "contenders": CONTENDERS,
        "hosts": {one.host: one for one in hosts},
        "verdicts": {one.host: one for one in verdicts},
        "cases": {one.host: one for one in cases},
    }
    return operator.Picture(**{**values, **others})


def recovering():
    """cmp2 has died and is being evacuated; the rest is well."""
    open_case = evacuating()
    return picture(
        facts("cmp1", guests=[GUEST.format(1)]),
        facts("cmp2", present=False, guests=[GUEST.format(1)]),
        facts("cmp3"),
        facts("cmp4"),
        verdicts=[published("cmp2", DOWN, case=open_case)],
        cases=[open_case],
    )


class FakeTrail:
    """Operators' deeds, by the time and host of each."""

    def __init__(self):
        self.entries = {}
        self.history = []

    def begin(self, entry):
        self.end(entry)
        return entry

    def end(self, entry):
        self.entries[entry.at, entry.host] = entry
        self.history.append(entry)

    def read(self):
        return list(self.entries.values())


class FakeStore(operator.Store):
    """Holds a picture; remembers what was changed."""

    def __init__(self, pictured, closed=()):
        self.pictured = pictured
        self.closed = list(closed)
        self.calls = []
        self.error = None
        self.trail = FakeTrail()
        self.asked = {}

    def picture(self):
        if self.error is not None:
            raise self.error
        return self.pictured

    def history(self):
        return self.closed

    def switch(self, *, by, reason, armed=None, paused=None):
        self.calls.append(("switch", by, reason, armed, paused))
        now = self.pictured.control
        control = dataclasses.replace(
            now,
            armed=now.armed if armed is None else armed,
            paused=now.paused if paused is None else paused,
            by=by,
            reason=reason,
            at=NOW,
        )
        self.pictured = dataclasses.replace(self.pictured, control=control)
        return control

    def confirm(self, case, *, by, comment):
        self.calls.append(("confirm", case.id, by, comment))

    def request(self, request):
        self.calls.append(("request", request))
        return request

    def requests(self):
        return self.asked

    def maintenance(self, host, on, *, by, reason):
        self.calls.append(("maintenance", host, on, by, reason))
        return dataclasses.replace(
            self.pictured.hosts[host].record,
            maintenance=f"{by}: {reason}" if on else "",
        )

    def release(self, host, *, by):
        self.calls.append(("release", host, by))
        return self.pictured.hosts[host].record.quarantine

    def reserve(self, host, on):
        self.calls.append(("reserve", host, on))
        record = self.pictured.hosts[host].record
        return dataclasses.replace(record, reserved=on)

    def domains(self, host, *, failure=None, storage=None):
        self.calls.append(("domains", host, failure, storage))
        return self.pictured.hosts[host].record

    def facts(self, host):
        if self.error is not None:
            raise self.error
        return self.pictured.hosts[host]

    def clear(self, host, device):
        self.calls.append(("clear", host, device))
        return self.pictured.hosts[host].record.barred.get(device)

    trail: object = None  # set for each; an abstract property otherwise

    def close(self):
        self.calls.append(("close",))


UNAVAILABLE = exception.CoordinationUnavailable("no connection to ZooKeeper")


class SamplesTest(base.TestCase):
    def test_the_samples_are_what_can_be_stored(self):
        sample = recovering()
        values = [
            *sample.cases.values(),
            *sample.verdicts.values(),
            sample.control,
        ]
        for value in values:
            again = codec.decode(type(value), codec.encode(value), "x")
            self.assertEqual(value, again)
