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

"""Scheduler options that Nova removed from ``[DEFAULT]`` in 24.0.0.

Nova ignores them without a word. One of them, the list of the filters in use,
can still be honoured: whoever offers filters is called before Nova reads
``[filter_scheduler] enabled_filters``. This module imports nothing of Nova,
so that a nova.conf can be examined where there is none.
"""

from collections.abc import Mapping, Sequence

from oslo_config import cfg
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

GROUP = "filter_scheduler"
ENABLED = "enabled_filters"
WEIGHERS = "weight_classes"
OLD_ENABLED = "scheduler_default_filters"
OLD_AVAILABLE = "scheduler_available_filters"
OLD_WEIGHERS = "scheduler_weight_classes"

OPTS = [
    cfg.ListOpt(OLD_ENABLED),
    cfg.MultiStrOpt(OLD_AVAILABLE),
    cfg.ListOpt(OLD_WEIGHERS),
]

SUCCESSORS: Mapping[str, str] = {
    OLD_ENABLED: ENABLED,
    OLD_AVAILABLE: "available_filters",
    OLD_WEIGHERS: WEIGHERS,
}
"""What each is called today, in the group :data:`GROUP`."""


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)


def modern(name: str, values: Sequence[str]) -> str:
    """What to write instead of an old option, in one line of text."""
    successor = SUCCESSORS[name]
    lines = (
        [f"{successor} = {one}" for one in values]
        if name == OLD_AVAILABLE
        else [f"{successor} = {', '.join(values)}"]
    )
    return f"[{GROUP}] {' and '.join(lines)}"


def honour(conf: cfg.ConfigOpts) -> None:
    """Let the old list of filters in use count, and warn of all old options.

    The list becomes the *default* of the modern option: one that the operator
    has set himself wins, whichever file or order it comes in.

    :param conf: Nova's, before it reads ``enabled_filters``.
    """
    register_opts(conf)
    for name in SUCCESSORS:
        values = conf[name]
        if not values:
            continue
        honoured = name == OLD_ENABLED and not is_set(conf, ENABLED, GROUP)
        if honoured:
            conf.set_default(ENABLED, list(values), group=GROUP)
        LOG.warning(
            "[DEFAULT] %s is no option of Nova since 24.0.0; it is %s. Write "
            "instead: %s",
            name,
            "honoured by nova_ha as long as the modern one is not set"
            if honoured
            else "ignored",
            modern(name, values),
        )


def is_set(conf: cfg.ConfigOpts, name: str, group: str | None = None) -> bool:
    """Whether an operator has chosen a value.

    An override by code does not count: oslo.config goes on naming it as the
    option's place when it has been cleared.

    :param group: the one of ``[DEFAULT]`` has no name.
    """
    found = conf.get_location(name, group)
    return found is not None and bool(found.location.is_user_controlled)
