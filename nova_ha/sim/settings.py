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

"""An engine's settings for a run: by the names of ``nova-ha.conf``.

They go the way that they go in production, through the options and
:func:`nova_ha.assembly.engine.policy`, so a setting that would be refused
there is refused here. What is no option is named as in
:class:`nova_ha.core.policy.Policy`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nova_ha import exception
from nova_ha.assembly import engine as assembly
from nova_ha.conf import engine as engine_conf
from nova_ha.conf import fencing as fencing_conf
from nova_ha.conf import nova as nova_conf
from nova_ha.conf import zookeeper as zookeeper_conf
from nova_ha.core import policy as policy_mod
from nova_ha.core.model import record
from nova_ha.fencing import document
from nova_ha.sim import script

_MODULES = (engine_conf, fencing_conf, nova_conf, zookeeper_conf)
_YAML = (".yaml", ".yml")


@record
class Settings:
    """What the core decides by, and how often the adapters look."""

    policy: policy_mod.Policy = policy_mod.Policy()
    intervals: script.Intervals = script.Intervals()


def _options() -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    for module in _MODULES:
        module.register_opts(conf)
    return conf


def _settable() -> dict[str, str]:
    """The group of each option that matters in a run: all of the engine's,
    and of the others' the numbers."""
    found: dict[str, str] = {}
    for module in _MODULES:
        for option in module.OPTS:
            number = isinstance(option, cfg.FloatOpt | cfg.IntOpt)
            if number or module is engine_conf:
                found[option.dest] = module.GROUP.name
    return found


def _fields() -> dict[str, type]:
    return {
        field.name: type(field.default)
        for field in dataclasses.fields(policy_mod.Policy)
    }


def names() -> list[str]:
    """All settings that a script can name."""
    return sorted({*_settable(), *_fields()})


def from_items(items: Mapping[str, document.Item]) -> Settings:
    """Settings by name; the others have their defaults.

    :raises ConfigError: a name is unknown, or a value cannot be used.
    """
    conf = _options()
    settable, fields = _settable(), _fields()
    own: dict[str, Any] = {}
    for name, item in items.items():
        if name in settable:
            _override(conf, name, settable[name], item)
        elif name in fields:
            own[name] = fields[name](_number(item))
        else:
            raise item.place.error(
                "is no setting", f"settings are: {', '.join(names())}"
            )
    made = _from_conf(conf)
    policy = dataclasses.replace(made.policy, **own)
    return dataclasses.replace(made, policy=policy)


def _override(
    conf: cfg.ConfigOpts, name: str, group: str, item: document.Item
) -> None:
    try:
        conf.set_override(name, item.value, group)
    except ValueError as error:
        raise item.place.error(str(error)) from None


def _number(item: document.Item) -> float:
    value = item.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise item.place.error("must be a number")
    return value


def from_file(path: str) -> Settings:
    """Settings of a YAML file as in a script's ``policy``, or of an
    operator's ``nova-ha.conf``.

    :raises ConfigError: it cannot be read, or not be used.
    """
    if path.endswith(_YAML):
        return from_items(read(path).mapping())
    conf = _options()
    try:
        conf([], project="nova-ha", default_config_files=[path])
    except cfg.Error as error:
        raise exception.ConfigError(path, str(error)) from None
    return _from_conf(conf)


def read(path: str) -> document.Item:
    """Read a YAML file.

    :raises ConfigError: it cannot be read, or is no plain YAML.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            return document.parse(stream.read(), path)
    except OSError as error:
        raise exception.ConfigError(
            path, f"cannot be read: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        raise exception.ConfigError(path, "is not UTF-8 text") from None


def _from_conf(conf: cfg.ConfigOpts) -> Settings:
    intervals = script.Intervals(
        service_poll=conf.engine.service_poll_interval,
        fence_poll=conf.fencing.poll_interval,
        fence_call=conf.fencing.call_timeout,
    )
    return Settings(policy=assembly.policy(conf), intervals=intervals)
