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

"""``nova-ha simulate fuzz``: random faults, and all that must hold."""

import argparse
import json

from nova_ha import exception
from nova_ha.cmd.commands import base
from nova_ha.sim import fuzz
from nova_ha.sim import script_dump


class Fuzz(base.Command):
    """Throw random faults at clouds, and check every invariant.

    Each seed is a run of its own: some minutes of trouble, and a calm after
    it in which every case must end. Of a seed that fails, the smallest
    script that fails alike is shown: 'nova-ha simulate run' takes it. The
    last line is JSON. Exit status: 0: all hold; 1: a seed has failed.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--seeds",
            type=_count,
            default=20,
            metavar="N",
            help="How many runs (20).",
        )
        parser.add_argument(
            "--first",
            type=_count,
            default=1,
            metavar="SEED",
            help="The first seed (1); the others follow it.",
        )
        parser.add_argument(
            "--hosts",
            type=_count,
            default=6,
            metavar="H",
            help="The most hosts that a cloud has (6).",
        )
        parser.add_argument(
            "--minutes",
            type=float,
            default=3.0,
            metavar="M",
            help="How long there is trouble in each run (3).",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        if parsed_args.minutes <= 0.0:
            raise exception.ConfigError("--minutes", "must be more than 0")
        first = parsed_args.first
        result = fuzz.run(
            range(first, first + parsed_args.seeds),
            parsed_args.hosts,
            parsed_args.minutes,
            self.note,
        )
        for failure in result.failures:
            self._tell(failure)
        self.say(json.dumps(result.summary()))
        if not result.ok:
            self.exit_status = base.ATTENTION

    def _tell(self, failure: fuzz.Failure) -> None:
        self.say(f"# Seed {failure.seed} fails:")
        for problem in failure.problems:
            self.say(f"#   {problem}")
        self.say(script_dump.dump(failure.script))


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
