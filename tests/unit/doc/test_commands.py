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

"""Every command in the documentation can be typed as it stands there."""

import argparse
import contextlib
import io
import pathlib
import re
import shlex
from collections.abc import Iterator

import testscenarios
from cliff import commandmanager

from nova_ha.cmd import cli
from tests import base

ROOT = pathlib.Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "doc/source").rglob("*.rst"))]

_INLINE = re.compile(r"``(nova-ha [^`]+)``|`(nova-ha [^`]+)`", re.DOTALL)
_TYPED = re.compile(r"(?m)^ +(?:\$ )?(nova-ha (?:.*\\\n)*.*)$")
_MISSING = "the following arguments are required"


class Unknown(Exception):
    """A command or an option that nova-ha does not have."""


def examples(text: str) -> Iterator[tuple[str, bool]]:
    """Each command, and whether it is one to be typed: what is only
    mentioned may leave out what the command needs."""
    for found in _INLINE.finditer(text):
        words = found.group(1) or found.group(2)
        yield " ".join(words.split()), False
    for found in _TYPED.finditer(text):
        yield " ".join(found.group(1).replace("\\\n", " ").split()), True


def arguments(command: str) -> list[str]:
    """What argparse gets: what is in brackets is given, and once; what
    follows is the shell's."""
    ours = re.split(r" [>|] ", command)[0]
    return shlex.split(re.sub(r'[\[\]]|(?<!")\.\.\.', " ", ours))[1:]


def commands() -> commandmanager.CommandManager:
    """Ours, and those that cliff brings."""
    return cli.NovaHa(stdout=io.StringIO()).command_manager


def _is_group(words: list[str]) -> bool:
    """Several commands begin with these words."""
    start = " ".join(words) + " "
    return any(name.startswith(start) for name, _ in commands())


def parse(command: str, *, typed: bool) -> None:
    """:raises Unknown:"""
    app = cli.NovaHa(stdout=io.StringIO(), stderr=io.StringIO())
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        try:
            _, rest = app.parser.parse_known_args(arguments(command))
            if not rest or rest == ["COMMAND"]:
                return
            if not typed and _is_group(rest):
                return
            factory, name, rest = commands().find_command(rest)
            parser = factory(app, None).get_parser(name)
            parser.exit_on_error = True
            parser.parse_args(rest)
        except ValueError as error:
            raise Unknown(str(error)) from None
        except (SystemExit, argparse.ArgumentError):
            said = errors.getvalue()
            if typed or _MISSING not in said:
                raise Unknown(said) from None


class CommandsTest(testscenarios.WithScenarios, base.TestCase):
    scenarios = [
        (str(page.relative_to(ROOT)), {"page": page}) for page in PAGES
    ]

    def test_can_be_typed(self):
        for command, typed in examples(self.page.read_text()):
            try:
                parse(command, typed=typed)
            except Unknown as error:
                self.fail(f"{self.page}: {command}: {error}")


class ReferenceTest(base.TestCase):
    def test_finds_what_is_wrong(self):
        for command in (
            "nova-ha bake",
            "nova-ha host bake",
            "nova-ha status --backwards",
            "nova-ha host maintenance sideways",
        ):
            self.assertRaises(Unknown, parse, command, typed=False)
        self.assertRaises(Unknown, parse, "nova-ha evacuate", typed=True)

    def test_every_command_is_explained_somewhere(self):
        """The reference is generated; this is about how to use it."""
        told = " ".join(
            command
            for page in PAGES
            for command, _ in examples(page.read_text())
        )
        names = [name for name, _ in commands()]
        self.assertNotEqual([], names)
        self.assertEqual(
            [],
            [
                name
                for name in names
                if f"nova-ha {name}" not in told
                and name not in ("help", "complete")
            ],
        )
