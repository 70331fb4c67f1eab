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
from nova_ha.conf import agent as agent_conf
from nova_ha.conf import fencing as fencing_conf
from nova_ha.conf import metrics as metrics_conf
from nova_ha.conf import notifications as notifications_conf
from nova_ha.conf import nova as nova_conf
from nova_ha.conf import opts
from nova_ha.conf import zookeeper as zookeeper_conf
from nova_ha.core import policy as policy_mod
from nova_ha.core import sources
from nova_ha.core.model import record
from nova_ha.fencing import document
from nova_ha.sim import fields
from nova_ha.sim import script

_NOT_ENGINES = (agent_conf, metrics_conf, notifications_conf)
_REAL_SERVERS = (fencing_conf, nova_conf, zookeeper_conf)
"""Of these only the numbers matter in a run: no address, no password."""

_NOT_BY_ITSELF = ("check_interval", "parallel")
"""The routine check of all devices would fill a run with questions that it is
not about; who wants it names ``device_check_interval``."""

_YAML = (".yaml", ".yml")


@record
class Settings:
    """What the core decides by, and how often the adapters look."""

    policy: policy_mod.Policy = policy_mod.Policy()
    intervals: script.Intervals = script.Intervals()
    heartbeats: bool = False
    """Whether the engines read storage heartbeats."""

    def with_heartbeats(self) -> "Settings":
        """The same, with the driver of storage heartbeats loaded."""
        patience = self.policy.patience or assembly.patience(
            self.intervals.storage_poll
        )
        return dataclasses.replace(
            self,
            policy=dataclasses.replace(self.policy, patience=patience),
            heartbeats=True,
        )


def _options() -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    for module in opts.MODULES:
        module.register_opts(conf)
    return conf


def _settable() -> dict[str, str]:
    """The group of each option that matters in a run."""
    return {
        option.dest: module.GROUP.name
        for module in opts.MODULES
        if module not in _NOT_ENGINES
        for option in module.OPTS
        if module not in _REAL_SERVERS
        or isinstance(option, cfg.FloatOpt | cfg.IntOpt)
        if option.dest not in _NOT_BY_ITSELF
    }


def _fields() -> dict[str, type]:
    return {
        field.name: type(field.default)
        for field in dataclasses.fields(policy_mod.Policy)
        if field.type in (bool, int, float, str)
    }


def names() -> list[str]:
    """All settings that a script can name."""
    return sorted({*_settable(), *_fields()})


def from_items(items: Mapping[str, document.Item]) -> Settings:
    """Settings by name; the others have their defaults.

    :raises ConfigError: a name is unknown, or a value cannot be used.
    """
    settable, others = _settable(), _fields()
    own: dict[str, Any] = {}
    options: dict[str, document.Item] = {}
    for name, item in items.items():
        if name in settable:
            options[name] = item
        elif name in others:
            own[name] = _field(others[name], item)
        else:
            raise item.place.error(
                "is no setting", f"settings are: {', '.join(names())}"
            )
    made = _from_options(options, settable)
    policy = dataclasses.replace(made.policy, **own)
    return dataclasses.replace(made, policy=policy)


def _from_options(
    items: Mapping[str, document.Item], groups: Mapping[str, str]
) -> Settings:
    conf = _options()
    try:
        for name, item in items.items():
            _override(conf, name, groups[name], item)
        return _from_conf(conf)
    finally:
        # oslo.config keeps them in the group, which all runs share.
        for name in items:
            conf.clear_override(name, groups[name])


def _override(
    conf: cfg.ConfigOpts, name: str, group: str, item: document.Item
) -> None:
    listed = isinstance(item.value, list)
    value = fields.texts(item) if listed else item.value
    try:
        conf.set_override(name, value, group)
    except ValueError as error:
        raise item.place.error(str(error)) from None


def _field(kind: type, item: document.Item) -> Any:
    if kind is float:
        return fields.number(item)
    if kind is int:
        return fields.count(item)
    return fields.flag(item) if kind is bool else fields.text(item)


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
        storage_poll=conf.evidence.interval,
    )
    return Settings(
        policy=dataclasses.replace(
            assembly.policy(conf), device_check_interval=0.0
        ),
        intervals=intervals,
        heartbeats=sources.STORAGE in conf.evidence.drivers,
    )
