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

"""Engines that are broken on purpose: they show that the checker can fail.

Each breaks one promise, at the ports where that is possible, and in the core
where it is not. Each comes with a scenario in which the sound engine is in
order and the broken one is caught, by the invariants that are named. So each
is caught in one run; its seed is 1 unless its scenario says another.
"""

import contextlib
import dataclasses
from collections.abc import Callable
from unittest import mock

from nova_ha.core import policy as policy_mod
from nova_ha.core import proof
from nova_ha.core import returning
from nova_ha.core import runners
from nova_ha.core import work
from nova_ha.fencing import procedure
from nova_ha.sim import kernel
from nova_ha.sim import script
from nova_ha.sim.script import Fault
from nova_ha.sim.script import Trigger
from tests.unit.sim import broken

HOSTS = 5
QUICK = policy_mod.Policy(soak_time=10.0)
STUBBORN = policy_mod.Policy(
    evacuation_attempts=20, evacuation_backoff_max=2.0
)


# -- scenarios ---------------------------------------------------------------


def fault(verb, *targets, at=0.0, when="", after=0.0, lasts=None, **given):
    trigger = Trigger(code=when, after=after) if when else None
    return Fault(
        verb=verb,
        targets=targets,
        at=at,
        when=trigger,
        lasts=lasts,
        parameters={name.rstrip("_"): one for name, one in given.items()},
    )


CRASH = fault("crash", "host-1", at=5.0)
BOTH = ("engine-1", "engine-2")


def scenario(*faults, policy=QUICK, seconds=60.0, seed=1, boot=20.0):
    """Five hosts with two instances each, two engines."""
    hosts = [f"host-{number}" for number in range(1, HOSTS + 1)]
    cloud = script.Cloud(
        hosts=tuple(
            script.HostSpec(name=host, boot_seconds=boot) for host in hosts
        ),
        instances=tuple(
            script.InstanceSpec(
                name=f"instance-{number + 1}", host=hosts[number % HOSTS]
            )
            for number in range(2 * HOSTS)
        ),
        engines=tuple(script.EngineSpec(name=one) for one in BOTH),
    )
    return script.Script(
        name="variant",
        cloud=cloud,
        policy=policy,
        seconds=seconds,
        seed=seed,
        faults=faults,
    )


def sound(ports):
    return ports


@contextlib.contextmanager
def untouched():
    yield


