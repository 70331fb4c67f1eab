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

"""What an old nova.conf asks of a scheduler that no longer does it.

Works on the text alone: where the engine or an operator's shell runs, there
need not be a Nova.
"""

import dataclasses
import enum
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata

from oslo_config import cfg

from nova_ha.scheduler import loading
from nova_ha.scheduler.legacy import settings

NOVAS = "nova.scheduler.filters.all_filters"
OURS = "nova_ha.scheduler.all_filters"

_ADD_OURS = f"add to [filter_scheduler]: available_filters = {OURS}"


class Weight(enum.Enum):
    """How bad a finding is."""

    ADVICE = "advice"
    """The scheduler does what the file says, or nearly."""
    SERIOUS = "serious"
    """It does not start, or does something else."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a nova.conf, and what to do about it."""

    weight: Weight
    text: str


_IN_FILTER_SCHEDULER = (
    "aggregate_image_properties_isolation_namespace",
    "aggregate_image_properties_isolation_separator",
    "disk_weight_multiplier",
    "io_ops_weight_multiplier",
    "isolated_hosts",
    "isolated_images",
    "max_instances_per_host",
    "max_io_ops_per_host",
    "ram_weight_multiplier",
    "restrict_isolated_hosts_to_isolated_images",
    "soft_affinity_weight_multiplier",
    "soft_anti_affinity_weight_multiplier",
)

_MOVED: Mapping[str, str] = {
    name: f"[filter_scheduler] {name}" for name in _IN_FILTER_SCHEDULER
} | {
    "scheduler_host_subset_size": "[filter_scheduler] host_subset_size",
    "scheduler_max_attempts": "[scheduler] max_attempts",
    "scheduler_tracks_instance_changes": (
        "[filter_scheduler] track_instance_changes"
    ),
}
"""Further options of ``[DEFAULT]`` that Nova ignores, and today's names."""

_NO_LONGER: Sequence[str] = (
    "baremetal_scheduler_default_filters",
    "scheduler_driver",
    "scheduler_host_manager",
    "scheduler_json_config_location",
    "scheduler_use_baremetal_filters",
)
"""Options of ``[DEFAULT]`` that Nova ignores and has nothing like."""

_GONE_FILTERS = frozenset(
    {
        "ExactCoreFilter",
        "ExactDiskFilter",
        "ExactRamFilter",
        "TrustedFilter",
    }
)
"""Filters that Nova removed and nobody offers."""

_GROUP_OPTS = [
    cfg.MultiStrOpt("available_filters", default=[NOVAS]),
    cfg.ListOpt("enabled_filters", default=[]),
    cfg.ListOpt("weight_classes", default=[]),
]


def read(files: Sequence[str]) -> cfg.ConfigOpts:
    """Read files as nova-scheduler would.

    :raises cfg.Error: one is missing, closed to this user or malformed.
    """
    conf = cfg.ConfigOpts()
    settings.register_opts(conf)
    conf.register_opts([cfg.StrOpt(name) for name in (*_MOVED, *_NO_LONGER)])
    conf.register_opts(_GROUP_OPTS, group=settings.GROUP)
    # Nothing of this process's environment or of /etc counts.
    conf([], default_config_files=list(files), default_config_dirs=[])
    return conf


def examine(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """Yield what is wrong.

    :param conf: from :func:`read`.
    :raises cfg.Error: a value cannot be read.
    """
    yield from _default_filters(conf)
    for name in (settings.OLD_AVAILABLE, settings.OLD_WEIGHERS):
        yield from _unheard(conf, name)
    for name, successor in _MOVED.items():
        if settings.is_set(conf, name):
            yield Finding(
                Weight.ADVICE,
                f"[DEFAULT] {name} is ignored by Nova: it is {successor} now",
            )
    for name in _NO_LONGER:
        if settings.is_set(conf, name):
            yield Finding(
                Weight.ADVICE,
                f"[DEFAULT] {name} is ignored by Nova, and can be removed",
            )
    yield from _enabled(conf)


def _default_filters(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    names = conf.scheduler_default_filters
    if not names:
        return
    old = f"[DEFAULT] {settings.OLD_ENABLED} is ignored by Nova"
    if settings.is_set(conf, settings.ENABLED, settings.GROUP):
        yield Finding(
            Weight.ADVICE,
            f"{old}, and by nova_ha as [filter_scheduler] enabled_filters is "
            "set: remove it",
        )
        return
    write = f"write instead: {settings.modern(settings.OLD_ENABLED, names)}"
    if _offers_ours(conf):
        yield Finding(
            Weight.ADVICE, f"{old}, and only honoured by nova_ha: {write}"
        )
    else:
        yield Finding(
            Weight.SERIOUS,
            f"{old}, which uses its own default filters: {write}",
        )


def _offers_ours(conf: cfg.ConfigOpts) -> bool:
    return OURS in conf.filter_scheduler.available_filters


def _unheard(conf: cfg.ConfigOpts, name: str) -> Iterator[Finding]:
    """An old list that nobody reads, whose entries are missed or not."""
    values = conf[name]
    if not values:
        return
    there = conf.filter_scheduler[settings.SUCCESSORS[name]]
    old = f"[DEFAULT] {name} is ignored by Nova"
    missed = [one for one in values if one not in there]
    if missed:
        yield Finding(
            Weight.SERIOUS,
            f"{old}: write instead: {settings.modern(name, values)}",
        )
    else:
        yield Finding(Weight.ADVICE, f"{old}: remove it")


def _enabled(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """What is wrong with the filters in use."""
    enabled = conf.filter_scheduler.enabled_filters
    if not settings.is_set(conf, settings.ENABLED, settings.GROUP):
        enabled = conf.scheduler_default_filters or []
    ours = _installed()
    wanted = [name for name in enabled if name in ours]
    if wanted and not _offers_ours(conf):
        yield Finding(
            Weight.SERIOUS,
            f"filters of nova_ha are named ({', '.join(wanted)}), but not "
            f"available: {_ADD_OURS}",
        )
    if set(enabled) - ours.keys() and not _offers_novas(conf):
        yield Finding(
            Weight.ADVICE,
            "Nova's own filters are not available: add to [filter_scheduler]: "
            f"available_filters = {NOVAS}",
        )
    legacy = [one for one in wanted if loading.is_legacy(ours[one])]
    if legacy:
        yield Finding(
            Weight.ADVICE,
            "legacy filters, which are not needed any more: "
            f"{', '.join(legacy)}",
        )
    gone = [one for one in enabled if one in _GONE_FILTERS]
    if gone:
        yield Finding(
            Weight.SERIOUS,
            "nova-scheduler does not start with filters that are not part of "
            f"Nova any more: remove {', '.join(gone)}",
        )


def _installed() -> Mapping[str, str]:
    """Filters of our namespace: name and where it is."""
    return {
        one.name: one.value
        for one in metadata.entry_points(group=loading.FILTERS)
    }


def _offers_novas(conf: cfg.ConfigOpts) -> bool:
    return NOVAS in conf.filter_scheduler.available_filters
