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

"""``nova-ha watch``: the status as it changes."""

import argparse
import threading
from collections.abc import Iterator, Mapping

from nova_ha import exception
from nova_ha.assembly import operator as assembly
from nova_ha.cmd import process
from nova_ha.cmd import render
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import overview as overview_module
from nova_ha.cmd.commands import recoveries
from nova_ha.cmd.commands import summary as summary_module
from nova_ha.cmd.commands.overview import Overview
from nova_ha.core import model
from nova_ha.core import policy as policy_mod

INTERVAL = 1.0
"""Seconds between two looks."""

_HOME = "\x1b[H\x1b[J"
"""ECMA-48: cursor to the upper left, erase from there to the end."""

Lines = Mapping[str, str]
"""What a viewer may want to know of, by what it is about."""


class Watch(base.Command):
    """Show the status as it changes, until interrupted.

    On a terminal it is drawn anew each second: hosts, cases with the progress
    of their instances, and the soak time left. Otherwise each change is one
    line, with its time.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--interval",
            type=_interval,
            default=INTERVAL,
            metavar="SECONDS",
            help="Time between two looks (1).",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        return follow(self, parsed_args.interval)


def _interval(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError("between 0.1 and 3600 seconds")
    return value


def follow(command: base.Command, interval: float) -> int:
    """Show changes until interrupted; returns the exit status."""
    context = command.context
    policy = assembly.policy(context.conf)
    stdout = command.app.stdout
    view: _Screen | _Log
    view = (
        _Screen(command, policy) if stdout.isatty() else _Log(command, policy)
    )
    stopped = threading.Event()
    with context.store() as store:

        def look_again_and_again() -> None:
            while not stopped.is_set():
                try:
                    picture = store.picture()
                    view.show(overview_module.overview(picture, policy))
                except exception.CoordinationUnavailable as error:
                    view.blind(str(error))
                context.clock.wait(stopped, interval)

        # A KeyboardInterrupt may come where Python can only ignore it.
        process.run_until_signalled(look_again_and_again, stopped.set)
    return 0


class _Screen:
    """Draws everything anew."""

    def __init__(
        self, command: base.Command, policy: policy_mod.Policy
    ) -> None:
        self._command = command
        self._policy = policy
        self._last = ""

    def show(self, summary: Overview) -> None:
        self._last = screen(summary, self._policy)
        self._draw(self._last)

    def blind(self, why: str) -> None:
        self._draw(f"{self._last}\n\nNOT UP TO DATE: {render.plain(why)}")

    def _draw(self, text: str) -> None:
        stdout = self._command.app.stdout
        stdout.write(f"{_HOME}{text}\n")
        stdout.flush()


class _Log:
    """Writes a line for each change."""

    def __init__(
        self, command: base.Command, policy: policy_mod.Policy
    ) -> None:
        self._command = command
        self._policy = policy
        self._before: Lines = {}
        self._blind = ""

    def show(self, summary: Overview) -> None:
        now = lines(summary)
        for line in changes(self._before, now):
            self._write(line)
        if self._blind:
            self._blind = ""
            self._write("answered again")
        self._before = now

    def blind(self, why: str) -> None:
        if why != self._blind:
            self._blind = why
            self._write(f"no answer: {why}")

    def _write(self, line: str) -> None:
        at = render.utc(self._command.context.clock.utcnow())
        stdout = self._command.app.stdout
        stdout.write(f"{at} {render.plain(line)}\n")
        stdout.flush()


# -- a screen ----------------------------------------------------------------


def screen(summary: Overview, policy: policy_mod.Policy) -> str:
    """The live view of a terminal."""
    parts = [summary_module.text(summary)]
    cases = recoveries.by_age(summary.picture.cases.values())
    parts += ["\n".join(_case(case, summary, policy)) for case in cases]
    return "\n\n".join(parts)


def _case(
    case: model.RecoveryCase, summary: Overview, policy: policy_mod.Policy
) -> Iterator[str]:
    now = summary.picture.at
    age = render.age(case.opened_at, now)
    yield render.plain(f"{case.host}: {case.state.value}, opened {age} ago")
    done, total = recoveries.moved(case)
    if total:
        yield f"  moved {render.bar(done, total)}"
    left = recoveries.soak_left(case, now, policy.soak_time)
    if left is not None:
        soaked = int(policy.soak_time - left)
        yield (
            f"  soak  {render.bar(soaked, int(policy.soak_time))} "
            f"{left:.0f} s left"
        )
    for move in case.moves:
        if not move.final:
            yield "  " + render.plain(_move(move))


def _move(move: model.Move) -> str:
    target = f" to {move.target}" if move.target else ""
    why = f": {move.reason}" if move.reason else ""
    return f"{move.name or move.instance} {move.state.value}{target}{why}"


# -- lines -------------------------------------------------------------------


def lines(summary: Overview) -> Lines:
    """What the line view compares from look to look."""
    picture = summary.picture
    found = {
        "switches": summary_module.switches_in_words(picture.control),
        "engines": summary_module.engines_in_words(summary),
    }
    for host in overview_module.names(picture):
        verdict = overview_module.judged(picture, host)
        found[f"host {host}"] = (
            f"{overview_module.state(verdict)} ({verdict.reason.value})"
        )
    for case in picture.cases.values():
        held = f", held ({case.hold.value})" if case.hold else ""
        message = f": {case.message}" if case.message else ""
        found[f"case {case.host}"] = f"{case.state.value}{held}{message}"
        if case.moves:
            found[f"instances {case.host}"] = recoveries.progress(case)
        for move in case.moves:
            found[f"instance {case.host} {move.instance}"] = _move(move)
    return found


def changes(before: Lines, now: Lines) -> list[str]:
    """A line for each difference, sorted by what it is about."""
    found = [
        f"{about}: {now.get(about, 'over')}"
        for about in sorted({*before, *now})
        if before.get(about) != now.get(about)
    ]
    # An instance of a case that is over has nothing more to say.
    return [
        line
        for line in found
        if not (line.startswith("instance") and line.endswith(": over"))
    ]
