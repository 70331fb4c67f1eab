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

"""Reads a fault script from YAML: every mistake is named where it stands.

What the keys mean is told in the documentation, ``admin/rehearsal``.
"""

import dataclasses
import glob
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import document
from nova_ha.sim import codes
from nova_ha.sim import fields
from nova_ha.sim import script
from nova_ha.sim import script_cloud
from nova_ha.sim import script_faults
from nova_ha.sim import settings as settings_mod

FILE = "script.yaml"
"""The script of a scenario, in the scenario's folder."""


def find(paths: Iterable[str]) -> Iterator[str]:
    """The files of scripts.

    :param paths: scripts, folders with a ``script.yaml``, and folders of
        such folders.
    :raises ConfigError: there is none at one of them.
    """
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        found = [os.path.join(path, FILE)]
        if not os.path.exists(found[0]):
            found = sorted(glob.glob(os.path.join(path, "*", FILE)))
        if not found:
            raise exception.ConfigError(
                path, f"holds no {FILE}", "name a script, or its folder"
            )
        yield from found


def load(
    path: str, policy: str = "", seed: int | None = None
) -> script.Script:
    """Read a script.

    :param path: the file, or the folder that holds ``script.yaml``.
    :param policy: a file with settings to take instead of the script's own,
        see :func:`nova_ha.sim.settings.from_file`.
    :param seed: to take instead of the script's own.
    :raises ConfigError: it cannot be read, or has a mistake.
    """
    file = os.path.join(path, FILE) if os.path.isdir(path) else path
    settings = settings_mod.from_file(policy) if policy else None
    made = parse(settings_mod.read(file), name(file), settings)
    return made if seed is None else dataclasses.replace(made, seed=seed)


def name(file: str) -> str:
    """What a script is called: its folder, or the file itself."""
    folder, base = os.path.split(os.path.abspath(file))
    if base == FILE:
        return os.path.basename(folder)
    return os.path.splitext(base)[0]


def parse(
    item: document.Item,
    named: str,
    settings: settings_mod.Settings | None = None,
) -> script.Script:
    """Make a script of what stands in a file.

    :param settings: instead of the script's own.
    :raises ConfigError: there is a mistake in it.
    """
    given = fields.Fields(item)
    policy = given.take("policy")
    own = settings_mod.from_items({} if policy is None else policy.mapping())
    used = own if settings is None else settings
    cloud = script_cloud.read(given.needed("cloud"), used)
    if cloud.heartbeats and not used.heartbeats:
        used = used.with_heartbeats()
    made = script.Script(
        name=named,
        cloud=cloud,
        policy=used.policy,
        seconds=_length(given),
        seed=given.count("seed", 1),
        faults=tuple(script_faults.read(given.take("faults"), cloud)),
        allow=_allowed(given.take("allow")),
        expect=tuple(_expectations(given.take("expect"), cloud)),
    )
    given.finish()
    return made


def _allowed(item: document.Item | None) -> tuple[str, ...]:
    if item is None:
        return ()
    return tuple(
        fields.one_of(item, one, script.ALLOWABLE, "breach to be allowed")
        for one in fields.texts(item)
    )


def _length(given: fields.Fields) -> float:
    item = given.take("minutes")
    if item is None:
        return script.SECONDS
    minutes = fields.number(item)
    if not 0.0 < minutes <= fields.MOST_SECONDS / 60.0:
        raise item.place.error("must be more than 0, and at most one week")
    return 60.0 * minutes


# -- expectations -------------------------------------------------------------


_Read = Callable[
    [document.Item, fields.Fields, script.Cloud], script.Expectation
]


def _expectations(
    item: document.Item | None, cloud: script.Cloud
) -> Iterator[script.Expectation]:
    if item is None:
        return
    for one in item.sequence():
        given = fields.Fields(one)
        yield _expectation(given, cloud)
        given.finish()


def _expectation(
    given: fields.Fields, cloud: script.Cloud
) -> script.Expectation:
    for key, read in _KINDS.items():
        item = given.take(key)
        if item is not None:
            return read(item, given, cloud)
    raise given.item.place.error(
        "is no expectation", f"begin it with one of {', '.join(_KINDS)}"
    )


def _expect_case(
    item: document.Item, given: fields.Fields, cloud: script.Cloud
) -> script.Expectation:
    host = fields.one_of(item, fields.text(item), cloud.host_names, "host")
    case = given.needed("case")
    states = (script.NO_CASE, *(state.value for state in model.CaseState))
    return script.ExpectCase(
        host=host,
        case=fields.one_of(case, fields.text(case), states, "state"),
        line=item.place.line,
    )


def _expect_instance(
    item: document.Item, given: fields.Fields, cloud: script.Cloud
) -> script.Expectation:
    name = fields.text(item)
    fields.one_of(item, name, cloud.instance_names, "instance")
    on, not_on = given.take("on"), given.take("not_on")
    if on is None and not_on is None:
        raise item.place.error("needs 'on' or 'not_on'")
    return script.ExpectInstance(
        instance=name,
        on=None if on is None else _hosts(on, cloud),
        not_on=() if not_on is None else _hosts(not_on, cloud),
        line=item.place.line,
    )


def _hosts(item: document.Item, cloud: script.Cloud) -> tuple[str, ...]:
    return tuple(
        fields.one_of(item, host, cloud.host_names, "host")
        for host in fields.texts(item)
    )


def _expect_code(
    item: document.Item, given: fields.Fields, cloud: script.Cloud
) -> script.Expectation:
    times = given.take("times")
    least = given.count("min", 0 if "max" in given.left() else 1)
    most = given.take("max")
    exact = None if times is None else fields.count(times)
    return script.ExpectCode(
        code=codes.read(item),
        of=given.text("of"),
        least=least if exact is None else exact,
        most=exact if most is None else fields.count(most),
        line=item.place.line,
    )


def _expect_fenced(
    item: document.Item, given: fields.Fields, cloud: script.Cloud
) -> script.Expectation:
    return script.ExpectFenced(hosts=_hosts(item, cloud), line=item.place.line)


_KINDS: Mapping[
    str,
    Callable[[document.Item, fields.Fields, script.Cloud], script.Expectation],
] = {
    "host": _expect_case,
    "instance": _expect_instance,
    "code": _expect_code,
    "fenced": _expect_fenced,
}
