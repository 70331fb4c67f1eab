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

"""What has really happened, for the trace and for those who check it.

The journal knows the truth: also what no engine can see, such as a guest that
runs twice. It is written by the modelled world and by the engines' notifiers,
and read by nobody who decides anything.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from nova_ha.sim import kernel as kernel_mod


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One thing that has happened."""

    at: float
    """Seconds since the beginning, true time."""
    who: str
    """Whom it happened to, or who did it: a host, an engine, an operator."""
    what: str
    """Stable code, such as ``guest.started`` or ``case.fenced``."""
    message: str = ""
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """For those who check; not shown in the trace."""


Listener = Callable[[Entry], None]


class Journal:
    """All entries of a run, in order."""

    def __init__(self, kernel: kernel_mod.Kernel) -> None:
        self._kernel = kernel
        self.entries: list[Entry] = []
        self.listeners: list[Listener] = []
        """Called with each entry as it is written."""

    def note(
        self, who: str, what: str, message: str = "", **details: Any
    ) -> Entry:
        entry = Entry(self._kernel.now, who, what, message, details)
        self.entries.append(entry)
        for listener in self.listeners:
            try:
                listener(entry)
            except Exception as error:
                # The product's code, which may have led here, is not to
                # take it for a failure of its own.
                self._kernel.failed(error)
                raise
        return entry
