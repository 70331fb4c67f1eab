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

"""Finds the filters and weighers that are installed."""

import dataclasses
from collections.abc import Iterable, Mapping
from importlib import metadata

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import exception
from nova_ha.scheduler.legacy import settings

LOG = logging.getLogger(__name__)

FILTERS = "nova_ha.scheduler.filters"
WEIGHERS = "nova_ha.scheduler.weighers"

_OURS = "nova_ha.scheduler."
_LEGACY = f"{_OURS}legacy."


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """What a namespace holds."""

    classes: tuple[type, ...]
    unusable: Mapping[str, str]
    """Why a class is not offered, by the names it could be enabled with."""
    foreign: Mapping[type, str]
    """Where those classes are from that are none of ours."""


def all_filters() -> list[type]:
    """Filter classes of the namespace ``nova_ha.scheduler.filters``.

    :raises ConfigError: a filter that is enabled cannot be used; says why.
    """
    # Nova is imported when it asks, and not before: the rest of nova_ha and
    # its tools work where there is no Nova.
    from nova import conf as nova_conf
    from nova.scheduler import filters

    settings.honour(nova_conf.CONF)
    options = nova_conf.CONF.filter_scheduler
    taken = _taken(filters.all_filters(), options.available_filters)
    offer = load(FILTERS, filters.BaseHostFilter, taken)
    _refuse_unusable(options, offer, taken)
    for one, source in offer.foreign.items():
        if one.__name__ in options.enabled_filters:
            _try_out(one, source, settings.ENABLED, "take it out of the list")
    return list(offer.classes)


def all_weighers() -> list[type]:
    """Weigher classes of the namespace ``nova_ha.scheduler.weighers``.

    :raises ConfigError: one of them cannot be made; says why. All of them are
        in use, as weighers are not enabled one by one.
    """
    from nova import conf as nova_conf
    from nova.scheduler import weights

    listed = nova_conf.CONF.filter_scheduler.weight_classes
    taken = _taken(weights.all_weighers(), listed)
    offer = load(WEIGHERS, weights.BaseHostWeigher, taken)
    for one, source in offer.foreign.items():
        _try_out(one, source, settings.WEIGHERS, "remove its package")
    return list(offer.classes)


def _taken(in_tree: Iterable[type], listed: Iterable[str]) -> dict[str, str]:
    """Whose the class names are that others than plug-ins provide.

    :param listed: what Nova loads by dotted name: functions, which cannot be
        known here, and classes.
    """
    direct = {one.rpartition(".")[2]: f"{one} in nova.conf" for one in listed}
    return direct | {
        one.__name__: f"Nova's {one.__module__}" for one in in_tree
    }


def _refuse_unusable(
    options: cfg.ConfigOpts, offer: Offer, taken: Mapping[str, str]
) -> None:
    """Nova would only say that there is no such filter."""
    offered = {one.__name__ for one in offer.classes} | taken.keys()
    for name in options.enabled_filters:
        if name in offer.unusable and name not in offered:
            raise exception.ConfigError(
                f"[{settings.GROUP}] {settings.ENABLED}",
                f"{name} cannot be used: {offer.unusable[name]}",
                "repair the plug-in, or take it out of the list",
            )


def _try_out(wanted: type, source: str, option: str, way_out: str) -> None:
    """Make one, as Nova is about to: its error would not say whose it is."""
    try:
        wanted()
    # Whatever somebody else's code does, ending the process included.
    except (Exception, SystemExit) as error:
        raise exception.ConfigError(
            f"[{settings.GROUP}] {option}",
            f"{wanted.__name__} ({source}) cannot be used, making one fails: "
            f"{type(error).__name__}: {error}",
            f"repair the plug-in, or {way_out}",
        ) from error


def load(namespace: str, base: type, taken: Mapping[str, str]) -> Offer:
    """Load the classes of a namespace.

    Nova looks filters up by class name, and a later one silently shadows an
    earlier one: a class that has the name of another one is left out. One
    that cannot be used is, too: it must not keep the scheduler from starting
    unless it is enabled.

    :param base: what all of them have to be derived from.
    :param taken: class names that are somebody else's already, and whose.
    """
    owners = dict(taken)
    classes: list[type] = []
    unusable: dict[str, str] = {}
    foreign: dict[type, str] = {}
    for entry in _entries(namespace):
        try:
            found = _class_of(entry, base)
        except _Unusable as error:
            LOG.error("%s: %s: %s", namespace, entry.name, error)
            unusable |= dict.fromkeys((entry.name, entry.attr), str(error))
            continue
        name = found.__name__
        if name in owners:
            _tell_clash(entry, name, owners[name])
            continue
        owners[name] = f"plug-in {entry.name} ({entry.value})"
        classes.append(found)
        if not entry.value.startswith(_OURS):
            foreign[found] = entry.value
    return Offer(tuple(classes), unusable, foreign)


def _entries(namespace: str) -> list[metadata.EntryPoint]:
    """By name, ours for old configurations last: they give way to anybody's.

    Read directly, as stevedore, whose namespaces they are, lets a plug-in
    that fails an assertion while it is imported stop its caller.
    """
    return sorted(
        metadata.entry_points(group=namespace),
        key=lambda one: (is_legacy(one.value), one.name, one.value),
    )


def is_legacy(value: str) -> bool:
    """Whether an entry point's value is one of ours for old configurations."""
    return value.startswith(_LEGACY)


class _Unusable(Exception):
    """A plug-in cannot be loaded, or is not what it should be."""


def _class_of(entry: metadata.EntryPoint, base: type) -> type:
    try:
        found: object = entry.load()
    # Whatever somebody else's module does while it is imported, ending the
    # process included.
    except (Exception, SystemExit) as error:
        raise _Unusable(
            f"{entry.value} cannot be imported: {type(error).__name__}: "
            f"{error}"
        ) from None
    if not (isinstance(found, type) and issubclass(found, base)):
        raise _Unusable(f"{entry.value} is not a {base.__name__}")
    return found


def _tell_clash(entry: metadata.EntryPoint, name: str, owner: str) -> None:
    if is_legacy(entry.value):
        LOG.debug("%s of %s is used, not %s", name, owner, entry.value)
        return
    LOG.error(
        "%s: %s is not offered, its class %s has the name of %s",
        entry.group,
        entry.name,
        name,
        owner,
    )
