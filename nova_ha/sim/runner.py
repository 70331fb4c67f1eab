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

"""Runs a script from its beginning to its verdict."""

import contextlib
import logging
import os
import traceback
from collections.abc import Callable, Iterable, Iterator

from nova_ha.core import catalogue
from nova_ha.core.model import record
from nova_ha.sim import about
from nova_ha.sim import engines
from nova_ha.sim import expectations
from nova_ha.sim import injector
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import script
from nova_ha.sim import trace
from nova_ha.sim import world as world_mod
from nova_ha.sim.invariants import base
from nova_ha.sim.invariants import ending


@record
class Result:
    """What a run came to."""

    script: script.Script
    entries: tuple[journal_mod.Entry, ...]
    steps: int
    """How many things have happened."""
    faults: int
    """How many faults have been injected."""
    violations: tuple[base.Violation, ...] = ()
    undetectable: tuple[base.Violation, ...] = ()
    """See :data:`nova_ha.sim.script.UNDETECTABLE`."""
    failed: tuple[str, ...] = ()
    """What is not as the script expects."""
    mistakes: tuple[str, ...] = ()
    """Exceptions that the product has caught and logged as its own mistakes,
    and what it has told that is not in the catalogue."""
    stuck: tuple[ending.Stuck, ...] = ()
    """Cases that are open at the end. That is no failure by itself."""

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def problems(self) -> list[str]:
        """One line for each reason why it is not well."""
        found = [str(one).strip() for one in self.violations]
        if script.UNDETECTABLE not in self.script.allow:
            found += [str(one).strip() for one in self.undetectable]
        found += [f"not as expected: {one}" for one in self.failed]
        return found + [f"mistake: {one}" for one in self.mistakes]

    @property
    def trace(self) -> list[str]:
        """The lines that people read."""
        breaches = [*self.violations, *self.undetectable]
        marks = [(one.at, str(one).split(maxsplit=1)[1]) for one in breaches]
        return trace.Trace(self.entries, marks).lines


Over = Callable[[world_mod.World], bool]
"""Whether nothing more is going to happen that matters."""

LOOK = 30.0
"""Seconds between two such questions."""


def run(
    made: script.Script,
    variant: engines.Variant | None = None,
    over: Over | None = None,
) -> Result:
    """Let the script happen.

    :param variant: see :class:`nova_ha.sim.world.World`.
    :param over: ends the run before its time.
    """
    with _logged() as mistakes:
        world = world_mod.World(made.cloud, made.policy, made.seed, variant)
        try:
            faults = injector.Injector(world, made.faults)
            _pass(world, made.seconds, over)
            world.checker.finish()
            return _result(world, made, faults, mistakes)
        finally:
            world.close()


def _pass(world: world_mod.World, seconds: float, over: Over | None) -> None:
    if over is None:
        world.run(seconds)
        return
    while world.kernel.now < seconds and not over(world):
        world.run(min(seconds, world.kernel.now + LOOK))


def _result(
    world: world_mod.World,
    made: script.Script,
    faults: injector.Injector,
    mistakes: "_Mistakes",
) -> Result:
    return Result(
        script=made,
        entries=tuple(world.journal.entries),
        steps=world.kernel.steps,
        faults=faults.injected,
        violations=tuple(world.checker.violations),
        undetectable=tuple(world.checker.undetectable),
        failed=(
            *expectations.failed(world, made),
            *map(_never, faults.waiting),
        ),
        mistakes=(*mistakes.found, *_misfits(world.journal.entries)),
        stuck=tuple(world.checker.stuck()),
    )


def _misfits(entries: Iterable[journal_mod.Entry]) -> Iterable[str]:
    """What an engine has told and nobody could expect of it, each once."""
    told = filter(None, map(about.event, entries))
    return dict.fromkeys(filter(None, map(catalogue.problem, told)))


def _never(fault: script.Fault) -> str:
    """A fault that waits for something that has not happened shows nothing,
    and is most likely misspelt."""
    code = "" if fault.when is None else fault.when.code
    where = f"line {fault.line}: " if fault.line else ""
    return f"{where}{fault.verb} never happened: it waits for {code}"


class _Mistakes(logging.Handler):
    """Keeps what has been logged with an exception, each once."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.found[
                f"{type(error).__name__} in {place.name}, "
                f"{os.path.basename(place.filename)}:{place.lineno}: {error}"
            ] = None


@contextlib.contextmanager
def _logged() -> Iterator[_Mistakes]:
    """The product's mistakes, as they come; its other log lines go nowhere,
    since the trace tells the story."""
    handler = _Mistakes()
    logger = logging.getLogger("nova_ha")
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
