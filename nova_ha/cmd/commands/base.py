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

"""What all commands of ``nova-ha`` do alike: output, errors, exit status."""

import abc
import argparse
import contextlib
import getpass
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml
from cliff import columns
from cliff import command
from cliff import lister
from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import operator as assembly
from nova_ha.assembly import tree_store
from nova_ha.rpc import client

LOG = logging.getLogger(__name__)

ATTENTION = 1
"""Exit status: the answer is known, and it is not good."""

ERROR = 2
"""Exit status: there is no answer."""


class Context:
    """What a command works with; made once, and only where needed.

    :param arguments: of oslo.config, such as ``--config-file``.
    :param by: who says so; the user who runs the command unless given.
    :param direct: go to ZooKeeper, also where engines could be asked.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        clock: nova_clock.Clock,
        by: str = "",
        direct: bool = False,
    ) -> None:
        self.conf = conf
        self._direct = direct
        self.clock = clock
        self.by = by or _user()

    @contextlib.contextmanager
    def store(self, *, checked: bool = True) -> Iterator[assembly.Store]:
        """What ZooKeeper holds, for as long as the context lasts: by way of
        the engines where they serve commands, unless told otherwise.

        :param checked: see :func:`nova_ha.assembly.tree_store.open_store`.
        :raises NovaHaError: it cannot be reached with these settings.
        """
        store = self._open(checked)
        try:
            yield store
        finally:
            store.close()

    def _open(self, checked: bool) -> assembly.Store:
        if self.conf.rpc.enabled and not self._direct:
            return client.open_store(self.conf, self.clock, self.by)
        return tree_store.open_store(self.conf, self.clock, checked=checked)


def _user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


class Command(command.Command):
    """A command whose expected errors are one line and status 2."""

    exit_status = 0
    """What a command that succeeds ends with."""

    @property
    def context(self) -> Context:
        return cast(Context, cast(Any, self.app).context)

    def run(self, parsed_args: argparse.Namespace) -> int:
        try:
            return super().run(parsed_args) or self.exit_status
        except (exception.NovaHaError, cfg.Error) as error:
            return self.refuse(str(error))
        except (BrokenPipeError, argparse.ArgumentError):
            raise
        except Exception as error:
            # Not foreseen. "Cannot tell" must not look like "attention".
            if self.app.options.debug:
                LOG.exception("Unexpected")
            return self.refuse(
                f"unexpected {type(error).__name__}: {error} (--debug tells "
                "more)"
            )

    def refuse(self, why: str) -> int:
        """Say why not; returns the exit status."""
        print(f"ERROR: {why}", file=self.app.stderr)
        return ERROR

    def say(self, text: str) -> None:
        print(text, file=self.app.stdout)

    def note(self, text: str) -> None:
        """Tell of something that is not the answer."""
        print(text, file=self.app.stderr, flush=True)


class Lister(Command, lister.Lister, metaclass=abc.ABCMeta):
    """A command whose answer is a table."""


class Report(Command, metaclass=abc.ABCMeta):
    """A command whose answer is a text for people, or one object."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "-f",
            "--format",
            choices=("table", "json", "yaml"),
            default="table",
            help="table: for people (the default); json, yaml: one object "
            "with the same content.",
        )
        return parser

    def show(
        self,
        parsed_args: argparse.Namespace,
        data: Mapping[str, Any],
        text: str,
    ) -> None:
        """Write the answer in the format asked for."""
        if parsed_args.format == "json":
            self.say(json.dumps(data, indent=2))
        elif parsed_args.format == "yaml":
            self.say(yaml.safe_dump(data, sort_keys=False).rstrip("\n"))
        else:
            self.say(text)


class Maybe(columns.FormattableColumn[Any]):
    """A cell that may be empty: ``-`` for people, null for programs."""

    def human_readable(self) -> str:
        return "-" if self._value in (None, "") else str(self._value)


class Choice(columns.FormattableColumn[bool]):
    """Yes or no for people, true or false for programs."""

    def human_readable(self) -> str:
        return "yes" if self._value else "no"


def interactive() -> bool:
    """Whether somebody sits at the other end and can answer."""
    return sys.stdin is not None and sys.stdin.isatty()
