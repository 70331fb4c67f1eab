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

from nova_ha import exception
from nova_ha.assembly import nova as assembly
from nova_ha.cmd.commands import base
from nova_ha.cmd.commands import drain
from nova_ha.cmd.commands import host as host_module
from nova_ha.core import leftovers
from nova_ha.core.model import HostName


class Maintenance(base.Command):
    """Take a host out, or bring it back.

    A host in maintenance is neither judged nor fenced, gets no new instances,
    and its open case waits. It is unbounded: bring it back yourself. With
    --drain its nova-compute is disabled, too, until 'off', and its instances
    are live-migrated to where Nova wants them. Exit status: 0: done, and with
    --drain, the host is empty; 1: instances are left on it; 2: an error.
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
        parser.add_argument(
            "--drain",
            action="store_true",
            help="With 'on': move its instances away and show the progress. "
            "Ctrl-C begins no further move.",
        )
        parser.add_argument(
            "--cold",
            action="store_true",
            help="With --drain: also what is stopped, by cold migration, "
            "which is confirmed at once.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        host = HostName(parsed_args.host)
        if parsed_args.switch == "off":
            self._off(host)
            return 0
        if parsed_args.drain:
            return self._drain(host, parsed_args)
        self._on(host, parsed_args.reason)
        return 0

    def _on(self, host: HostName, reason: str) -> str:
        with self.context.store() as store:
            host_module.known(store.picture(), host)
            record = store.maintenance(
                host, True, by=self.context.by, reason=reason
            )
        self.say(f"{host} is in maintenance: {record.maintenance}")
        return record.maintenance

    def _drain(self, host: HostName, parsed_args: argparse.Namespace) -> int:
        """:raises NovaHaError: before anything has been changed, if Nova
        cannot be asked or the host is not up."""
        compute = assembly.open_compute(self.context.conf, self.context.clock)
        service = drain.live_service(compute, host)
        why = self._on(host, parsed_args.reason)
        self._say_of_nova(host, drain.close(compute, service, why))
        return drain.Drain(
            self, compute, compute, host, cold=parsed_args.cold
        ).run()

    def _off(self, host: HostName) -> None:
        with self.context.store() as store:
            host_module.known(store.picture(), host)
            store.maintenance(host, False, by=self.context.by, reason="")
        self.say(f"{host} is back: it is judged like any other host")
        try:
            compute = assembly.open_compute(
                self.context.conf, self.context.clock
            )
        except exception.ConfigError:
            return  # nobody has drained it from here
        try:
            self._say_of_nova(host, drain.reopen(compute, host))
        except exception.ComputeError as error:
            raise exception.ComputeError(
                f"whether its nova-compute is disabled is not known: {error}; "
                "run it again"
            ) from None

    def _say_of_nova(self, host: HostName, words: str) -> None:
        if words:
            self.say(f"the nova-compute of {host} {words}")


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
