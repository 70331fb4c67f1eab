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

"""Reads a script's first part: the cloud that it is about."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

from nova_ha.fencing import document
from nova_ha.sim import fields
from nova_ha.sim import script
from nova_ha.sim import settings as settings_mod
from nova_ha.sim import verbs_hosts

MOST_HOSTS = 10_000
MOST_INSTANCES = 100_000
MOST_ENGINES = 9

_ROLES = ("engine", "zookeeper", "controller")


def read(item: document.Item, settings: settings_mod.Settings) -> script.Cloud:
    """:raises ConfigError: there is a mistake in it."""
    given = fields.Fields(item)
    hosts = tuple(_hosts(given.needed("hosts")))
    names = [host.name for host in hosts]
    engines = tuple(_engines(given.take("engines")))
    instances = tuple(_instances(given.take("instances"), names))
    names += [engine.name for engine in engines]
    names += [instance.name for instance in instances]
    _check_unlike(item, names)
    made = script.Cloud(
        hosts=hosts,
        instances=instances,
        engines=engines,
        zookeeper=_zookeeper(given.take("zookeeper"), settings.policy.tick),
        intervals=settings.intervals,
        armed=given.flag("armed", True),
        heartbeats=given.flag("heartbeats", settings.heartbeats),
    )
    given.finish()
    _check_controls(item, hosts)
    return made


def _check_unlike(item: document.Item, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in names:
        if one in seen:
            raise item.place.error(f"{one} is there twice", "rename one")
        seen.add(one)


def _check_controls(
    item: document.Item, hosts: Iterable[script.HostSpec]
) -> None:
    names = [host.name for host in hosts]
    for host in hosts:
        for bmc in host.levels:
            if bmc.controls:
                fields.one_of(item, bmc.controls, names, "host")


def _hosts(item: document.Item) -> Iterator[script.HostSpec]:
    if not isinstance(item.value, list):
        amount = fields.count(item, least=1)
        _check_amount(item, amount, MOST_HOSTS)
        for number in range(1, amount + 1):
            yield script.HostSpec(name=f"host-{number}")
        return
    if not item.value:
        raise item.place.error("needs at least one host")
    for one in item.value:
        if isinstance(one.value, dict):
            yield _host(fields.Fields(one))
        else:
            yield script.HostSpec(name=fields.text(one))


def _check_amount(item: document.Item, amount: int, most: int) -> None:
    if amount > most:
        raise item.place.error(f"must be at most {most}")


def _host(given: fields.Fields) -> script.HostSpec:
    first, *further = _bmcs(given.take("bmc"))
    made = script.HostSpec(
        name=fields.text(given.needed("name")),
        failure_domain=given.text("failure_domain"),
        storage_domain=given.text("storage_domain"),
        marker=given.text("marker"),
        bmc=first,
        further_bmcs=tuple(further),
        colocated=_roles(given.take("colocated")),
        drift=given.number("drift", 0.0),
        boot_seconds=given.seconds("boot_seconds", 20.0),
        room=given.count("room", 64),
    )
    given.finish()
    return made


def _roles(item: document.Item | None) -> tuple[str, ...]:
    if item is None:
        return ()
    return tuple(
        fields.one_of(item, role, _ROLES, "role")
        for role in fields.texts(item)
    )


def _bmcs(
    item: document.Item | None,
) -> tuple[script.BmcSpec | None, *tuple[script.BmcSpec, ...]]:
    """One a level; None where there is no device at all."""
    if item is None:
        return (script.BmcSpec(),)
    if item.value == "none":
        return (None,)
    if not isinstance(item.value, list):
        return (_bmc(item),)
    if not item.value:
        raise item.place.error("needs at least one level", "or write 'none'")
    return (_bmc(item.value[0]), *map(_bmc, item.value[1:]))


def _bmc(item: document.Item) -> script.BmcSpec:
    given = fields.Fields(item)
    mode, delay = given.take("mode"), given.take("delay")
    made = script.BmcSpec(
        mode="prompt" if mode is None else _mode(mode),
        delay=None if delay is None else fields.seconds(delay),
        dead_with_host=given.flag("dead_with_host", False),
        controls=given.text("controls"),
        anonymous=given.flag("anonymous", False),
    )
    given.finish()
    return made


def _mode(item: document.Item) -> str:
    return fields.one_of(
        item, fields.text(item), verbs_hosts.BMC_MODES, "mode"
    )


def _engines(item: document.Item | None) -> Iterator[script.EngineSpec]:
    if item is None or not isinstance(item.value, list):
        amount = 2 if item is None else fields.count(item)
        if item is not None:
            _check_amount(item, amount, MOST_ENGINES)
        for number in range(1, amount + 1):
            yield script.EngineSpec(name=f"engine-{number}")
        return
    for one in item.value:
        given = fields.Fields(one)
        yield script.EngineSpec(
            name=fields.text(given.needed("name")),
            drift=given.number("drift", 0.0),
        )
        given.finish()


def _instances(
    item: document.Item | None, hosts: list[str]
) -> Iterator[script.InstanceSpec]:
    if item is not None and isinstance(item.value, list):
        yield from (_instance(one, hosts) for one in item.value)
        return
    numbers = itertools.count(1)
    for host in _places(item, hosts):
        yield script.InstanceSpec(name=f"instance-{next(numbers)}", host=host)


def _instance(
    item: document.Item, hosts: Sequence[str]
) -> script.InstanceSpec:
    given = fields.Fields(item)
    made = script.InstanceSpec(
        name=fields.text(given.needed("name")),
        host=fields.one_of(
            item, fields.text(given.needed("host")), hosts, "host"
        ),
        state=given.text("state", "active"),
        off=given.flag("off", False),
        image=given.text("image"),
        project=given.text("project"),
        metadata=_pairs(given.take("metadata")),
        flavor=_pairs(given.take("flavor")),
    )
    given.finish()
    return made


def _pairs(item: document.Item | None) -> tuple[str, ...]:
    if item is None:
        return ()
    found = fields.texts(item)
    for one in found:
        if "=" not in one:
            raise item.place.error(f"{one!r} is no key=value")
    return found


def _places(item: document.Item | None, hosts: list[str]) -> Iterator[str]:
    """The host of each instance, in the order of the instances."""
    if item is None:
        return
    if not isinstance(item.value, dict):
        amount = fields.count(item)
        _check_amount(item, amount, MOST_INSTANCES)
        yield from itertools.islice(itertools.cycle(hosts), amount)
        return
    for host, one in item.value.items():
        fields.one_of(one, host, hosts, "host")
        amount = fields.count(one)
        _check_amount(one, amount, MOST_INSTANCES)
        yield from itertools.repeat(host, amount)


def _zookeeper(
    item: document.Item | None, tick: float
) -> script.ZooKeeperSpec:
    if item is None:
        return script.ZooKeeperSpec(tick=tick)
    given = fields.Fields(item)
    made = script.ZooKeeperSpec(
        members=given.count("members", 3, least=1),
        tick=given.seconds("tick", tick),
    )
    if made.tick <= 0.0:
        raise item.place.error("tick must be more than 0")
    given.finish()
    return made
