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

"""Small values of the model; what a test does not care about is filled in."""

import datetime

from nova_ha.core import brake
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import sources
from nova_ha.core import verdict as verdict_mod
from nova_ha.core import world as world_mod

UTC = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

POLICY = policy_mod.Policy()


def utc(seconds):
    """A time stamp of Nova's, or of a record."""
    return UTC + datetime.timedelta(seconds=seconds)


def now(seconds=1000.0):
    return model.Now(mono=seconds, utc=utc(seconds))


def beacon(host="a", boot="boot-1", **changes):
    values = {"machine_id": f"machine-{host}"} | changes
    return model.Beacon(host=host, boot_id=boot, **values)


def record(host="a", **changes):
    values = {
        "machine_id": f"machine-{host}",
        "service_id": f"service-{host}",
    } | changes
    return model.HostRecord(host=host, **values)


def facts(host="a", **changes):
    """An enrolled host; without a beacon unless one is given."""
    return model.HostFacts(host=host, **({"record": record(host)} | changes))


def service(host="a", reported=0.0, **changes):
    values = {
        "service_id": f"service-{host}",
        "reported_at": utc(reported),
        "up": True,
    } | changes
    return model.ServiceReport(host=host, **values)


def goodbye(host="a", boot="boot-1", ttl=120.0, **changes):
    values = {
        "reason": model.GoodbyeReason.STOP,
        "said_at": utc(0),
    } | changes
    return model.Goodbye(host=host, boot_id=boot, ttl=ttl, **values)


def inventory(host, *guests, boot="boot-1", sequence=1):
    return model.GuestInventory(
        host=host, boot_id=boot, guests=frozenset(guests), sequence=sequence
    )


def power(state, host="a", device="bmc"):
    return model.PowerReading(
        host=host, state=state, device=device, seen_at=utc(0)
    )


def verdict(kind="down", reason="all-silent", detail=""):
    return model.Verdict(
        kind=model.VerdictKind(kind),
        reason=model.Reason(reason),
        detail=detail,
    )


ALIVE = verdict("alive", "beacon")


def evidence(kind=model.EvidenceKind.POWER_OFF_OBSERVED):
    return model.FenceEvidence(kind=kind, by="bmc", seen_at=utc(0))


def case(host="a", **changes):
    values = {
        "id": model.CaseId(f"case-{host}"),
        "boot_id": model.BootId("boot-1"),
        "verdict": verdict(),
        "opened_at": utc(0),
    } | changes
    return model.RecoveryCase(host=host, **values)


def instance(identity="i1", **changes):
    values = {
        "name": f"name-{identity}",
        "host": "a",
        "vm_state": "active",
    } | changes
    return model.Instance(id=identity, **values)


def migration(number, status, dest="b", source="a", **changes):
    values = {"instance": "i1", "kind": "evacuation"} | changes
    return model.Migration(
        id=number, status=status, source=source, dest=dest, **values
    )


def move(state=model.MoveState.PENDING, **changes):
    return model.Move(**({"instance": "i1", "state": state} | changes))


def silent_source(now, silence=100.0):
    """One that was seen to move, and is quiet since."""
    return sources.Source(
        value=utc(0), moved_at=now - silence, looked_at=now, moves=3
    )


def missing(now=1000.0, since=60.0, **changes):
    """A host whose beacon went ``since`` seconds ago; all else is silent."""
    values = {
        "facts": facts(),
        "boot_id": model.BootId("boot-1"),
        "lost_at": now - since,
        "service": service(),
        "sources": {sources.NOVA: silent_source(now)},
    } | changes
    return liveness.HostView(host=values["facts"].host, **values)


def present(now=1000.0, host="a", boot="boot-1", **changes):
    values = {
        "facts": facts(host, beacon=beacon(host, boot)),
        "boot_id": model.BootId(boot),
        "beacon_since": now - 500,
        "healthy_since": now - 500,
        "service": service(host),
    } | changes
    return liveness.HostView(host=host, **values)


def fleet(*views, connected=True, services=None):
    result = fleet_mod.Fleet()
    result.views = {view.host: view for view in views}
    result.services = services or {
        view.host: view.service for view in views if view.service
    }
    result.guests.put_computes(result.services.keys())
    for view in views:
        result.guests.put(view.host, view.inventory)
    result.connected = connected
    return result


def world(
    *views,
    cases=(),
    verdicts=None,
    control=None,
    confirmations=None,
    policy=POLICY,
    memory=None,
    **fleet_changes,
):
    """A world in which present hosts are alive and the others are down."""
    judged = {
        view.host: ALIVE if view.present else verdict() for view in views
    }
    judged |= verdicts or {}
    return world_mod.World(
        fleet=fleet(*views, **fleet_changes),
        cases={one.host: one for one in cases},
        verdicts=judged,
        control=control or model.Control(armed=True),
        confirmations=confirmations or {},
        policy=policy,
        suspects=[
            host for host, one in judged.items() if verdict_mod.suspect(one)
        ],
        memory=memory or brake.Memory(),
    )
