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

"""``nova-ha simulate``: rehearse failures in a cloud that does not exist."""

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nova_ha.cmd.commands import base
from nova_ha.sim import golden
from nova_ha.sim import runner
from nova_ha.sim import script
from nova_ha.sim import script_file
from nova_ha.sim import timeline
from nova_ha.sim import verb as verb_mod
from nova_ha.sim import verbs

COLUMNS = ("About", "Verb", "Hits", "For", "What it does", "Parameters")

_PLAIN_WIDTH = 100
"""Columns of a timeline where no terminal says how many it has."""


class Run(base.Command):
    """Run fault scripts, and check every invariant at every step.

    PATH is a script, a folder that holds a script.yaml, or a folder of such
    folders. Without --check, --update or -f json the trace of each run is
    shown. Exit status: 0: all is well; 1: an invariant was violated, the end
    is not as expected, or a trace is not the one in trace.txt; 2: a script
    cannot be used.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("paths", metavar="PATH", nargs="+")
        parser.add_argument(
            "--policy",
            default="",
            metavar="FILE",
            help="Settings instead of the script's own: YAML, or your "
            "nova-ha.conf.",
        )
        parser.add_argument(
            "--seed",
            type=int,
            metavar="N",
            help="Of all chance, instead of the script's own.",
        )
        parser.add_argument(
            "--timeline",
            action="store_true",
            help="Draw what happened to each host over time.",
        )
        parser.add_argument(
            "-f",
            "--format",
            choices=("text", "json"),
            default="text",
            help="json: one line with the outcome of all runs.",
        )
        _add_trace_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        # All of them first: a mistake in the last is told at once.
        scripts = {
            file: script_file.load(file, parsed_args.policy, parsed_args.seed)
            for file in script_file.find(parsed_args.paths)
        }
        outcomes = [
            self._run(file, made, parsed_args)
            for file, made in self._counted(scripts)
        ]
        total = _total(outcomes)
        if parsed_args.format == "json":
            self.say(json.dumps(total))
        elif len(outcomes) > 1:
            good = len(outcomes) - total["failed"]
            self.say(f"{good} of {len(outcomes)} are OK")
        if total["failed"]:
            self.exit_status = base.ATTENTION

    def _counted(
        self, scripts: Mapping[str, script.Script]
    ) -> Iterator[tuple[str, script.Script]]:
        """Tells of the progress where somebody watches."""
        shown = len(scripts) > 1 and self.app.stderr.isatty()
        for number, (file, made) in enumerate(scripts.items(), 1):
            if shown:
                self.note(f"{number} of {len(scripts)}: {made.name}")
            yield file, made

    def _run(
        self,
        file: str,
        made: script.Script,
        parsed_args: argparse.Namespace,
    ) -> dict[str, Any]:
        result = runner.run(made)
        trace = result.trace
        changes = golden.differences(file, trace) if parsed_args.check else []
        if parsed_args.update and golden.write(file, trace):
            self.note(f"{golden.path(file)} is new")
        ok = result.ok and not changes
        if parsed_args.format == "text":
            quiet = parsed_args.check or parsed_args.update
            self._show(result, changes if quiet else trace)
            if parsed_args.timeline:
                self._draw(result)
            self._conclude(result, ok)
        return _outcome(result, ok, changes)

    def _show(self, result: runner.Result, lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line)

    def _draw(self, result: runner.Result) -> None:
        columns, _ = shutil.get_terminal_size((_PLAIN_WIDTH, 0))
        drawn = timeline.Timeline(
            result.entries, result.script.seconds, columns
        )
        self.say("\n".join(drawn.lines))

    def _conclude(self, result: runner.Result, ok: bool) -> None:
        for problem in result.problems:
            self.say(f"!!!! {problem}")
        for stuck in result.stuck:
            self.say(
                f"still open: {stuck.host} {stuck.state.value}: "
                f"{stuck.message}"
            )
        self.say(
            f"{'OK' if ok else 'FAILED'}  {result.script.name}: "
            f"{result.script.seconds / 60:g} min, seed {result.script.seed}, "
            f"{result.faults} faults, {result.steps} steps"
        )


def _add_trace_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--check",
        action="store_true",
        help="Compare each trace with trace.txt beside its script; only "
        "differences are shown.",
    )
    group.add_argument(
        "--update",
        action="store_true",
        help="Write trace.txt anew where it differs.",
    )


def _outcome(
    result: runner.Result, ok: bool, changes: Sequence[str]
) -> dict[str, Any]:
    return {
        "script": result.script.name,
        "ok": ok,
        "seed": result.script.seed,
        "steps": result.steps,
        "faults": result.faults,
        "violations": [str(one).strip() for one in result.violations],
        "undetectable": [str(one).strip() for one in result.undetectable],
        "not_as_expected": list(result.failed),
        "mistakes": list(result.mistakes),
        "stuck_cases": [one.host for one in result.stuck],
        "trace_differs": bool(changes),
    }


def _total(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "scripts": len(outcomes),
        "failed": sum(not one["ok"] for one in outcomes),
        "steps": sum(one["steps"] for one in outcomes),
        "faults": sum(one["faults"] for one in outcomes),
        "violations": sum(len(one["violations"]) for one in outcomes),
        "stuck_cases": sum(len(one["stuck_cases"]) for one in outcomes),
        "results": list(outcomes),
    }


class Faults(base.Lister):
    """List what can go wrong in a fault script, and how it is written."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
        return COLUMNS, [
            _row(about, verb)
            for about, group in verbs.GROUPS.items()
            for verb in group
        ]


def _row(about: str, verb: verb_mod.Verb) -> Sequence[str]:
    return (
        about,
        verb.name,
        verb.target.value,
        "yes" if verb.ends else "-",
        verb.help,
        "\n".join(map(verb_mod.describe, verb.parameters)) or "-",
    )
