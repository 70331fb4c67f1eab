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


"""Which instances an operator wants to have recovered.

Exclusions come first. Then the first of the instance's metadata, its flavor
and its image that has the key of the mark decides. The answer is a reason,
because the result of a case names every instance and why.
"""

from collections.abc import Collection, Mapping

from nova_ha.core import model
from nova_ha.core.rules import Rules

_YES = frozenset(["1", "t", "true", "on", "y", "yes"])
_NO = frozenset(["0", "f", "false", "off", "n", "no"])
"""As in oslo_utils.strutils, which the core does not import."""


def excluded(instance: model.Instance, rules: Rules) -> str:
    """Why an instance is left where it is; empty if it is to be recovered."""
    return (
        _by_project(instance, rules)
        or _by_list("metadata", instance.metadata, rules.excluded_metadata)
        or _by_list("flavor", instance.flavor_specs, rules.excluded_flavors)
        or _by_list("image", instance.image_properties, rules.excluded_images)
        or _by_mark(instance, rules)
        or _by_error(instance, rules)
    )


def boolean(text: str) -> bool | None:
    """An oslo boolean; None where it is none."""
    word = text.strip().lower()
    if word in _YES:
        return True
    return False if word in _NO else None


def _by_project(instance: model.Instance, rules: Rules) -> str:
    if instance.project and instance.project in rules.excluded_projects:
        return f"its project {instance.project} is excluded"
    return ""


def _by_list(
    where: str, values: Mapping[str, str], wanted: Collection[str]
) -> str:
    """:param wanted: ``key``, with any value, or ``key=value``."""
    for entry in wanted:
        key, told, value = entry.partition("=")
        found = values.get(key)
        if found is None:
            continue
        if not told or found.strip().lower() == value.strip().lower():
            return f"its {where} has {key}={found}, which is excluded"
    return ""


def _by_mark(instance: model.Instance, rules: Rules) -> str:
    unclear = ""
    for where, key, values in (
        ("metadata", rules.mark_metadata, instance.metadata),
        ("flavor", rules.mark_flavor, instance.flavor_specs),
        ("image", rules.mark_image, instance.image_properties),
    ):
        if not key or key not in values:
            continue
        wanted = boolean(values[key])
        if wanted is None:
            unclear = f": {where} {key}={values[key]} says neither yes nor no"
            continue
        return "" if wanted else f"its {where} says {key}={values[key]}"
    return f"it is not marked{unclear}" if rules.only_marked else ""


def _by_error(instance: model.Instance, rules: Rules) -> str:
    if instance.vm_state == "error" and not rules.evacuate_error:
        return "it is in ERROR, and those are left alone"
    return ""
