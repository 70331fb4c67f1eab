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

"""What a device may be configured with: typed parameters and secrets."""

import dataclasses
import enum
import math
from collections.abc import Callable, Iterator, Mapping


class Secret:
    """A password that does not show itself.

    ``repr()`` and ``str()`` give asterisks, so that a log line or a traceback
    that happens to hold one tells nothing.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The password itself: for a library call, never for a message."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


Value = str | int | float | bool | Secret | None


class Kind(enum.StrEnum):
    """Type of a parameter."""

    TEXT = "a string"
    INTEGER = "an integer"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    SECRET = "a string (secret)"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a driver, as ``fencing.yaml`` may set it.

    A secret can also be given as ``<name>_file`` (a file with nothing but
    the secret) or ``<name>_env`` (an environment variable's name).

    :ivar check: says what is wrong with a text, or gives None.
    :ivar barred: why it must not be set at all; empty where it may be.
    """

    name: str
    help: str
    kind: Kind = Kind.TEXT
    required: bool = False
    default: Value = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[str], str | None] | None = None
    barred: str = ""

    def convert(self, raw: object) -> Value:
        """Turn a value of the file into one of this kind.

        :raises ValueError: it is not; the message never holds the value of
            a secret.
        """
        if self.barred:
            raise ValueError(self.barred)
        value = _CONVERTERS[self.kind](raw)
        if isinstance(value, str):
            self._check_text(value)
        elif isinstance(value, int | float):
            self._check_range(value)
        return value

    def _check_text(self, value: str) -> None:
        if self.choices and value not in self.choices:
            raise ValueError(
                f"{value!r} is not one of {', '.join(self.choices)}"
            )
        problem = self.check(value) if self.check else None
        if problem:
            raise ValueError(problem)

    def _check_range(self, value: float) -> None:
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"{value} is less than {self.minimum:g}")
        if self.maximum is not None and value > self.maximum:
            raise ValueError(f"{value} is more than {self.maximum:g}")


def _text(raw: object) -> str:
    # YAML reads an unquoted 0123 or 1.20 as a number; guessing the text back
    # from it would change it.
    if not isinstance(raw, str) or not raw:
        raise ValueError("must be a string that is not empty (quote it)")
    if any(ord(character) < 32 for character in raw):
        raise ValueError("must not contain control characters")
    return raw


def _integer(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError("must be an integer")
    return raw


def _number(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ValueError("must be a number")
    if not math.isfinite(raw):
        raise ValueError("must be a finite number")
    return float(raw)


def _boolean(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise ValueError("must be true or false")
    return raw


def _secret(raw: object) -> Secret:
    return Secret(_text(raw))


_CONVERTERS: Mapping[Kind, Callable[[object], Value]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.SECRET: _secret,
}


class Parameters(Mapping[str, Value]):
    """Validated parameters of one device, with typed access."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Parameters({self._values!r})"

    def text(self, name: str) -> str:
        """A parameter that is required, or has a default, as text."""
        value = self._values[name]
        if not isinstance(value, str):
            raise TypeError(f"parameter {name} is not text")
        return value

    def optional_text(self, name: str) -> str | None:
        """A text parameter that may be missing."""
        return None if self._values.get(name) is None else self.text(name)

    def number(self, name: str) -> float:
        """A number, in the unit that the parameter's help names."""
        value = self._values[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"parameter {name} is not a number")
        return value

    def integer(self, name: str) -> int:
        """A whole number."""
        return int(self.number(name))

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._values[name]
        if not isinstance(value, bool):
            raise TypeError(f"parameter {name} is not a boolean")
        return value

    def secret(self, name: str) -> Secret:
        """A secret; an unset one is the empty password."""
        value = self._values[name]
        if value is None:
            return Secret("")
        if not isinstance(value, Secret):
            raise TypeError(f"parameter {name} is not a secret")
        return value

    def for_host(self, host: str) -> "Parameters":
        """The same with ``{host}`` in texts replaced by the host's name."""
        return Parameters(
            {
                name: value.replace("{host}", host)
                if isinstance(value, str)
                else value
                for name, value in self._values.items()
            }
        )

    def but(self, **values: Value) -> "Parameters":
        """The same with some values replaced."""
        return Parameters({**self._values, **values})

    @property
    def per_host(self) -> bool:
        """Whether any text holds ``{host}``."""
        return any(
            isinstance(value, str) and "{host}" in value
            for value in self._values.values()
        )
