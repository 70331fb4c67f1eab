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


"""Parses and validates ``fencing.yaml``.

::

    devices:
      bmc-1: {driver: ipmi, address: 192.0.2.1, username: u, password: p}
    hosts:
      compute-1: {levels: [[bmc-1]]}

Everything is checked before anything is used: an error is found when the
file is loaded, not in the night when a host dies.
"""

import dataclasses
import difflib
import fnmatch
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import document
from nova_ha.fencing import loader
from nova_ha.fencing import parameters as params

OPTION = "[fencing] topology_file"


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceConfig:
    """A device as configured."""

    name: str
    driver: type[base.FenceDriver]
    parameters: params.Parameters
    place: document.Place

    @property
    def chassis(self) -> str | None:
        """What it points at, ``{host}`` not replaced."""
        return self.driver.chassis(self.parameters)

    @property
    def proves(self) -> bool:
        """Whether what it says can be proof."""
        return base.Capability.POWER_STATE in self.driver.CAPABILITIES

    @property
    def per_host(self) -> bool:
        """Whether it points at another chassis for each host."""
        chassis = self.chassis
        if chassis is None:
            return self.parameters.per_host
        return "{host}" in chassis


@dataclasses.dataclass(frozen=True, slots=True)
class HostRule:
    """The fence levels of the hosts that a name or a pattern matches."""

    pattern: str
    levels: tuple[tuple[str, ...], ...]
    place: document.Place

    @property
    def exact(self) -> bool:
        return not any(sign in self.pattern for sign in "*?[")

    @property
    def specificity(self) -> tuple[bool, int]:
        """More letters that must match exactly is more specific."""
        letters = re.sub(r"\[[^\]]*\]|[*?]", "", self.pattern)
        return self.exact, len(letters)

    def matches(self, host: str) -> bool:
        """Case counts, and nothing is shortened: as Nova spells it."""
        if self.exact:
            return self.pattern == host
        return fnmatch.fnmatchcase(host, self.pattern)


@dataclasses.dataclass(frozen=True, slots=True)
class Configuration:
    """A valid ``fencing.yaml``.

    :ivar sources: the files that it was read from, passwords included.
    """

    path: str
    devices: Mapping[str, DeviceConfig]
    rules: Sequence[HostRule]
    sources: tuple[str, ...]

    def rule_for(self, host: model.HostName) -> HostRule | None:
        """The most specific rule for a host, None where none matches.

        :raises ConfigError: two are equally specific.
        """
        matching = sorted(
            (rule for rule in self.rules if rule.matches(host)),
            key=lambda rule: rule.specificity,
            reverse=True,
        )
        if not matching:
            return None
        best, *others = matching
        if others and others[0].specificity == best.specificity:
            raise best.place.error(
                f"matches host {host} as closely as {others[0].pattern!r} "
                f"in line {others[0].place.line}",
                f"give {host} an entry of its own",
            )
        return best


def load(path: str, find_driver: loader.DriverFinder) -> Configuration:
    """Load and validate a topology file.

    :raises ConfigError: naming file, line, key and remedy.
    """
    root = document.load(path, OPTION)
    sections = root.mapping()
    _only(root, {"devices", "hosts"})
    parser = _Devices(path, find_driver)
    devices = {
        name: parser.device(name, item)
        for name, item in _section(sections, "devices").items()
    }
    rules = [
        _rule(pattern, item, devices)
        for pattern, item in _section(sections, "hosts").items()
    ]
    _check_sharing(devices, rules)
    return Configuration(path, devices, rules, (path, *parser.files))


def _section(
    sections: Mapping[str, document.Item], name: str
) -> dict[str, document.Item]:
    item = sections.get(name)
    if item is None or item.value is None:
        return {}
    return item.mapping()


def _only(item: document.Item, known: set[str]) -> None:
    for key, child in item.mapping().items():
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            raise child.place.error(
                "is not known here",
                f"did you mean {close[0]}?"
                if close
                else f"known are: {', '.join(sorted(known))}",
            )


