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

"""Engines in virtual time: the real one, put together from modelled servers.

What :mod:`nova_ha.assembly.engine` does with kazoo, novaclient and BMCs is
done here with their models; everything above the ports is the product's.
"""

import collections
import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha.coordination import election
from nova_ha.coordination import membership
from nova_ha.coordination import store
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.engine import controller
from nova_ha.engine import executor
from nova_ha.engine import performer
from nova_ha.engine import service
from nova_ha.engine import surveying
from nova_ha.evidence import services
from nova_ha.sim import devices
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import parts as parts_mod
from nova_ha.sim import script
from nova_ha.sim import shared_storage

T = TypeVar("T")

WORKERS = 64
"""As many jobs at a time as ``[engine] workers`` allows by default."""


@dataclasses.dataclass(frozen=True, slots=True)
class EnginePorts:
    """All that one engine sees of the world, and what it decides by."""

    membership: ports.Membership
    leadership: ports.Leadership
    store: ports.CaseStore
    compute: ports.Compute
    fencing: ports.Fencing
    sources: Sequence[ports.EvidenceSource]
    clock: clock_mod.Clock
    policy: policy_mod.Policy


Variant = Callable[[EnginePorts], EnginePorts]
"""Changes an engine before it starts: a way to inject mistakes at the ports,
and to see that the checker finds them."""


class JournalNotifier(ports.Notifier):
    """Writes an engine's own story into the journal."""

    def __init__(self, journal: journal_mod.Journal, engine: str) -> None:
        self._journal = journal
        self._engine = engine

    def emit(self, event: model.AuditEvent) -> None:
        message = f"{event.host}: {event.message}"
        self._journal.note(
            self._engine,
            event.code,
            message if event.host else event.message,
            event=event,
        )


class TurnExecutor(executor.ConcurrentExecutor):
    """A bounded number of jobs at a time, each in a thread of its own."""

    def __init__(
        self,
        performer_: performer.Performer,
        sink: ports.Sink,
        clock: clock_mod.Clock,
        workers: int,
    ) -> None:
        """
        :param workers: in each lane.
        """
        super().__init__(performer_, sink)
        self._clock = clock
        self._free = dict.fromkeys(executor.Lane, workers)
        self._waiting: dict[
            executor.Lane, collections.deque[Callable[[], None]]
        ] = {lane: collections.deque() for lane in executor.Lane}

    def _start(self, lane: executor.Lane, run: Callable[[], None]) -> None:
        if self._free[lane] <= 0:
            self._waiting[lane].append(run)
            return
        self._free[lane] -= 1
        self._clock.spawn(lambda: self._work(lane, run), "executor")

    def _work(self, lane: executor.Lane, run: Callable[[], None]) -> None:
        run()
        while self._waiting[lane]:
            self._waiting[lane].popleft()()
        self._free[lane] += 1


