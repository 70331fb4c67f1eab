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

"""Sees to it that the faults of a script happen when they should."""

import functools
from collections.abc import Iterable

from nova_ha.sim import about
from nova_ha.sim import faults as faults_mod
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import script
from nova_ha.sim import world as world_mod


class _Waiting:
    """A fault whose moment depends on what happens."""

    def __init__(self, fault: script.Fault, trigger: script.Trigger) -> None:
        self.fault = fault
        self.trigger = trigger
        self._left = trigger.count

    def due(self, entry: journal_mod.Entry) -> bool:
        """Whether this entry is the one that it waits for."""
        if entry.what != self.trigger.code or self._left <= 0:
            return False
        if self.trigger.of and not about.concerns(entry, self.trigger.of):
            return False
        self._left -= 1
        return self._left == 0


class Injector:
    """The faults of one run, from now on."""

    def __init__(
        self, world: world_mod.World, faults: Iterable[script.Fault]
    ) -> None:
        self._world = world
        self._waiting: list[_Waiting] = []
        self.injected = 0
        """How many have happened."""
        for fault in faults:
            self._plan(fault)
        world.journal.listeners.append(self._look)

    @property
    def waiting(self) -> list[script.Fault]:
        """Those whose moment has not come."""
        return [one.fault for one in self._waiting]

    def _plan(self, fault: script.Fault) -> None:
        if fault.when is not None:
            self._waiting.append(_Waiting(fault, fault.when))
            return
        begin = functools.partial(self._begin, fault)
        self._world.kernel.at(fault.at, begin)

    def _look(self, entry: journal_mod.Entry) -> None:
        due = [one for one in self._waiting if one.due(entry)]
        for one in due:
            self._waiting.remove(one)
            # Never at once: whoever notes it may be what is to be killed.
            self._world.kernel.after(
                one.trigger.after, functools.partial(self._begin, one.fault)
            )

    def _begin(self, fault: script.Fault) -> None:
        self.injected += 1
        faults_mod.begin(self._world, fault)
        if fault.lasts is not None:
            self._world.kernel.after(
                fault.lasts,
                functools.partial(faults_mod.end, self._world, fault),
            )
