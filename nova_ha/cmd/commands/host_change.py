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

"""``nova-ha host ...``: what operators lay down about a hypervisor."""

import argparse

from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import host as host_module
from nova_ha.core import leftovers
from nova_ha.core.model import HostName


class Maintenance(base.Command):
    """Take a host out, or bring it back.

    A host in maintenance is neither judged nor fenced, gets no new instances,
    and its open case waits. It is unbounded: bring it back yourself.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("switch", choices=("on", "off"))
        parser.add_argument("host", metavar="HOST")
        parser.add_argument(
            "--reason",
            default="",
            help="Why; shown to everybody who looks at the host.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        host = HostName(parsed_args.host)
        on = parsed_args.switch == "on"
        with self.context.store() as store:
            host_module.known(store.picture(), host)
            record = store.maintenance(
                host, on, by=self.context.by, reason=parsed_args.reason
            )
        if on:
            self.say(f"{host} is in maintenance: {record.maintenance}")
        else:
            self.say(f"{host} is back: it is judged like any other host")


class Release(base.Command):
    """Give a host back that waits for an operator's decision.

    It is taken out of quarantine: its failures so far are forgotten. Instances
    that could not be evacuated stay on it. What nova_ha had disabled in Nova
    for either is enabled again, once the host is there.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        host = HostName(parsed_args.host)
        with self.context.store() as store:
            picture = store.picture()
            host_module.known(picture, host)
            case = picture.cases.get(host)
            released = store.release(host, by=self.context.by)
        left = () if case is None else leftovers.undecided(case)
        if left:
            self.say(f"{leftovers.names(left)} stay on {host}")
        if released is not None:
            self.say(f"{host} is out of quarantine ({released.reason})")
        elif not left:
            self.say(f"{host} waits for no decision")


class Domains(base.Command):
    """Say what a host has in common with others.

    Hosts of one failure domain share a rack, a power feed or a switch: if all
    of them fall silent at once, nova_ha asks for a second sign. Hosts of one
    storage domain see the same instances path: instances are evacuated within
    it. An empty name means none.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        parser.add_argument("--failure", metavar="DOMAIN")
        parser.add_argument("--storage", metavar="DOMAIN")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        host = HostName(parsed_args.host)
        with self.context.store() as store:
            host_module.known(store.picture(), host)
            record = store.domains(
                host, failure=parsed_args.failure, storage=parsed_args.storage
            )
        self.say(
            f"{host}: failure domain {record.failure_domain or 'none'}, "
            f"storage domain {record.storage_domain or 'none'}"
        )


class Reserve(base.Command):
    """Keep a host free for evacuated instances.

    New instances are kept away by nova-scheduler, where ReservedHostFilter is
    enabled. Evacuated ones go there once no other host has room for them, or
    where nova-ha evacuate names it. Instances that run there stay.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST")
        parser.add_argument(
            "--off",
            action="store_true",
            help="Give it back to all instances.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        host = HostName(parsed_args.host)
        with self.context.store() as store:
            host_module.known(store.picture(), host)
            record = store.reserve(host, not parsed_args.off)
        if record.reserved:
            self.say(f"{host} is reserved: it takes evacuated instances only")
        else:
            self.say(f"{host} is not reserved: it takes all instances")
