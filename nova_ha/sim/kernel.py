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

"""Virtual time, and programs that take turns in it.

Product code blocks: it waits for a clock, for a server's answer, for another
thread. Here each of its threads is a greenlet, and whatever blocks parks it
until its moment has come in virtual time. So the code runs unchanged, all of
it in one thread, in an order that is a function of the seed alone.

A :class:`Program` is what can be frozen and killed as one: an engine, an
agent. Nothing of it runs while it is frozen; all of it ends, without a last
word, when it is killed.
"""

import datetime
import functools
import heapq
import random
import threading
from collections.abc import Callable

import greenlet

from nova_ha import clock as clock_mod

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
"""What time of day it is when a run begins."""

Call = Callable[[], None]


class Killed(BaseException):
    """Unwinds the threads of a program that has been killed. Not an
    Exception: no handler of the product's may take it for a failure."""


class Kernel:
    """The order of everything that happens.

    :param seed: of all chance in the run.
    :param begin: seconds; before the beginning, for what has to settle.
    """

    def __init__(self, seed: int = 0, begin: float = 0.0) -> None:
        self.now = begin
        """Seconds since the beginning of the run, true time."""
        self.steps = 0
        """How many things have happened."""
        self._seed = seed
        self._chances: dict[str, random.Random] = {}
        self.after_step: list[Call] = []
        """Called after each thing that happens, e.g. to check what must
        hold."""
        self.programs: list[Program] = []
        self._agenda: list[tuple[float, int, Call]] = []
        self._order = 0
        self._failure: BaseException | None = None

    @property
    def utc(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=self.now)

    def chance(self, of: str) -> random.Random:
        """What decides one kind of thing, apart from all others: a change
        that makes something happen once more leaves them as they were, and
        so the rest of the run.

        :param of: what is decided; an id, not shown to anybody.
        """
        if of not in self._chances:
            self._chances[of] = random.Random(f"{self._seed} {of}")
        return self._chances[of]

    def at(self, moment: float, call: Call) -> None:
        """Have ``call`` called at a moment; those of the same moment in the
        order in which they were asked for."""
        self._order += 1
        entry = (max(moment, self.now), self._order, call)
        heapq.heappush(self._agenda, entry)

    def after(self, seconds: float, call: Call) -> None:
        self.at(self.now + seconds, call)

    def run(self, until: float) -> None:
        """Let time pass, and what is on the agenda happen.

        Whatever a call or a thread raises, other than :class:`Killed`, ends
        the run: it is a mistake of the product's, or of the simulator's.
        """
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, call = heapq.heappop(self._agenda)
            call()
            self._raise_failure()
            self.steps += 1
            for after in self.after_step:
                after()
        self.now = max(self.now, until)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    # -- threads -------------------------------------------------------------

    @property
    def thread(self) -> "Thread | None":
        """The thread that is running now; None: the world itself is."""
        current = greenlet.getcurrent()
        return current if isinstance(current, Thread) else None

    def pause(self, seconds: float) -> None:
        """Let true time pass for the running thread, e.g. until an answer
        arrives. The world itself does not wait.

        :raises Killed: the program was killed meanwhile.
        """
        thread = self.thread
        if thread is not None:
            thread.park(seconds)

    @staticmethod
    def switch_to(thread: "Thread") -> None:
        """Only for :class:`Thread`: let it run until it parks or ends."""
        thread.parent = greenlet.getcurrent()
        thread.switch()

    @staticmethod
    def switch_out() -> None:
        """Only for :class:`Thread`: give way to whoever let it run."""
        parent = greenlet.getcurrent().parent
        if parent is not None:
            parent.switch()

    def close(self) -> None:
        """End all programs; what they hold is released."""
        for program in self.programs:
            program.kill()

    def failed(self, error: BaseException) -> None:
        """Only for :class:`Thread`: an error that nobody has caught."""
        if self._failure is None:
            self._failure = error


