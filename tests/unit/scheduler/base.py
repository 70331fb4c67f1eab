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
"""Filters and weighers of ours among Nova's own objects."""

import dataclasses
import uuid
from typing import Any
from unittest import mock

from nova import conf as nova_conf
from nova.objects import aggregate as aggregate_object
from nova.objects import instance_group
from nova.objects import request_spec
from nova.scheduler import host_manager
from oslo_config import fixture

from nova_ha.coordination import view as view_module
from nova_ha.core import view as core_view
from nova_ha.scheduler import sight
from tests import base

INSTANCE, MEMBER, OTHER = (str(uuid.UUID(int=number)) for number in (1, 2, 3))

GONE = core_view.HostView(schedulable=False, absent=True)


class View:
    """Says what a test wants to be known."""

    def __init__(self) -> None:
        self.known = view_module.ViewSnapshot(age=1.0)

    def snapshot(self) -> view_module.ViewSnapshot:
        return self.known


class SchedulerTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.view = View()
        sight.options(nova_conf.CONF)
        self.nova = self.useFixture(fixture.Config(nova_conf.CONF))
        self.patch(
            sight,
            "shared",
            lambda conf: sight.Sight(
                self.view,
                max_age=30.0,
                fail_closed=conf.nova_ha.fail_closed,
            ),
        )

    def patch(self, *args: Any) -> None:
        patcher = mock.patch.object(*args)
        patcher.start()
        self.addCleanup(patcher.stop)

    def set(self, **options: Any) -> None:
        """Options of nova.conf."""
        self.nova.config(group="nova_ha", **options)

    def know(
        self,
        hosts: dict[str, core_view.HostView] | None = None,
        **changes: Any,
    ) -> None:
        known: dict[str, Any] = {"hosts": hosts or {}, **changes}
        self.view.known = dataclasses.replace(self.view.known, **known)


def host(**changes: Any) -> core_view.HostView:
    return core_view.HostView(schedulable=True, **changes)


def state(
    name: str,
    *instances: str,
    aggregates: list[aggregate_object.Aggregate] | None = None,
) -> host_manager.HostState:
    found = host_manager.HostState(name, name, "cell")
    found.instances = dict.fromkeys(instances)
    found.aggregates = aggregates or []
    return found


def states(*names: str) -> list[host_manager.HostState]:
    return [state(name) for name in names]


def names(found: list[Any]) -> list[str]:
    return [one.host for one in found]


def aggregate(*hosts: str, **metadata: str) -> aggregate_object.Aggregate:
    return aggregate_object.Aggregate(hosts=list(hosts), metadata=metadata)


def spec(**fields: Any) -> request_spec.RequestSpec:
    return request_spec.RequestSpec(
        **{"instance_uuid": INSTANCE, "scheduler_hints": {}, **fields}
    )


def leaving(*hosts: str, **fields: Any) -> request_spec.RequestSpec:
    """A migration or an evacuation: Nova says the same of both."""
    return spec(ignore_hosts=list(hosts), **fields)


def rebuild() -> request_spec.RequestSpec:
    return spec(scheduler_hints={"_nova_check_type": ["rebuild"]})


def group(
    *hosts: str, policy: str = "anti-affinity"
) -> instance_group.InstanceGroup:
    return instance_group.InstanceGroup(
        policy=policy, members=[INSTANCE, MEMBER, OTHER], hosts=list(hosts)
    )
