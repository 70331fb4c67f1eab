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

"""Hosts as Nova's scheduler knows them, and what it asks about them."""

import types

from nova.objects import aggregate as aggregate_object
from nova.objects import instance_group
from nova.objects import request_spec
from nova.scheduler import host_manager
from nova.scheduler import weights
from oslo_utils import timeutils

from nova_ha.coordination import view as view_module
from nova_ha.core import model
from nova_ha.core import view as core_view

GUESTS = 40
RACK = 40
MEMBERS = 10
RACK_KEY = "rack"


class Cloud:
    """A host is lost, and one of its instances is evacuated: a member of a
    server group, so that nothing of ours has an easy answer. That would be
    an easy one for a filter that lets evacuations pass; so there is the
    group's next boot, too."""

    def __init__(self, size: int) -> None:
        self.states = [state(number) for number in range(size)]
        for first in range(0, size, RACK):
            rack = self.states[first : first + RACK]
            aggregates = _aggregates(rack, f"rack-{first // RACK}")
            for one in rack:
                one.aggregates = aggregates
        # One of each rack, which so is full.
        homes = self.states[:: RACK * 2][:MEMBERS]
        members = [next(iter(one.instances)) for one in homes]
        group = instance_group.InstanceGroup(
            policy="anti-affinity",
            members=[*members, uuid(0, 0)],
            hosts=["lost", *[one.host for one in homes]],
        )
        self.boot, self.evacuation = (
            request_spec.RequestSpec(
                instance_uuid=uuid(0, 0),
                scheduler_hints={},
                ignore_hosts=leaving,
                instance_group=group,
            )
            for leaving in (None, ["lost"])
        )
        self.weighed = [weights.WeighedHost(one, 0.0) for one in self.states]
        self.snapshot = _snapshot([one.host for one in self.states])


def uuid(host: int, guest: int) -> str:
    return f"00000000-0000-4000-8000-{host:08x}{guest:04x}"


def state(number: int) -> host_manager.HostState:
    name = f"cmp{number:05}"
    state = host_manager.HostState(name, name, "cell")
    state.service = {
        "host": name,
        "topic": "compute",
        "disabled": False,
        "forced_down": False,
        "last_seen_up": timeutils.utcnow(),
    }
    state.instances = {
        uuid(number + 1, guest): None for guest in range(GUESTS)
    }
    return state


def _aggregates(
    rack: list[host_manager.HostState], name: str
) -> list[aggregate_object.Aggregate]:
    hosts = [one.host for one in rack]
    return [
        aggregate_object.Aggregate(hosts=hosts, metadata=metadata)
        for metadata in ({RACK_KEY: name}, {"availability_zone": "az1"})
    ]


def _snapshot(names: list[str]) -> view_module.ViewSnapshot:
    """A hundredth of the hosts is out, as many are reserved, and as many are
    about to get an instance."""
    hosts = {
        model.HostName(name): core_view.HostView(
            schedulable=number % 100 != 0,
            reserved=number % 100 == 1,
            failure_domain=f"rack-{number // RACK}",
            storage_domain=f"ceph-{number % 2}",
        )
        for number, name in enumerate(names)
    }
    lost = model.HostName("lost")
    hosts[lost] = core_view.HostView(
        schedulable=False, absent=True, storage_domain="ceph-0"
    )
    return view_module.ViewSnapshot(
        hosts=types.MappingProxyType(hosts),
        arrivals={
            model.HostName(name): frozenset([model.InstanceId(f"of-{name}")])
            for name in names[::100]
        },
        age=0.5,
        connected=True,
    )
