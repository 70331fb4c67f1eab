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

"""Finds evidence drivers by name (stevedore)."""

from collections.abc import Sequence
from importlib import metadata

import stevedore
from stevedore import exception as stevedore_errors

from nova_ha import exception
from nova_ha.core import sources
from nova_ha.evidence import base

OPTION = "[evidence] drivers"


def load(names: Sequence[str], around: base.Surroundings) -> list[base.Driver]:
    """Make the drivers, each once.

    :raises ConfigError: one is unknown, broken or lacks a setting, or Nova's
        is missing: no host can be judged dead without it.
    """
    if sources.NOVA not in names:
        raise exception.ConfigError(
            OPTION,
            f"{sources.NOVA!r} is not among {', '.join(names) or 'none'}",
            "add it: without Nova's word no host is judged dead",
        )
    return [
        _find(name).from_surroundings(around) for name in dict.fromkeys(names)
    ]


def _find(name: str) -> type[base.Driver]:
    failures: list[BaseException] = []
    try:
        found = stevedore.DriverManager[object](
            base.NAMESPACE,
            name,
            on_load_failure_callback=lambda _m, _e, error: failures.append(
                error
            ),
            warn_on_missing_entrypoint=False,
        ).driver
    except stevedore_errors.NoMatches:
        if failures:
            raise exception.ConfigError(
                OPTION, f"{name} cannot be loaded: {failures[0]}"
            ) from None
        known = sorted(metadata.entry_points(group=base.NAMESPACE).names)
        raise exception.ConfigError(
            OPTION,
            f"{name!r} is not known",
            f"known are: {', '.join(known) or 'none; reinstall nova-ha'}",
        ) from None
    if not (isinstance(found, type) and issubclass(found, base.Driver)):
        raise exception.ConfigError(OPTION, f"{name} is no evidence driver")
    return found
