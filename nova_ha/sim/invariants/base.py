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

"""What an invariant is, and how its breach is told."""

import abc
from collections.abc import Callable, Mapping

from nova_ha.core.model import record
from nova_ha.sim import journal
from nova_ha.sim.invariants import truth as truth_mod


@record
class Violation:
    """An invariant was broken."""

    at: float
    """Seconds since the beginning, true time."""
    invariant: int
    """Its number on the design's safety page."""
    name: str
    message: str
    entries: tuple[journal.Entry, ...] = ()
    """What has led to it, oldest first."""
    undetectable: bool = False
    """Only a device or an operator that lied has led to it, about a host
    that gave no sign of life: nobody could have known. Counted apart."""

    def __str__(self) -> str:
        kind = "undetectable" if self.undetectable else "VIOLATION"
        return (
            f"{self.at:8.1f}  {kind} of invariant {self.invariant} "
            f"({self.name}): {self.message}"
        )


Report = Callable[[Violation], None]
Watch = Callable[[journal.Entry], None]


class Invariant(abc.ABC):
    """Watches some codes of the journal, and reports what must not be."""

    number: int
    name: str

    def __init__(self, truth: truth_mod.Truth, report: Report) -> None:
        self._truth = truth
        self._report = report

    @abc.abstractmethod
    def watches(self) -> Mapping[str, Watch]:
        """Which entries it looks at, by their code."""

    def at_end(self) -> None:
        """Look once more when the run is over."""
        return None

    def violated(
        self,
        message: str,
        *entries: journal.Entry,
        undetectable: bool = False,
    ) -> None:
        self._report(
            Violation(
                at=self._truth.now,
                invariant=self.number,
                name=self.name,
                message=message,
                entries=entries,
                undetectable=undetectable,
            )
        )
