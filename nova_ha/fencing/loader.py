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


"""Finds fence drivers by name (stevedore)."""

from collections.abc import Callable
from importlib import metadata

import stevedore
from stevedore import exception as stevedore_errors

from nova_ha.fencing import base

DriverFinder = Callable[[str], type[base.FenceDriver]]
"""Gives the class of a driver.

:raises LookupError: there is none of that name; says which there are.
:raises ImportError: it needs something that is not installed.
"""

_EXTRAS = {"redfish": "pip install nova-ha[redfish]"}


def find_driver(name: str) -> type[base.FenceDriver]:
    """A driver class from the namespace ``nova_ha.fencing``; see
    :data:`DriverFinder`. Only the named one is imported."""
    failures: list[BaseException] = []
    try:
        manager = stevedore.DriverManager[object](
            base.NAMESPACE,
            name,
            on_load_failure_callback=lambda _m, _e, error: failures.append(
                error
            ),
            warn_on_missing_entrypoint=False,
        )
    except stevedore_errors.NoMatches:
        if failures:
            hint = _EXTRAS.get(name, "")
            raise ImportError(
                f"driver {name} cannot be loaded: {failures[0]}"
                + (f"; {hint}" if hint else "")
            ) from None
        raise LookupError(
            f"there is no driver {name!r}; known are: {', '.join(known())}"
        ) from None
    driver = manager.driver
    if not (isinstance(driver, type) and issubclass(driver, base.FenceDriver)):
        raise LookupError(f"{name} is not a fence driver")
    return driver


def known() -> list[str]:
    """Names of all installed drivers, without importing them."""
    entries = metadata.entry_points(group=base.NAMESPACE)
    return sorted(entry.name for entry in entries)