def gather_in(clock: clock_mod.Clock) -> surveying.Gather:
    """Makes its calls at the same time, in threads of ``clock``."""

    def gather(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        results: dict[int, Any] = {}
        errors: list[Exception] = []

        def call(number: int) -> None:
            try:
                results[number] = calls[number]()
            except Exception as error:  # handed over to the caller
                errors.append(error)

        threads = [
            clock.spawn(functools.partial(call, number), "gather")
            for number in range(len(calls))
        ]
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return [results[number] for number in range(len(calls))]

    return gather


class _Probe:
    """Stands in for a port and tells of each call, before and after it."""

    def __init__(
        self, port: object, name: str, tell: Callable[[str, bool], None]
    ) -> None:
        self._port = port
        self._name = name
        self._tell = tell

    def __getattr__(self, method: str) -> Callable[..., Any]:
        function = getattr(self._port, method)

        @functools.wraps(function)
        def probed(*args: Any, **kwargs: Any) -> Any:
            call = f"{self._name}.{method}"
            self._tell(call, True)
            result = function(*args, **kwargs)
            self._tell(call, False)
            return result

        return probed


@dataclasses.dataclass(slots=True)
class _Trap:
    """Ends the engine at the ``left``-th such call from now on."""

    call: str
    before: bool
    left: int


class SimEngine:
    """One engine on a controller of its own: it can be killed, started
    again, and frozen."""

    def __init__(
        self,
        spec: script.EngineSpec,
        parts: parts_mod.Parts,
        intervals: script.Intervals,
        variant: Variant | None = None,
    ) -> None:
        self.name = spec.name
        self._drift = spec.drift
        self._parts = parts
        self._intervals = intervals
        self._variant = variant
        self._traps: list[_Trap] = []
        self._offset = 0.0
        self.program: kernel_mod.Program | None = None
        """The running one; None: it does not run."""

    # -- what happens to it ---------------------------------------------------

    def start(self) -> None:
        """Start it, if it does not run."""
        if self.program is not None:
            return
        program = kernel_mod.Program(self._parts.kernel, self.name)
        program.clock.drift = self._drift
        program.clock.offset = self._offset
        self.program = program
        self._note("engine.started", "started")
        program.spawn(lambda: self._run(program), "main")

    def kill(self) -> None:
        """SIGKILL. Its session and its place in the election stay until
        ZooKeeper expires them."""
        program, self.program = self.program, None
        if program is not None:
            self._note("engine.killed", "killed")
            program.kill()

    def freeze(self) -> None:
        if self.program is not None and not self.program.frozen:
            self._note("engine.frozen", "frozen")
            self.program.freeze()

    def thaw(self) -> None:
        if self.program is not None and self.program.frozen:
            self._note("engine.thawed", "goes on")
            self.program.thaw()

    def crash_at(self, call: str, count: int = 1, *, before: bool) -> None:
        """Let it die right before, or right after, a call of a port.

        :param call: such as ``compute.evacuate``.
        :param count: the how-manieth from now on.
        """
        self._traps.append(_Trap(call, before, count))

    def step_clock(self, seconds: float) -> None:
        """Set its time of day forward, or back."""
        self._offset += seconds
        if self.program is not None:
            self.program.clock.offset = self._offset

    def _note(self, what: str, message: str) -> None:
        self._parts.journal.note(self.name, what, message)

    # -- what it is made of ---------------------------------------------------

    def _run(self, program: kernel_mod.Program) -> None:
        made = self._ports(program)
        if self._variant is not None:
            made = self._variant(made)
        inbox = service.EventQueue(made.clock)
        world = performer.World(
            membership=self._probed(made.membership, "membership"),
            leadership=self._probed(made.leadership, "leadership"),
            store=self._probed(made.store, "store"),
            compute=self._probed(made.compute, "compute"),
            fencing=self._probed(made.fencing, "fencing"),
            sign_readers=[
                one
                for one in made.sources
                if isinstance(one, ports.SignReader)
            ],
        )
        workers = TurnExecutor(
            performer.Performer(world, made.clock, gather_in(made.clock)),
            inbox.put,
            made.clock,
            WORKERS,
        )
        notifier = JournalNotifier(self._parts.journal, self.name)
        engine = service.Engine(
            controller.Controller(made.policy, made.clock, workers, notifier),
            inbox,
            made.membership,
            made.leadership,
            made.sources,
        )
        engine.run()

    def _ports(self, program: kernel_mod.Program) -> EnginePorts:
        parts, clock = self._parts, program.clock
        session = parts.zookeeper.client(
            program,
            self.name,
            timeout=parts.policy.session_timeout,
            user="engine",
        )
        compute = parts.nova.api(program, self.name)
        return EnginePorts(
            membership=membership.ZooKeeperMembership(
                session, parts.paths, clock
            ),
            leadership=election.ZooKeeperLeadership(
                session,
                parts.paths,
                clock,
                engine=self.name,
                machine_id=f"machine-of-{self.name}",
                lease=parts.policy.leader_lease,
            ),
            store=store.ZooKeeperCaseStore(session, parts.paths),
            compute=compute,
            fencing=devices.SimFencing(
                program,
                self.name,
                {
                    host: [[bmc] for bmc in levels]
                    for host, levels in parts.bmcs.items()
                },
                parts.networks,
                parts.journal,
                poll_interval=self._intervals.fence_poll,
                call_timeout=self._intervals.fence_call,
            ),
            sources=self._sources(program, compute),
            clock=clock,
            policy=parts.policy,
        )

    def _sources(
        self, program: kernel_mod.Program, compute: ports.Compute
    ) -> list[ports.EvidenceSource]:
        found: list[ports.EvidenceSource] = [
            services.ServiceReports(
                compute, program.clock, self._intervals.service_poll
            )
        ]
        if self._parts.share is not None:
            found.append(
                shared_storage.Reader(
                    self._parts.share,
                    program,
                    self.name,
                    self._intervals.storage_poll,
                )
            )
        return found

    def _probed(self, port: T, name: str) -> T:
        return cast(T, _Probe(port, name, self._called))

    def _called(self, call: str, before: bool) -> None:
        for trap in list(self._traps):
            if trap.call == call and trap.before is before:
                trap.left -= 1
                if trap.left <= 0:
                    self._traps.remove(trap)
                    self.kill()