def patched(where, name, instead):
    return lambda: mock.patch.object(where, name, instead)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to be broken."""

    name: str
    """What it does wrong, and with it what it is called."""
    caught_by: frozenset[int]
    """The invariants of which it breaks at least one in its scenario."""
    scenario: script.Script
    ports: Callable = sound
    patch: Callable = untouched


FAILS_FOR_LONG = fault("rebuilds", outcomes=("failed",) * 40, seconds=1.0)

VARIANTS = (
    Variant(
        name="evacuates before the proof",
        caught_by=frozenset([4]),
        ports=broken.port("fencing", broken.BelievesAnything),
        scenario=scenario(CRASH),
    ),
    Variant(
        name="takes an accepted power-off for done",
        caught_by=frozenset([4]),
        ports=broken.port("fencing", broken.BelievesAcceptance),
        scenario=scenario(fault("bmc", "host-1", mode="deaf"), CRASH),
    ),
    Variant(
        name="does not read the power again before a wave",
        caught_by=frozenset([4]),
        ports=broken.port("fencing", broken.NeverReadsAgain),
        scenario=scenario(
            FAILS_FOR_LONG,
            CRASH,
            fault("power-on", "host-1", when="nova.evacuate-sent"),
            boot=200.0,
        ),
    ),
    Variant(
        name="goes on whatever beacons say",
        caught_by=frozenset([5]),
        patch=patched(proof, "holds", broken.holds_whatever_beacons_say),
        scenario=scenario(
            FAILS_FOR_LONG,
            fault("bmc", "host-1", mode="lies-off"),
            fault("kill-compute", "host-1", at=5.0),
            fault("cut", "host-1", at=5.0, lasts=30.0, from_="zookeeper"),
            policy=STUBBORN,
        ),
    ),
    Variant(
        name="powers off without a last look",
        caught_by=frozenset([4]),
        ports=broken.port("fencing", broken.NoLastLook),
        scenario=scenario(
            CRASH,
            fault("freeze", *BOTH, when="case.fencing", lasts=4.0),
            fault("pause", when="case.fencing", after=0.5),
        ),
    ),
    Variant(
        name="powers off without asking first",
        caught_by=frozenset([7]),
        patch=patched(procedure.Round, "_ask_all", broken.ask_later),
        scenario=scenario(fault("power-off", "host-1", at=5.0)),
    ),
    Variant(
        name="leads for ever",
        caught_by=frozenset([3]),
        ports=broken.ignores_the_epoch,
        scenario=scenario(
            FAILS_FOR_LONG,
            fault("kill", "engine-2", lasts=3.0),
            CRASH,
            fault("freeze", "engine-1", when="nova.evacuate-sent", lasts=20.0),
            policy=STUBBORN,
            seconds=90.0,
            seed=3,
        ),
    ),
    Variant(
        name="has a lease without end",
        caught_by=frozenset([3]),
        ports=broken.port("leadership", broken.LeaseWithoutEnd),
        scenario=scenario(
            CRASH,
            fault("freeze", *BOTH, when="instance.evacuating", lasts=20.0),
        ),
    ),
    Variant(
        name="acts before it has saved",
        caught_by=frozenset([2]),
        ports=broken.port("store", broken.WritesBehind),
        scenario=scenario(CRASH),
    ),
    Variant(
        name="forgets what its predecessor has asked for",
        caught_by=frozenset([2]),
        ports=broken.port("store", broken.ForgetsRequests),
        scenario=scenario(
            fault("delay-requests", seconds=18.0, count=2.0, kind="evacuate"),
            CRASH,
            fault("kill", *BOTH, when="nova.evacuate-sent", lasts=1.0),
            fault("disable", "host-2", "host-3", at=30.0),
            seed=3,
        ),
    ),
    Variant(
        name="chooses another target for a repeat",
        caught_by=frozenset([2]),
        ports=broken.port("compute", broken.ChoosesAnew),
        scenario=scenario(
            fault("lose-requests", count=1.0, kind="evacuate"), CRASH
        ),
    ),
    Variant(
        name="takes failed for not running",
        caught_by=frozenset([1, 2]),
        patch=patched(runners, "possible", broken.nobody_runs_it),
        scenario=scenario(
            fault("rebuilds", outcomes=("failed-running",)), CRASH
        ),
    ),
    Variant(
        name="takes accepted for done",
        caught_by=frozenset([2, 8]),
        ports=broken.port("compute", broken.BelievesAccepted),
        # It hangs, so it is under way when another host is asked.
        scenario=scenario(fault("rebuilds", outcomes=("stuck",)), CRASH),
    ),
    Variant(
        name="takes no answer for no instances",
        caught_by=frozenset([8]),
        ports=broken.port("compute", broken.NoAnswerIsNobody),
        scenario=scenario(
            CRASH,
            fault("cell-down", "host-1", when="case.evacuating"),
            fault("kill", *BOTH, when="case.evacuating", lasts=1.0),
        ),
    ),
    Variant(
        name="has no brake",
        caught_by=frozenset([6]),
        ports=broken.no_brake,
        scenario=scenario(fault("crash", "host-1", "host-2", at=5.0)),
    ),
    Variant(
        name="takes the time from the wall clock",
        caught_by=frozenset([4]),
        patch=patched(kernel.Clock, "monotonic", broken.time_of_day),
        scenario=scenario(
            fault("kill-agent", "host-1", at=5.0),
            *(
                fault("step-clock", *BOTH, at=at, by=4.0)
                for at in (17.0, 18.0, 19.0)
            ),
        ),
    ),
    Variant(
        name="does not hear the operator's switches",
        caught_by=frozenset([4]),
        ports=broken.port("membership", broken.DeafToSwitches),
        scenario=scenario(fault("pause", at=1.0), CRASH),
    ),
    Variant(
        name="does not hear goodbyes",
        caught_by=frozenset([4]),
        ports=broken.port("membership", broken.DeafToGoodbyes),
        scenario=scenario(
            fault("stop-agent", "host-1", at=5.0),
            fault("stop-compute", "host-1", at=5.0),
        ),
    ),
    Variant(
        name="fences what is in maintenance",
        caught_by=frozenset([4]),
        ports=broken.port("membership", broken.DeafToMaintenance),
        scenario=scenario(fault("maintenance", "host-1", at=1.0), CRASH),
    ),
    Variant(
        name="enables what an operator has disabled",
        caught_by=frozenset([9]),
        patch=patched(returning, "_reason_changed", lambda work: False),
        scenario=scenario(
            CRASH,
            fault("disable", "host-1", when="case.evacuated"),
            fault("power-on", "host-1", when="case.evacuated", after=1.0),
            seconds=100.0,
        ),
    ),
    Variant(
        name="leaves its force-down behind",
        caught_by=frozenset([7]),
        ports=broken.port("compute", broken.KeepsForcedDown),
        scenario=scenario(
            CRASH,
            fault("power-on", "host-1", when="case.evacuated"),
            seconds=100.0,
        ),
    ),
    Variant(
        name="says only once what it waits for",
        caught_by=frozenset([8]),
        patch=patched(work.Work, "remind", lambda self, severity: None),
        scenario=scenario(
            CRASH,
            policy=dataclasses.replace(QUICK, reminder=20.0),
            seconds=120.0,
        ),
    ),
)

BY_NAME = {one.name: one for one in VARIANTS}
