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


"""Reads a YAML file that holds secrets, and remembers where things stand.

Errors name file, line and key, and never quote a value: a password that is
not quoted properly is a common error, and must not reach the log by it.
"""

import dataclasses
import os
import re
import stat

import yaml

from nova_ha import exception

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 12
MAX_ITEMS = 200_000  # aliases of aliases can make few bytes very many

Scalar = str | int | float | bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file."""

    file: str
    line: int
    key: str = ""

    def error(self, problem: str, remedy: str = "") -> exception.ConfigError:
        """An error about this place, to be raised."""
        where = f"{self.file}:{self.line}"
        option = f"{where}: {self.key}" if self.key else where
        return exception.ConfigError(option, problem, remedy)

    def below(self, key: str, line: int) -> "Place":
        """The place of something inside this one."""
        path = f"{self.key}.{key}" if self.key else key
        return Place(self.file, line, path)


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """A value and where it stands. Its repr does not show the value."""

    value: "Scalar | list[Item] | dict[str, Item]" = dataclasses.field(
        repr=False
    )
    place: Place

    def mapping(self) -> "dict[str, Item]":
        """:raises ConfigError: it is none."""
        if not isinstance(self.value, dict):
            raise self.place.error("must be a mapping (key: value)")
        return self.value

    def sequence(self) -> "list[Item]":
        """:raises ConfigError: it is none."""
        if not isinstance(self.value, list):
            raise self.place.error("must be a list ([a, b])")
        return self.value

    def text(self) -> str:
        """:raises ConfigError: it is no string, or an empty one."""
        if not isinstance(self.value, str) or not self.value:
            raise self.place.error("must be a string", "quote it")
        return self.value


def read_private(path: str, option: str) -> str:
    """Read a text file that nobody but its owner may read or write.

    :param option: what names the file, for the error.
    :raises ConfigError: missing, unreadable, too open, too big or no text.
    """
    try:
        with open(path, "rb") as stream:
            _check_private(os.fstat(stream.fileno()), path, option)
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise exception.ConfigError(
            option,
            f"{path} cannot be read: {error.strerror}",
            "create it, readable only by the user that runs nova-ha",
        ) from None
    if len(content) > MAX_BYTES:
        raise exception.ConfigError(option, f"{path} is too big")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise exception.ConfigError(
            option, f"{path} is not UTF-8 text"
        ) from None


def _check_private(status: os.stat_result, path: str, option: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise exception.ConfigError(option, f"{path} is not a regular file")
    mode = stat.S_IMODE(status.st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise exception.ConfigError(
            option,
            f"{path} has mode {mode:04o}: it holds secrets and others than "
            "its owner have access",
            f"chmod 600 {path}",
        )


def load(path: str, option: str) -> Item:
    """Read and parse a private YAML file.

    :raises ConfigError: see :func:`read_private`; or not plain YAML.
    """
    return parse(read_private(path, option), path)


def parse(text: str, path: str) -> Item:
    """Parse YAML that stands in a file.

    :raises ConfigError: it is empty, or not plain YAML.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise Place(path, 1).error("is empty")
        return _Reader(loader, path).item(node, Place(path, _line(node)), 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Place(path, line).error(
            f"is not valid YAML: {_unquoted(error.problem)}",
            "quote strings that hold special characters",
        ) from None
    except yaml.YAMLError:
        raise Place(path, 1).error(
            "is not valid YAML: it holds a character that YAML forbids"
        ) from None
    except RecursionError:
        raise Place(path, 1).error("is nested too deeply") from None


class _Reader:
    """Turns YAML nodes into items, with the safe loader's own types."""

    def __init__(self, loader: yaml.SafeLoader, path: str) -> None:
        self._loader = loader
        self._path = path
        self._count = 0
        self._merged: set[int] = set()

    def item(self, node: yaml.Node, place: Place, depth: int) -> Item:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_ITEMS:
            raise place.error("is nested too deeply, or too big")
        if isinstance(node, yaml.MappingNode):
            return Item(self._mapping(node, place, depth), place)
        if isinstance(node, yaml.SequenceNode):
            items = [
                self.item(
                    child, place.below(str(index), _line(child)), depth + 1
                )
                for index, child in enumerate(node.value)
            ]
            return Item(items, place)
        value = self._loader.construct_object(node)
        if value is None or isinstance(value, str | int | float | bool):
            return Item(value, place)
        raise place.error("has a type that is not used here", "quote it")

    def _mapping(
        self, node: yaml.MappingNode, place: Place, depth: int
    ) -> dict[str, Item]:
        if id(node) not in self._merged:
            self._check_twice(node, place)
            self._loader.flatten_mapping(node)
            self._merged.add(id(node))
        items: dict[str, Item] = {}
        for key_node, child in node.value:
            key = self._key(key_node, place)
            items[key] = self.item(
                child, place.below(key, _line(key_node)), depth + 1
            )
        return items

    def _check_twice(self, node: yaml.MappingNode, place: Place) -> None:
        # Before merging (<<): a merged key may be overridden, a key that is
        # written twice is an error that YAML itself does not report.
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self._key(key_node, place)
            if key in seen:
                raise place.below(key, _line(key_node)).error(
                    "stands here for the second time", "remove one of them"
                )
            seen.add(key)

    def _key(self, node: yaml.Node, place: Place) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        raise Place(self._path, _line(node), place.key).error(
            "a key must be a string"
        )


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _unquoted(problem: str | None) -> str:
    """PyYAML's words without what they quote from the file."""
    text = (problem or "syntax error").replace("\n", " ")
    return re.sub(r"""(['"]).*\1""", "'...'", text)
