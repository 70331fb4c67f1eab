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

"""What the controller costs, by the size of the fleet.

    python -m benchmarks.controller [--rounds N] [--sizes 10,100,...]

The real controller and core on a virtual clock; jobs are answered at once.
Only the controller's own work is timed, garbage collection included. All
figures are ratios within one run, medians of several rounds, so that they
mean the same on any machine. The last line is one line of JSON:

``growth``
    Processor time per host and simulated second under steady traffic, by
    the size of the fleet, divided by that of the smallest.
``idle_growth``
    A tick without news with 50 open cases: largest fleet by that of 1,000.
``bytes_per_host``
    Memory that a leading engine keeps for one host: what it has read from
    ZooKeeper, raw and decoded, and what the controller makes of it.
"""

import argparse
import collections
import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Sequence

from benchmarks import fleets
from nova_ha import ports
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import policy
from nova_ha.core import sources
from nova_ha.engine import controller as controller_module
from nova_ha.engine import executor
from nova_ha.engine import jobs
from nova_ha.engine import service

SIZES = (10, 100, 1000, 10000)
ROUNDS = 5
IDLE_SIZES = (1000, 10000)
CASES = 50
HOST_SECONDS = 100000
"""Simulated in one round, hosts times seconds; the same for all sizes."""

TICKS = 200
MEMORY_SIZE = 1000
EPOCH = model.Epoch(1)


class Silent(ports.Notifier):
    def emit(self, event: model.AuditEvent) -> None:
        """What is told costs the notifier, not the controller."""


class AtOnce(executor.Executor):
    """Answers every job at once - but a survey never, so that the cases that
    wait for one are open as long as the measurement takes."""

    def __init__(self, cases: Sequence[model.RecoveryCase] = ()) -> None:
        self.answers: collections.deque[events.Event] = collections.deque()
        self._cases = cases

    def submit(self, job: jobs.Job, epoch: model.Epoch) -> None:
        answer = self._answer(job, epoch)
        if answer is not None:
            self.answers.append(answer)

    def _answer(
        self, job: jobs.Job, epoch: model.Epoch
    ) -> events.Event | None:
        match job:
            case jobs.LoadCases():
                stored = tuple((one, 1) for one in self._cases)
                return events.CasesLoaded(epoch=epoch, cases=stored)
            case jobs.SaveCase(case=case):
                return events.Saved(host=case.host, case=case.id, version=1)
            case jobs.PublishVerdict(host=host, verdict=verdict):
                return events.Published(host=host, verdict=verdict)
            case jobs.CheckTopology():
                return events.TopologyChecked(
                    state=model.TopologyState(version=1)
                )
            case jobs.Perform(action=actions.ReadPower(host=host)):
                return events.PowerRead(
                    host=host, reading=_reads_on(host), began=0.0
                )
            case jobs.Perform(action=actions.TakeSurvey()):
                return None
            case jobs.Perform(action=action):
                return events.ActionDone(
                    host=action.host, case=action.case, key=action.key
                )
        raise AssertionError(f"not expected: {job.key}")


def _reads_on(host: model.HostName) -> model.PowerReading:
    return model.PowerReading(
        host=host, state=model.PowerState.ON, seen_at=fleets.START
    )


class Engine:
    """A leading controller that has seen the whole fleet."""

    def __init__(
        self, fleet: fleets.Fleet, cases: Sequence[model.RecoveryCase] = ()
    ) -> None:
        self.fleet = fleet
        self.clock = fleets.VirtualClock()
        self.executor = AtOnce(cases)
        self.controller = controller_module.Controller(
            # Few enough that the suspects of the idle measurement are a
            # storm, which counts the whole fleet.
            policy.Policy(brake_fraction=0.0001),
            self.clock,
            self.executor,
            Silent(),
        )
        self.handle(events.ConnectionChanged(connected=True))
        self.handle(events.ControlRead(control=model.Control(armed=True)))
        self.handle(self.fleet.complete())
        self.handle(events.LeadershipChanged(epoch=EPOCH))
        self.handle(self.fleet.look(self.clock.now))

    def handle(self, event: events.Event) -> None:
        self.controller.handle(event)
        answers = self.executor.answers
        while answers:
            self.controller.handle(answers.popleft())

    def run(self, seconds: float) -> float:
        """Let time pass; returns the seconds that the controller took."""
        spent = 0.0
        for at, event in self.fleet.traffic(self.clock.now, seconds):
            self.clock.now = at
            began = time.process_time()
            self.handle(event)
            spent += time.process_time() - began
        return spent

    def idle(self, ticks: int) -> float:
        """Ticks without news; returns seconds for each."""
        began = time.process_time()
        for _ in range(ticks):
            self.clock.now += service.TICK_BUSY
            self.handle(events.Tick())
        return (time.process_time() - began) / ticks


