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

"""``nova-ha``: the operator's command."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from cliff import app as cliff_app
from cliff import commandmanager
from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha import version
from nova_ha.assembly import notify
from nova_ha.cmd import process
from nova_ha.cmd.commands import base
from nova_ha.conf import engine as engine_conf
from nova_ha.conf import fencing as fencing_conf
from nova_ha.conf import rpc as rpc_conf
from nova_ha.conf import zookeeper as zookeeper_conf

PROGRAM = "nova-ha"
NAMESPACE = "nova_ha.cli"

OPERATOR_FILE = "/etc/nova-ha/operator.conf"
"""Read after nova-ha.conf where it exists: the operator's credentials, beside
an engine's in the same directory."""

_DESCRIPTION = f"""Shows what nova_ha is doing, and tells it what it may do.
Begin with 'nova-ha status'. Configuration: --config-file, or
/etc/nova-ha/nova-ha.conf and then {OPERATOR_FILE}. It needs the [zookeeper]
username 'operator'."""

_PACKAGE = "nova_ha"
_KAZOO = "nova_ha.coordination.kazoo"
_KEYSTONE = "keystoneauth"
_BUS = ("oslo.messaging", "oslo_messaging", "amqp", "kombu")


class NovaHa(cliff_app.App):
    """The command line, and what its commands work with."""

    NAME = PROGRAM

    def __init__(self, **streams: Any) -> None:
        super().__init__(
            description=_DESCRIPTION,
            version=version.version_string(),
            command_manager=commandmanager.CommandManager(NAMESPACE),
            deferred_help=True,
            **streams,
        )
        self._context: base.Context | None = None

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, Any] | None = None,
    ) -> argparse.ArgumentParser:
        parser = super().build_option_parser(
            # A prefix could be taken for an option of the command.
            description,
            version,
            {"allow_abbrev": False, **(argparse_kwargs or {})},
        )
        parser.add_argument(
            "--config-file",
            action="append",
            default=[],
            metavar="FILE",
            help="Configuration file; may be repeated, the last one wins.",
        )
        parser.add_argument(
            "--config-dir",
            action="append",
            default=[],
            metavar="DIRECTORY",
            help="Directory with *.conf files; may be repeated.",
        )
        parser.add_argument(
            "--as",
            dest="by",
            default="",
            metavar="NAME",
            help="Who does it, for the record; user@machine by default.",
        )
        parser.add_argument(
            "--direct",
            action="store_true",
            help="Go to ZooKeeper with the operator's credentials, where "
            "[rpc] enabled has the engines asked otherwise: for when the "
            "message bus or Keystone is down.",
        )
        return parser

    def configure_logging(self) -> None:
        super().configure_logging()
        if self.options.verbose_level <= self.DEFAULT_VERBOSE_LEVEL:
            # The answer is what was asked for, not how it came about.
            logging.getLogger(_PACKAGE).setLevel(logging.ERROR)
            # That there is no connection is told by the command itself.
            logging.getLogger(_KAZOO).setLevel(logging.CRITICAL)
            logging.getLogger(_KEYSTONE).setLevel(logging.ERROR)
            for name in _BUS:
                logging.getLogger(name).setLevel(logging.CRITICAL)

    def initialize_app(self, argv: list[str]) -> None:
        if not argv and not self.options.deferred_help:
            self.parser.error(f"which command? See {PROGRAM} --help")

    @property
    def context(self) -> base.Context:
        """Settings, clock and operator; read when a command needs them.

        :raises cfg.Error: the configuration cannot be read.
        """
        if self._context is None:
            self._context = base.Context(
                configuration(
                    self.options.config_file, self.options.config_dir
                ),
                nova_clock.SystemClock(),
                self.options.by,
                self.options.direct,
            )
        return self._context


def default_files() -> list[str]:
    """What is read where no file is named: the engine's configuration, then
    the operator's own."""
    found = cfg.find_config_files(project=process.PROJECT, prog=PROGRAM)
    found += [OPERATOR_FILE] if os.path.exists(OPERATOR_FILE) else []
    # oslo.config finds a file once for the project and once for the program,
    # which have one name; what may be given several times would be doubled.
    return list(dict.fromkeys(found))


def configuration(
    files: Sequence[str] = (), directories: Sequence[str] = ()
) -> cfg.ConfigOpts:
    """Read the configuration.

    :raises cfg.Error: a file is missing or malformed.
    """
    conf = cfg.ConfigOpts()
    for module in (zookeeper_conf, engine_conf, fencing_conf, rpc_conf):
        module.register_opts(conf)
    notify.register_opts(conf)
    used = list(files)
    if not files and not directories:
        used = default_files()
    arguments = [f"--config-dir={one}" for one in directories]
    conf(
        arguments,
        project=process.PROJECT,
        prog=PROGRAM,
        default_config_files=used,
    )
    return conf


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return NovaHa().run(list(given))


if __name__ == "__main__":
    sys.exit(main())
