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

"""Asks Nova and Placement what a survey wants to know; changes nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nova_ha import ports
from nova_ha.core import actions
from nova_ha.core import model

Gather = Callable[[Sequence[Callable[[], Any]]], list[Any]]
"""Calls all of them, possibly at the same time; returns their results in
order, or raises the first error."""


def ask(
    compute: ports.Compute, action: actions.TakeSurvey, gather: Gather
) -> model.Survey:
    """All that the action asks for, but the power.

    :raises ComputeError: it could not be read; see :class:`ports.Compute`.
    """
    instances = None
    if action.instances:
        instances = tuple(compute.instances(action.host))
    migrations = {one.id: one for one in compute.migrations(action.host)}
    if action.histories:
        ids = {one.id for one in instances or ()} | set(action.pending)
        for history in gather([_history_of(compute, i) for i in sorted(ids)]):
            migrations.update({one.id: one for one in history})
    targets = None
    if action.targets:
        targets = tuple(compute.targets(_sizes(action, instances or ())))
    looks = (compute.instance(one) for one in action.look_at)
    return model.Survey(
        host=action.host,
        looks=tuple(one for one in looks if one is not None),
        migrations=tuple(migrations.values()),
        instances=instances,
        targets=targets,
    )


def _history_of(
    compute: ports.Compute, instance: model.InstanceId
) -> Callable[[], Sequence[model.Migration]]:
    return lambda: compute.instance_migrations(instance)


def _sizes(
    action: actions.TakeSurvey, instances: Iterable[model.Instance]
) -> list[dict[str, int]]:
    sizes = {
        tuple(sorted(one.items()))
        for one in (
            *action.requests,
            *(instance.resources for instance in instances),
        )
    }
    return [dict(one) for one in sorted(sizes)]
