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

"""Property runs: random faults, and all that must hold."""

import dataclasses
from collections.abc import Callable, Iterable

from nova_ha.core.model import record
from nova_ha.sim import chance
from nova_ha.sim import engines
from nova_ha.sim import runner
from nova_ha.sim import script
from nova_ha.sim import shrink
from nova_ha.sim import world as world_mod

Progress = Callable[[str], None]
"""Is told, now and then, how far it is: one line."""

SHRINKING = 100
"""Runs that may be spent on making one failing script small."""


QUIET = 90.0
"""Seconds into the calm in which whatever is left of the troubles shows."""


@record
class Failure:
    """A seed that fails."""

    seed: int
    problems: tuple[str, ...]
    """One line each."""
    script: script.Script
    """The smallest one found that fails alike."""


@record
class FuzzResult:
    """What all seeds came to."""

    seeds: int = 0
    steps: int = 0
    """How many things have happened."""
    faults: int = 0
    violations: int = 0
    stuck_cases: int = 0
    """Cases that were still open after the calm."""
    undetectable: int = 0
    """Violations that only lies led to which nobody could see through."""
    mistakes: int = 0
    """Exceptions that the product has caught and logged as its own."""
    failures: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.failures

    def summary(self) -> dict[str, int]:
        """The figures."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "failures"
        }

    def plus(
        self, result: runner.Result, failure: Failure | None
    ) -> "FuzzResult":
        """One more seed."""
        return FuzzResult(
            seeds=self.seeds + 1,
            steps=self.steps + result.steps,
            faults=self.faults + result.faults,
            violations=self.violations + len(result.violations),
            stuck_cases=self.stuck_cases + len(result.stuck),
            undetectable=self.undetectable + len(result.undetectable),
            mistakes=self.mistakes + len(result.mistakes),
            failures=self.failures + ((failure,) if failure else ()),
        )


def run(
    seeds: Iterable[int],
    hosts: int = 6,
    minutes: float = 3.0,
    progress: Progress | None = None,
    variant: engines.Variant | None = None,
    shrinking: int = SHRINKING,
) -> FuzzResult:
    """Make up a script of each seed, and run it.

    :param hosts: at most so many in a cloud.
    :param minutes: how long there is trouble, before the calm.
    :param variant: changes the engines, to see that mistakes are found.
    :param shrinking: runs to spend on each failing script; 0: leave it.
    """
    tell = progress or _silent
    total = FuzzResult()
    for seed in seeds:
        made = chance.script_of(seed, hosts, minutes)
        result = _run(made, variant)
        failure = None
        if signature(result):
            tell(f"seed {seed} fails: {problems(result)[0]}")
            failure = _failure(made, result, variant, shrinking)
        total = total.plus(result, failure)
        tell(
            f"{total.seeds} seeds, {total.violations} violations, "
            f"{total.stuck_cases} stuck cases"
        )
    return total


def _run(
    made: script.Script, variant: engines.Variant | None
) -> runner.Result:
    """Run it until all that was in trouble is well again, and has been for a
    while; or to its end."""
    calm = max(
        (one.at for one in made.faults if one.verb == chance.CALM_VERB),
        default=made.seconds,
    )

    def over(world: world_mod.World) -> bool:
        return (
            world.kernel.now - calm > QUIET
            and not world.checker.cases
            and all(one.running for one in world.machines.values())
        )

    return runner.run(made, variant, over)


def signature(result: runner.Result) -> frozenset[str]:
    """In which ways a run has failed; empty: in none."""
    found = {f"violation {one.invariant}" for one in result.violations}
    if result.stuck:
        found.add("stuck")
    if result.mistakes:
        found.add("mistake")
    return frozenset(found)


def problems(result: runner.Result) -> list[str]:
    """One line for each."""
    return [
        *(str(one).strip() for one in result.violations),
        *(f"mistake: {one}" for one in result.mistakes),
        *(
            f"stuck: the case of {one.host} is {one.state.value}: "
            f"{one.message}"
            for one in result.stuck
        ),
    ]


def _failure(
    made: script.Script,
    result: runner.Result,
    variant: engines.Variant | None,
    budget: int,
) -> Failure:
    wanted = signature(result)
    if result.violations:
        # What happens later does not matter.
        wanted = frozenset([f"violation {result.violations[0].invariant}"])
        made = _until(made, result.violations[0].at)

    def fails(smaller: script.Script) -> bool:
        return bool(wanted & signature(_run(smaller, variant)))

    return Failure(
        seed=made.seed,
        problems=tuple(problems(result)),
        script=shrink.Shrinker(fails, budget).shrink(made),
    )


def _until(made: script.Script, at: float) -> script.Script:
    faults = tuple(
        one for one in made.faults if one.when is not None or one.at <= at
    )
    return dataclasses.replace(made, seconds=at + 1.0, faults=faults)


def _silent(line: str) -> None:
    """Nobody wants to know."""
