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

from collections.abc import Collection
from typing import Any

import stevedore
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

FILTERS = "nova_ha.scheduler.filters"
WEIGHERS = "nova_ha.scheduler.weighers"


def all_filters() -> list[type]:
    """Filter classes of the namespace ``nova_ha.scheduler.filters``."""
    # Nova is imported when it asks, and not before: the rest of nova_ha and
    # its tools work where there is no Nova.
    from nova.scheduler import filters

    return load(FILTERS, filters.all_filters())


def all_weighers() -> list[type]:
    """Weigher classes of the namespace ``nova_ha.scheduler.weighers``."""
    from nova.scheduler import weights

    return load(WEIGHERS, weights.all_weighers())


def load(namespace: str, in_tree: Collection[type]) -> list[type]:
    """Load the classes of a namespace, by name.

    Nova looks filters up by class name, and a later one silently shadows an
    earlier one: a class named as one of Nova's or as another plug-in is left
    out. One that cannot be imported is, too: it must not keep the scheduler
    from starting unless it is enabled, and then Nova itself names it.
    """
    manager = stevedore.ExtensionManager(
        namespace, on_load_failure_callback=_tell_failure
    )
    taken = {one.__name__: f"Nova's {one.__module__}" for one in in_tree}
    loaded: list[type] = []
    for extension in sorted(manager, key=lambda one: str(one.name)):
        found: object = extension.plugin
        name = getattr(found, "__name__", "")
        if not isinstance(found, type):
            LOG.error("%s: %s is no class", namespace, extension.name)
        elif name in taken:
            LOG.error(
                "%s: %s is not offered, its class %s has the name of %s",
                namespace,
                extension.name,
                name,
                taken[name],
            )
        else:
            taken[name] = f"plug-in {extension.name}"
            loaded.append(found)
    return loaded


def _tell_failure(
    manager: stevedore.ExtensionManager[Any],
    entry_point: Any,
    error: BaseException,
) -> None:
    LOG.error(
        "%s: %s (%s) cannot be loaded: %s",
        manager.namespace,
        entry_point.name,
        entry_point.value,
        error,
    )
