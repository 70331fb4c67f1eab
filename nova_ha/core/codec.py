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

"""What is stored in ZooKeeper: small versioned JSON of the model's values.

A payload is ``{"v": 1, ...}`` with one key for each field. It is driven by
the dataclasses' own types, so that a new field needs nothing here.

Two releases that are one apart share a tree during an upgrade. So a key that
this release does not know is ignored, and a missing one takes the field's
default; anything else that does not fit raises :class:`PayloadError`, which
names the znode and the field. What is unreadable is never guessed.
"""

import dataclasses
import datetime
import enum
import functools
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from nova_ha import exception
from nova_ha.core import model

VERSION = 1

MAX_BYTES = 900 * 1024
"""ZooKeeper refuses requests of more than 1 MiB (jute.maxbuffer), path and
transaction included."""

NOT_IN_PAYLOAD: Mapping[type, frozenset[str]] = {
    # These belong to the znode: who owns it, when it was created, whether it
    # is the first of its siblings.
    model.Beacon: frozenset({"session"}),
    model.Contender: frozenset({"epoch", "leading"}),
}

T = TypeVar("T")

Encoder = Callable[[Any, str], Any]
"""Takes a value and the field's name, returns what JSON can hold."""

Decoder = Callable[[Any, str], Any]
"""The other way. Raises _Misfit."""


