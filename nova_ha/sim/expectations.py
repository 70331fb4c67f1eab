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

"""Compares the end of a run with what its script expects."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nova_ha.core import model
from nova_ha.sim import about
from nova_ha.sim import script
from nova_ha.sim import world as world_mod

_ENDED = {
    "case.closed": model.CaseState.CLOSED.value,
    "case.cancelled": model.CaseState.CANCELLED.value,
}


def failed(world: world_mod.World, made: script.Script) -> Iterator[str]:
    """Yield what is not as expected, in the order of the script."""
    for one in made.expect:
        problem = _CHECKS[type(one)](world, one)
        if problem:
            where = f"line {one.line}: " if one.line else ""
            yield where + problem


def _case(world: world_mod.World, one: script.ExpectCase) -> str:
    found = _state(world, one.host)
    if found == one.case:
        return ""
    return f"the case of {one.host} is {found}, not {one.case}"


def _state(world: world_mod.World, host: str) -> str:
    """State of the latest case of a host."""
    for stuck in world.checker.stuck():
        if stuck.host == host:
            return stuck.state.value
    for entry in reversed(world.journal.entries):
        if entry.what in _ENDED and about.host(entry) == host:
            return _ENDED[entry.what]
    return script.NO_CASE


def _instance(world: world_mod.World, one: script.ExpectInstance) -> str:
    instance = model.InstanceId(one.instance)
    on = [
        name
        for name, machine in world.machines.items()
        if instance in machine.guests
    ]
    found = f"{one.instance} runs on {' and '.join(on) or 'no host'}"
    if one.on is not None and not _fits(on, one.on):
        return f"{found}, not on {' or '.join(one.on) or 'no host'}"
    return found if set(on) & set(one.not_on) else ""


def _fits(on: list[str], wanted: tuple[str, ...]) -> bool:
    if not wanted:
        return not on
    return len(on) == 1 and on[0] in wanted


def _code(world: world_mod.World, one: script.ExpectCode) -> str:
    count = sum(
        entry.what == one.code
        and entry.at >= 0.0
        and (not one.of or about.concerns(entry, one.of))
        for entry in world.journal.entries
    )
    if one.least <= count and (one.most is None or count <= one.most):
        return ""
    of = f" of {one.of}" if one.of else ""
    return f"{one.code}{of}: {count} times, not {_range(one)}"


def _range(one: script.ExpectCode) -> str:
    if one.most is None:
        return f"at least {one.least}"
    if one.least == one.most:
        return str(one.least)
    return f"{one.least} to {one.most}"


def _fenced(world: world_mod.World, one: script.ExpectFenced) -> str:
    found = {
        str(entry.details["host"])
        for entry in world.journal.entries
        if entry.what == "bmc.off-sent"
    }
    if found == set(one.hosts):
        return ""
    return (
        f"fenced: {', '.join(sorted(found)) or 'none'}, "
        f"not {', '.join(sorted(one.hosts)) or 'none'}"
    )


_CHECKS: Mapping[type, Callable[[world_mod.World, Any], str]] = {
    script.ExpectCase: _case,
    script.ExpectInstance: _instance,
    script.ExpectCode: _code,
    script.ExpectFenced: _fenced,
}
