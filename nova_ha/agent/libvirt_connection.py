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

"""Asks libvirt, read-only, each time on a new connection with a deadline."""

import importlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.agent import bounded

T = TypeVar("T")

DEFAULT_URI = "qemu:///system"


class LibvirtFailed(Exception):
    """libvirt gave no answer, or an error."""


def load(option: str) -> Any:
    """Import libvirt-python, which is an optional extra.

    :param option: the setting that needs it.
    :raises ConfigError: it is not installed.
    """
    try:
        library = importlib.import_module("libvirt")
    except ImportError as error:
        raise exception.ConfigError(
            option,
            f"libvirt-python cannot be imported ({error})",
            "install it, e.g. pip install nova-ha[libvirt]",
        ) from error
    # It would print each error to stderr, beside raising it.
    library.registerErrorHandler(lambda _context, _error: None, None)
    return library


class Question(Generic[T]):
    """One question to libvirt that can be asked again and again."""

    def __init__(
        self,
        library: Any,
        uri: str,
        ask: Callable[[Any], T],
        *,
        deadline: float,
        clock: nova_clock.Clock,
    ) -> None:
        """:param ask: takes the open ``virConnect``.
        :param deadline: seconds for connecting and asking together."""
        self._library = library
        self._uri = uri
        self._ask = ask
        self._bounded = bounded.Bounded(
            self._converse, deadline=deadline, clock=clock, name="libvirt"
        )

    def put(self) -> T:
        """:raises LibvirtFailed: no answer, or an error."""
        try:
            return self._bounded.call()
        except bounded.NoAnswer as error:
            raise LibvirtFailed(f"{self._uri}: {error}") from error
        except self._library.libvirtError as error:
            raise LibvirtFailed(f"{self._uri}: {error}") from error

    def _converse(self) -> T:
        connection = self._library.openReadOnly(self._uri)
        try:
            return self._ask(connection)
        finally:
            connection.close()