class Thread(greenlet.greenlet):
    """One thread of a program."""

    def __init__(self, program: "Program", body: Call, name: str) -> None:
        super().__init__(self._run)
        self.name = name
        self._program = program
        self._kernel = program.kernel
        self._body = body
        self._parking = 0
        """Counts the stays in the park: a wake-up is for one of them."""
        self._parked = False
        self._event: threading.Event | None = None
        self._waiters: list[Thread] = []

    def _run(self) -> None:
        try:
            self._body()
        except Killed:
            pass
        except BaseException as error:
            self._kernel.failed(error)
        finally:
            self._program.ended(self)
            for waiter in self._waiters:
                waiter.wake_later(0.0)

    # -- called by the thread itself -----------------------------------------

    def park(
        self, seconds: float | None, event: threading.Event | None = None
    ) -> None:
        """Let others run for ``seconds`` (None: until woken), or until the
        event is set.

        :raises Killed:
        """
        self._program.check_alive()
        self._parking += 1
        self._parked, self._event = True, event
        if seconds is not None:
            self.wake_later(seconds)
        self._kernel.switch_out()
        self._parked, self._event = False, None
        self._program.check_alive()

    # -- called by others ----------------------------------------------------

    def join(self) -> None:
        """Wait for its end."""
        caller = self._kernel.thread
        if self.dead or caller is None:
            return
        self._waiters.append(caller)
        caller.park(None)

    def wake_later(self, seconds: float) -> None:
        """Wake it in so many seconds, if it still is in the same park."""
        parking = self._parking
        self._kernel.after(seconds, lambda: self._wake(parking))

    def _wake(self, parking: int) -> None:
        if not self._parked or parking != self._parking or self.dead:
            return
        self._program.run(lambda: self._resume(parking))

    def _resume(self, parking: int) -> None:
        if self._parked and parking == self._parking and not self.dead:
            self._kernel.switch_to(self)

    def begin(self) -> None:
        self._program.run(lambda: self._kernel.switch_to(self))

    def look_at_event(self) -> None:
        """Wake it if what it waits for has come."""
        if self._parked and self._event is not None and self._event.is_set():
            self._event = None
            self.wake_later(0.0)

    def end(self) -> None:
        """Unwind it: its program has been killed."""
        if not self.dead and self._parked:
            self._kernel.switch_to(self)


class Program:
    """What is frozen, woken and killed as one, with clocks of its own."""

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel = kernel
        self.name = name
        self.alive = True
        self.frozen = False
        self.clock = Clock(self)
        self._threads: dict[Thread, None] = {}
        self._deferred: list[Call] = []
        kernel.programs.append(self)

    def spawn(self, body: Call, name: str) -> Thread:
        """Start a thread; it runs when its turn comes."""
        self.check_alive()
        thread = Thread(self, body, name)
        self._threads[thread] = None
        self.kernel.after(0.0, thread.begin)
        return thread

    def run(self, call: Call) -> None:
        """Have the program do something: a thread goes on, a callback is
        called. Later if it is frozen; never if it has been killed."""
        if not self.alive:
            return
        if self.frozen:
            self._deferred.append(call)
            return
        call()
        for thread in list(self._threads):
            thread.look_at_event()

    def freeze(self) -> None:
        """Nothing of it runs any more, until :meth:`thaw`; its clocks go
        on. What a stopped process, a paused virtual machine or a very long
        garbage collection looks like."""
        self.frozen = True

    def thaw(self) -> None:
        self.frozen = False
        deferred, self._deferred = self._deferred, []
        for call in deferred:
            self.kernel.after(0.0, functools.partial(self.run, call))

    def kill(self) -> None:
        """SIGKILL, or the end of its machine."""
        self.alive = False
        self._deferred.clear()
        current = self.kernel.thread
        for thread in list(self._threads):
            if thread is not current:
                thread.end()
        if current in self._threads:
            raise Killed

    def check_alive(self) -> None:
        """:raises Killed: in a thread of a program that was killed."""
        if not self.alive:
            raise Killed

    def ended(self, thread: Thread) -> None:
        """Only for :class:`Thread`."""
        self._threads.pop(thread, None)


class Clock(clock_mod.Clock):
    """The clocks of one program's machine: they may drift, and the time of
    day may be set."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._kernel = program.kernel
        self.drift = 0.0
        """By how much it is too fast: 0.0001 is 0.1 ms in a second. To be
        set before the program starts."""
        self.offset = 0.0
        """Seconds by which the time of day is wrong."""

    def monotonic(self) -> float:
        # Not zero: nothing may depend on how long a machine has been up.
        return 1000.0 + self._kernel.now * (1.0 + self.drift)

    def boottime(self) -> float:
        return self.monotonic()

    def utcnow(self) -> datetime.datetime:
        return self._kernel.utc + datetime.timedelta(seconds=self.offset)

    def wait(self, event: threading.Event, timeout: float) -> bool:
        thread = self._kernel.thread
        if thread is None:
            raise RuntimeError("only a program's threads can wait")
        if not event.is_set():
            thread.park(max(0.0, timeout) / (1.0 + self.drift), event)
        return event.is_set()

    def spawn(self, body: Call, name: str) -> Thread:
        return self._program.spawn(body, name)
