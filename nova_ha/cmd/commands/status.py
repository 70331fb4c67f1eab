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

"""``nova-ha status``: what is going on, and what to do."""

import argparse

from nova_ha.assembly import operator as assembly
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import overview as overview_module
from nova_ha.cmd.commands import summary as summary_module
from nova_ha.cmd.commands import watch


class Status(base.Report):
    """Tell what is going on and what to do.

    Exit status: 0: all is well; 1: something needs attention or is under
    way; 2: an error - it is not known how things are.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--watch",
            action="store_true",
            help="Go on showing it; the same as nova-ha watch.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if parsed_args.watch:
            return watch.follow(self, interval=watch.INTERVAL)
        policy = assembly.policy(self.context.conf)
        with self.context.store() as store:
            summary = overview_module.overview(store.picture(), policy)
        self.show(
            parsed_args,
            summary_module.data(summary),
            summary_module.text(summary),
        )
        return 0 if summary.well else base.ATTENTION
