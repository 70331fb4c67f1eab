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

"""``nova-ha zk ...``: the tree in ZooKeeper."""

import argparse

from nova_ha.assembly import credentials
from nova_ha.assembly import tree
from nova_ha.cmd.commands import base


class Init(base.Command):
    """Make the tree with its access lists, or mend them.

    May be repeated at any time; what is there stays. The operator's password
    is that of the configuration; it need not be given, and cannot be changed
    here. The other roles' can.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--role-password-file",
            action="append",
            default=[],
            metavar="ROLE=FILE",
            dest="files",
            help="File with the password of a role: engine, agent, "
            "scheduler or operator. Once for each.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        conf = self.context.conf
        done = tree.init_tree(conf, self.context.clock, parsed_args.files)
        for path in done.created:
            self.say(f"created  {path}")
        for path in done.secured:
            self.say(f"secured  {path}")
        if not done.created and not done.secured:
            self.say("Nothing was to be done: the tree is as it should be.")


class Check(base.Command):
    """Tell whether the tree can be used, and nobody else can write to it."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        found = tree.check_tree(self.context.conf, self.context.clock)
        self.say(
            "The tree is as it should be. A session of "
            f"{self.context.conf.zookeeper.session_timeout:g} s was asked "
            f"for, {found.session_timeout:g} s are granted."
        )
        sharing = tree.who_shares(found.hosts)
        if sharing:
            self.say(f"But {sharing}")
            self.exit_status = base.ATTENTION


class Enrol(base.Command):
    """Give hypervisors credentials of their own, each in a private file.

    The file, HOST.password, is for that host's agent and nobody else: there
    it is [zookeeper] host_password_file. May be repeated at any time; from
    then on the old credential of the host writes nothing.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "hosts",
            nargs="+",
            metavar="HOST",
            help="Name of the Nova service, exactly as the agent has it in "
            "[DEFAULT] host.",
        )
        parser.add_argument(
            credentials.DIRECTORY_OPTION,
            default=".",
            metavar="DIR",
            help="Where the files are written; here by default. Made, for you "
            "alone, if it is not there.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        for path in credentials.enrol(
            self.context.conf,
            self.context.clock,
            parsed_args.hosts,
            parsed_args.directory,
        ):
            self.say(f"written  {path}")


class Revoke(base.Command):
    """Take hypervisors' credentials away, and what was said with them.

    From then on nobody speaks for the host, until it is enrolled again: for
    a stolen credential, and for a host that is gone for good. One that still
    runs instances is missed by the engine: put it into maintenance before.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("hosts", nargs="+", metavar="HOST")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        conf, clock = self.context.conf, self.context.clock
        credentials.revoke(conf, clock, parsed_args.hosts)
        for host in parsed_args.hosts:
            self.say(f"revoked  {host}")