# -- growth ------------------------------------------------------------------


def cost(engine: Engine, size: int) -> float:
    """Seconds per host and simulated second."""
    # Whole periods of everything that repeats.
    seconds = max(10.0, HOST_SECONDS / size // 10 * 10)
    gc.collect()
    return engine.run(seconds) / (size * seconds)


def growth(sizes: Sequence[int], rounds: int) -> dict[str, object]:
    engines = {size: Engine(fleets.Fleet(size)) for size in sizes}
    for engine in engines.values():
        engine.run(2 * fleets.REPORT)
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(rounds):
        for size, engine in engines.items():
            costs[size].append(cost(engine, size))
        _progress(f"steady traffic, round {number + 1} of {rounds}")
    first = costs[sizes[0]]
    return {
        "growth": {
            str(size): round(
                statistics.median(
                    mine / base
                    for mine, base in zip(costs[size], first, strict=True)
                ),
                3,
            )
            for size in sizes
        },
        "microseconds_per_host_second": {
            str(size): round(statistics.median(costs[size]) * 1e6, 2)
            for size in sizes
        },
    }


# -- idle --------------------------------------------------------------------


def _case(host: model.HostName) -> model.RecoveryCase:
    return model.RecoveryCase(
        id=model.CaseId(f"case-{host}"),
        host=host,
        boot_id=model.BootId("boot"),
        state=model.CaseState.EVACUATING,
        verdict=model.Verdict(
            kind=model.VerdictKind.DOWN, reason=model.Reason.ALL_SILENT
        ),
        opened_at=fleets.START,
        evidence=model.FenceEvidence(
            kind=model.EvidenceKind.POWER_OFF_OBSERVED,
            by="bmc",
            seen_at=fleets.START,
        ),
        force_down=model.Ownership.OURS,
        disable=model.Ownership.OURS,
        surveyed=True,
        moves=tuple(_move(host, number) for number in range(fleets.GUESTS)),
    )


def _move(host: model.HostName, number: int) -> model.Move:
    return model.Move(
        instance=model.InstanceId(f"{host}-{number}"),
        state=model.MoveState.RUNNING,
        target=model.HostName("cmp00900"),
        migration=number,
        attempts=1,
    )


def with_cases(size: int) -> Engine:
    """Half of the cases evacuate, and so the others are held by a storm."""
    fleet = fleets.Fleet(size, dead=CASES)
    engine = Engine(fleet, [_case(name) for name in fleet.names[: CASES // 2]])
    engine.run(3 * fleets.REPORT)
    holds = collections.Counter(
        one.case.hold for one in engine.controller.cases.values()
    )
    if holds != {None: CASES // 2, model.Hold.STORM: CASES // 2}:
        raise AssertionError(f"other cases than meant: {holds}")
    return engine


def idle_growth(sizes: Sequence[int], rounds: int) -> dict[str, object]:
    engines = {size: with_cases(size) for size in sizes}
    ratios, ticks = [], []
    for number in range(rounds):
        gc.collect()
        small, large = (engines[size].idle(TICKS) for size in sizes)
        ratios.append(large / small)
        ticks.append(large)
        _progress(f"ticks without news, round {number + 1} of {rounds}")
    return {
        "idle_growth": round(statistics.median(ratios), 3),
        "idle_tick_microseconds": round(statistics.median(ticks) * 1e6, 1),
    }


# -- memory ------------------------------------------------------------------


def memory(size: int) -> dict[str, object]:
    """All that stays after each source has been seen often enough for its
    habits to be known."""
    fleet, paths = fleets.Fleet(size), paths_module.Paths()
    gc.collect()
    tracemalloc.start()
    nodes, decoder = fleet.nodes(paths), reading.Decoder()
    fleet.facts = {
        name: fleets.as_read(name, paths, nodes, decoder)
        for name in fleet.names
    }
    engine = Engine(fleet)
    for _ in range(sources.GAPS + 2):
        engine.clock.now += fleets.POLL
        engine.handle(fleet.reporting(engine.clock.now))
    del fleet, engine.fleet
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    _progress("memory")
    return {"bytes_per_host": round(held / size)}


def _progress(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    arguments = parser.parse_args()
    sizes = [int(one) for one in arguments.sizes.split(",")]
    figures = growth(sizes, arguments.rounds)
    figures |= idle_growth(IDLE_SIZES, arguments.rounds)
    figures |= memory(MEMORY_SIZE)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
