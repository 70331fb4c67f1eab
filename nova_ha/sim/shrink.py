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

"""Makes a failing script small enough to be understood.

Delta debugging: whatever can be left out so that it still fails, is. First
faults, then engines, instances and hosts, then what is said about the faults
that are left. A run is a function of its script, so whoever gets the result
sees the same.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from nova_ha.core import policy as policy_mod
from nova_ha.sim import chance
from nova_ha.sim import script as script_mod
from nova_ha.sim.script import Fault
from nova_ha.sim.script import Script

T = TypeVar("T")

Fails = Callable[[Script], bool]
"""Runs a script, and tells whether it fails as the first one did."""

KEPT = frozenset([chance.CALM_VERB])
"""Verbs that are no trouble: without them nothing would end."""


class _Spent(Exception):
    """No more runs are to be made."""


class Shrinker:
    """Shrinks one script.

    :param budget: how many runs it may take.
    """

    def __init__(self, fails: Fails, budget: int = 100) -> None:
        self._fails = fails
        self._left = budget

    def shrink(self, script: Script) -> Script:
        """The smallest that was found; the script itself at the worst."""
        self._best = script
        try:
            self._faults()
            self._cloud()
            self._details()
        except _Spent:
            pass
        return self._best

    def _try(self, script: Script) -> bool:
        """Take it if it fails, too."""
        if self._left <= 0:
            raise _Spent
        self._left -= 1
        if script == self._best or not self._fails(script):
            return False
        self._best = script
        return True

    def _faults(self) -> None:
        size = max(1, len(self._best.faults) // 2)
        while True:
            removed = self._remove_faults(size)
            if size > 1:
                size //= 2
            elif not removed:
                return

    def _remove_faults(self, size: int) -> bool:
        """Leave out so many of them at a time, the last ones first."""
        removed = False
        removable = [one for one in self._best.faults if one.verb not in KEPT]
        for chunk in _chunks(removable, size):
            kept = tuple(f for f in self._best.faults if f not in chunk)
            removed |= self._try(dataclasses.replace(self._best, faults=kept))
        return removed

    # -- the cloud -----------------------------------------------------------

    def _cloud(self) -> None:
        for engine in reversed(self._best.cloud.engines):
            self._without(engines=(engine.name,))
        for size in (4, 1):
            names = self._best.cloud.instance_names
            for chunk in _chunks(list(names), size):
                self._without(instances=tuple(chunk))
        for host in reversed(self._best.cloud.hosts):
            self._without(hosts=(host.name,))
        plain = tuple(
            script_mod.HostSpec(name=one.name)
            for one in self._best.cloud.hosts
        )
        self._with_cloud(hosts=plain)
        self._try(dataclasses.replace(self._best, policy=policy_mod.Policy()))

    def _without(
        self,
        hosts: tuple[str, ...] = (),
        instances: tuple[str, ...] = (),
        engines: tuple[str, ...] = (),
    ) -> None:
        """Leave out what no fault names."""
        gone = {*hosts, *instances, *engines}
        if any(gone & _names(fault) for fault in self._best.faults):
            return
        cloud = self._best.cloud
        self._with_cloud(
            hosts=tuple(h for h in cloud.hosts if h.name not in gone),
            engines=tuple(e for e in cloud.engines if e.name not in gone),
            instances=tuple(
                one
                for one in cloud.instances
                if not gone & {one.name, one.host}
            ),
        )

    def _with_cloud(self, **changes: Any) -> None:
        cloud = dataclasses.replace(self._best.cloud, **changes)
        if cloud.hosts and cloud.engines:
            self._try(dataclasses.replace(self._best, cloud=cloud))

    # -- details of the faults -----------------------------------------------

    def _details(self) -> None:
        for index in range(len(self._best.faults)):
            for simplify in (_one_target, _at_once, _rounded, _for_good):
                simpler = simplify(self._best.faults[index])
                faults = list(self._best.faults)
                faults[index] = simpler
                self._try(
                    dataclasses.replace(self._best, faults=tuple(faults))
                )


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The last ones first."""
    for end in range(len(items), 0, -size):
        yield items[max(0, end - size) : end]


def _names(fault: Fault) -> set[str]:
    """All that it names."""
    found = set(fault.targets)
    found |= {one for one in fault.parameters.values() if isinstance(one, str)}
    if fault.when is not None:
        found.add(fault.when.of)
    return found


def _one_target(fault: Fault) -> Fault:
    return dataclasses.replace(fault, targets=fault.targets[:1])


def _at_once(fault: Fault) -> Fault:
    if fault.when is None:
        return fault
    return dataclasses.replace(
        fault, when=dataclasses.replace(fault.when, after=0.0)
    )


def _rounded(fault: Fault) -> Fault:
    lasts = None if fault.lasts is None else float(round(fault.lasts)) or 1.0
    at = fault.at if fault.when is not None else float(round(fault.at))
    return dataclasses.replace(fault, at=at, lasts=lasts)


def _for_good(fault: Fault) -> Fault:
    return dataclasses.replace(fault, lasts=None)
