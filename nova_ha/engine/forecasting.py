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

"""Looks at the world as an engine would, and says what it would do about a
host; does nothing."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nova_ha import ports
from nova_ha.core import brake
from nova_ha.core import events
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import forecast as forecast_mod
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.core import verdict as verdict_mod
from nova_ha.core import world as world_mod
from nova_ha.engine import surveying


@dataclasses.dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast, and what Nova says of the host's nova-compute; None: it
    knows none of that name."""

    forecast: forecast_mod.Forecast
    service: model.ServiceReport | None


def look(
    request: model.EvacuationRequest,
    hosts: Mapping[model.HostName, model.HostFacts],
    cases: Mapping[model.HostName, model.RecoveryCase],
    compute: ports.Compute,
    policy: policy_mod.Policy,
    now: model.Now,
) -> Outlook:
    """What an engine would do that finds the host of the request off.

    :param hosts: all that ZooKeeper knows, with that one.
    :param cases: the open ones.
    :raises ComputeError: Nova or Placement could not be read.
    """
    services = {one.host: one for one in compute.services()}
    world = _world(request, hosts, cases, services, policy, now)
    step = forecast_mod.begin(world, request, now)
    survey = surveying.ask(compute, forecast_mod.question(step), _one_by_one)
    return Outlook(
        forecast=forecast_mod.end(step, survey, world, now),
        service=services.get(request.host),
    )


def _world(
    request: model.EvacuationRequest,
    hosts: Mapping[model.HostName, model.HostFacts],
    cases: Mapping[model.HostName, model.RecoveryCase],
    services: Mapping[model.HostName, model.ServiceReport],
    policy: policy_mod.Policy,
    now: model.Now,
) -> world_mod.World:
    """Armed, and with no brake: whether it may is another question."""
    fleet = fleet_mod.Fleet()
    for event in (
        events.HostsRead(hosts=hosts, complete=True),
        events.ServicesRead(services=services, began=now.mono),
    ):
        fleet.fold(event, now.mono)
    return world_mod.World(
        fleet=fleet,
        cases=cases,
        verdicts={
            view.host: verdict_mod.judge(
                view, cases.get(view.host), policy, now.mono, connected=True
            )
            for view in fleet
        },
        control=model.Control(armed=True),
        confirmations={},
        policy=policy,
        suspects=(),
        memory=brake.Memory(),
        requests={request.host: request},
    )


def _one_by_one(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    return [call() for call in calls]