class _Misfit(Exception):
    """A value does not fit its field."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)


def encode(
    value: Any, where: str = "payload", limit: int = MAX_BYTES
) -> bytes:
    """Return the payload of a dataclass of the model.

    :param limit: bytes; more than the default for what is no znode.
    :raises PayloadTooLarge: it is larger than ``limit``.
    :raises PayloadError: it holds a value that its type does not allow;
        ``where`` names the znode.
    """
    cls: Any = type(value)
    try:
        body = _encoder(cls)(value, "")
        data = json.dumps(
            {"v": VERSION} | body, separators=(",", ":"), allow_nan=False
        ).encode("ascii")
    except _Misfit as misfit:
        raise exception.PayloadError(where, str(misfit)) from None
    if len(data) > limit:
        raise exception.PayloadTooLarge(
            where, f"{len(data)} bytes are more than {limit}"
        )
    return data


def decode(cls: type[T], data: bytes, where: str, **others: Any) -> T:
    """Return the value that a payload holds.

    :param where: znode path, for the error.
    :param others: the fields that are not part of the payload.
    :raises PayloadError: the payload is not one of ``cls``.
    """
    try:
        body = _parse(data)
        return typing.cast(T, _object(cls, body, "", others))
    except _Misfit as misfit:
        raise exception.PayloadError(where, str(misfit)) from None


def _parse(data: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        # The text of a RecursionError, or of a JSON error, holds no payload.
        raise _Misfit("", f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _Misfit("", "not a JSON object")
    version = body.get("v")
    if version != VERSION or isinstance(version, bool):
        raise _Misfit("v", f"version {version!r:.40} is not {VERSION}")
    return body


# -- dataclasses -------------------------------------------------------------


@functools.cache
def _fields(cls: type) -> Mapping[str, tuple[Any, Any]]:
    """Fields of the payload by name: type and dataclass field."""
    hints = typing.get_type_hints(cls)
    left_out = NOT_IN_PAYLOAD.get(cls, frozenset())
    return {
        field.name: (hints[field.name], field)
        for field in dataclasses.fields(cls)
        if field.name not in left_out
    }


def _child(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _plain(cls: type, value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, cls):
        raise _Misfit(field, f"not a {cls.__name__}")
    return {
        name: _encoder(hint)(getattr(value, name), _child(field, name))
        for name, (hint, _) in _fields(cls).items()
    }


def _object(
    cls: type, body: Any, field: str, others: Mapping[str, Any]
) -> object:
    if not isinstance(body, dict):
        raise _Misfit(field, "not a JSON object")
    values = dict(others)
    for name, (hint, described) in _fields(cls).items():
        if name in body:
            values[name] = _decoder(hint)(body[name], _child(field, name))
        elif _required(described):
            raise _Misfit(_child(field, name), "missing")
    return cls(**values)


def _required(field: "dataclasses.Field[Any]") -> bool:
    return (
        field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    )


# -- types -------------------------------------------------------------------


@functools.cache
def _encoder(hint: Any) -> Encoder:
    return _coders(hint)[0]


@functools.cache
def _decoder(hint: Any) -> Decoder:
    return _coders(hint)[1]


def _coders(hint: Any) -> tuple[Encoder, Decoder]:
    hint = _bare(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if dataclasses.is_dataclass(hint):
        cls = typing.cast(type, hint)
        return (
            functools.partial(_plain, cls),
            lambda body, field: _object(cls, body, field, {}),
        )
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum_coders(hint)
    return _container_coders(hint)


def _bare(hint: Any) -> Any:
    """Strip NewTypes: on the wire they are what they are made of."""
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    return hint


def _container_coders(hint: Any) -> tuple[Encoder, Decoder]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _optional_coders(arguments)
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return _sequence_coders(arguments[0], tuple)
    if origin is frozenset:
        return _sequence_coders(arguments[0], frozenset)
    if origin is Mapping and _bare(arguments[0]) is str:
        return _mapping_coders(arguments[1])
    # A mistake of whoever added the field, found by the first test.
    raise TypeError(f"the codec knows no type {hint!r}")


def _optional_coders(arguments: tuple[Any, ...]) -> tuple[Encoder, Decoder]:
    (inner,) = [one for one in arguments if one is not types.NoneType]
    encode_one, decode_one = _coders(inner)
    return (
        lambda value, field: (
            None if value is None else encode_one(value, field)
        ),
        lambda body, field: None if body is None else decode_one(body, field),
    )


def _sequence_coders(
    inner: Any, kind: type[tuple[Any, ...]] | type[frozenset[Any]]
) -> tuple[Encoder, Decoder]:
    encode_one, decode_one = _coders(inner)

    def to_list(value: Any, field: str) -> list[Any]:
        if not isinstance(value, kind):
            raise _Misfit(field, f"not a {kind.__name__}")
        # Sets in a fixed order: equal values have equal payloads.
        items = sorted(value) if kind is frozenset else value
        return [
            encode_one(item, f"{field}[{index}]")
            for index, item in enumerate(items)
        ]

    def from_list(body: Any, field: str) -> Any:
        if not isinstance(body, list):
            raise _Misfit(field, "not a list")
        return kind(
            decode_one(item, f"{field}[{index}]")
            for index, item in enumerate(body)
        )

    return to_list, from_list


def _mapping_coders(inner: Any) -> tuple[Encoder, Decoder]:
    encode_one, decode_one = _coders(inner)

    def to_dict(value: Any, field: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _Misfit(field, "not a mapping")
        return {
            _text(key, field): encode_one(item, f"{field}[{key}]")
            for key, item in value.items()
        }

    def from_dict(body: Any, field: str) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise _Misfit(field, "not a JSON object")
        return {
            _from_text(key, field): decode_one(item, f"{field}[{key}]")
            for key, item in body.items()
        }

    return to_dict, from_dict


def _enum_coders(cls: type[enum.Enum]) -> tuple[Encoder, Decoder]:
    def to_value(value: Any, field: str) -> Any:
        if not isinstance(value, cls):
            raise _Misfit(field, f"not a {cls.__name__}")
        return value.value

    def from_value(body: Any, field: str) -> enum.Enum:
        try:
            return cls(body)
        except (ValueError, TypeError):
            raise _Misfit(
                field, f"{body!r:.40} is not a {cls.__name__}"
            ) from None

    return to_value, from_value


# -- scalars -----------------------------------------------------------------


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise _Misfit(field, "not a string")
    return str(value)


def _from_text(body: Any, field: str) -> str:
    text = _text(body, field)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            # JSON can spell half of a surrogate pair, but nobody can print
            # it or name a node after it.
            raise _Misfit(field, "not Unicode text") from None
    return text


def _flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise _Misfit(field, "not true or false")
    return value


def _whole(value: Any, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Misfit(field, "not a whole number")
    return int(value)


def _number(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Misfit(field, "not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _Misfit(field, "not a finite number")
    return number


def _to_utc(value: Any, field: str) -> str:
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        raise _Misfit(field, "not a time with a time zone")
    utc = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return utc.isoformat() + "Z"


def _from_utc(body: Any, field: str) -> datetime.datetime:
    text = _text(body, field)
    try:
        if not text.endswith("Z"):
            raise ValueError
        naive = datetime.datetime.fromisoformat(text[:-1])
        if naive.tzinfo is not None:
            raise ValueError
    except ValueError:
        raise _Misfit(field, f"{text!r:.40} is not a time in UTC") from None
    return naive.replace(tzinfo=datetime.UTC)


_SCALARS: Mapping[Any, tuple[Encoder, Decoder]] = {
    str: (_text, _from_text),
    bool: (_flag, _flag),
    int: (_whole, _whole),
    float: (_number, _number),
    datetime.datetime: (_to_utc, _from_utc),
}