class _Devices:
    """Parses the section ``devices``."""

    def __init__(self, path: str, find_driver: loader.DriverFinder) -> None:
        self._directory = os.path.dirname(os.path.abspath(path))
        self._find_driver = find_driver
        self.files: list[str] = []

    def device(self, name: str, item: document.Item) -> DeviceConfig:
        raw = item.mapping()
        if "driver" not in raw:
            raise item.place.error("has no driver", "add driver: <name>")
        driver = self._driver(raw["driver"])
        schema = driver.schema()
        own = self._values(schema, item)
        try:
            further = driver.further_schema(params.Parameters(own))
        except ValueError as error:
            raise item.place.error(str(error)) from None
        _only(item, {"driver"} | _keys((*schema, *further)))
        values = own | self._values(further, item)
        return DeviceConfig(
            name, driver, params.Parameters(values), item.place
        )

    def _values(
        self, schema: Iterable[params.Parameter], item: document.Item
    ) -> dict[str, params.Value]:
        return {each.name: self._value(each, item) for each in schema}

    def _driver(self, item: document.Item) -> type[base.FenceDriver]:
        try:
            return self._find_driver(item.text())
        except (LookupError, ImportError) as error:
            problem = error.args[0] if error.args else type(error).__name__
            raise item.place.error(str(problem)) from None

    def _value(
        self, parameter: params.Parameter, device: document.Item
    ) -> params.Value:
        given = [
            (key, device.mapping()[key])
            for key in sorted(_keys([parameter]))
            if key in device.mapping()
        ]
        if len(given) > 1:
            raise given[1][1].place.error(
                f"is given together with {given[0][0]}", "keep one of them"
            )
        if not given:
            if parameter.required:
                names = " or ".join(sorted(_keys([parameter])))
                raise device.place.error(
                    f"lacks {names}", f"{parameter.name}: {parameter.help}"
                )
            return parameter.default
        key, item = given[0]
        try:
            return parameter.convert(self._raw(parameter, key, item))
        except ValueError as error:
            raise item.place.error(str(error), parameter.help) from None

    def _raw(
        self, parameter: params.Parameter, key: str, item: document.Item
    ) -> object:
        if key == f"{parameter.name}_file":
            path = os.path.join(self._directory, item.text())
            option = f"{item.place.file}:{item.place.line}: {item.place.key}"
            self.files.append(path)
            return document.read_private(path, option).rstrip("\r\n")
        if key == f"{parameter.name}_env":
            value = os.environ.get(item.text())
            if value is None:
                raise item.place.error(
                    f"environment variable {item.text()} is not set",
                    "set it for the service",
                )
            return value
        return item.value


def _keys(parameters: Iterable[params.Parameter]) -> set[str]:
    """The keys that set the parameters; a secret has three."""
    names: set[str] = set()
    for parameter in parameters:
        names.add(parameter.name)
        if parameter.kind is params.Kind.SECRET:
            names |= {f"{parameter.name}_file", f"{parameter.name}_env"}
    return names


def _rule(
    pattern: str,
    item: document.Item,
    devices: Mapping[str, DeviceConfig],
) -> HostRule:
    raw = item.mapping()
    _only(item, {"levels"})
    if "levels" not in raw:
        raise item.place.error("has no levels", "add levels: [[device]]")
    levels = tuple(
        _level(level, devices) for level in raw["levels"].sequence()
    )
    if not levels:
        raise item.place.error("has no level", "write levels: [[device]]")
    return HostRule(pattern, levels, item.place)


def _level(
    item: document.Item, devices: Mapping[str, DeviceConfig]
) -> tuple[str, ...]:
    if not isinstance(item.value, list) or not item.value:
        raise item.place.error(
            "a level is a list of devices", "write levels: [[device]]"
        )
    names: list[str] = []
    for child in item.value:
        name = child.text()
        if name not in devices:
            raise child.place.error(
                f"there is no device {name!r}", "add it to 'devices'"
            )
        if name in names:
            raise child.place.error(f"{name} stands in this level twice")
        names.append(name)
    return tuple(names)


def _check_sharing(
    devices: Mapping[str, DeviceConfig], rules: Sequence[HostRule]
) -> None:
    """Refuse a chassis that would be taken for the proof of two hosts.

    The copied line of which only half was changed: the power of one machine
    would be read as that of another, whose instances would be evacuated
    while it runs.
    """
    owners: dict[str, HostRule] = {}
    for rule in rules:
        for name in dict.fromkeys(n for level in rule.levels for n in level):
            device = devices[name]
            if device.per_host or not device.proves:
                continue
            if not rule.exact:
                raise rule.place.error(
                    f"uses {name}, one device, for every host that matches",
                    "put {host} into its address, or name the hosts",
                )
            for key in (f"device {name}", device.chassis):
                owner = owners.setdefault(key, rule) if key else rule
                if owner is not rule:
                    raise rule.place.error(
                        f"uses {key}, which is that of {owner.pattern} too "
                        f"(line {owner.place.line})",
                        "each host needs a device of its own",
                    )
