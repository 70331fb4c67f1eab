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

"""Chance, by a seed: a cloud, and what happens when to whom in it."""

import math
import random

from nova_ha.sim import script
from nova_ha.sim.script import Fault
from nova_ha.sim.script import Trigger

MOMENTS = (
    "case.opened",
    "case.fencing",
    "bmc.off-sent",
    "bmc.off-done",
    "case.fenced",
    "nova.force-down",
    "case.evacuating",
    "nova.evacuate-sent",
    "nova.evacuate-accepted",
    "nova.migration",
    "guest.started",
    "instance.evacuated",
    "case.evacuated",
    "case.returning",
    "case.soaking",
    "machine.booted",
    "zookeeper.expired",
)
"""When it hurts."""


class Dice:
    """Chance, and what there is to hit."""

    def __init__(self, seed: int, hosts: int, seconds: float) -> None:
        self.random = random.Random(seed)
        self.seconds = seconds
        """How long troubles go on."""
        self.cloud = _cloud(self.random, hosts)

    def host(self) -> str:
        return self.random.choice(self.cloud.host_names)

    def engine(self) -> str:
        return self.random.choice(self.cloud.engine_names)

    def node(self) -> str:
        return self.random.choice(
            self.cloud.host_names + self.cloud.engine_names
        )

    def instance(self) -> str:
        return self.random.choice(self.cloud.instance_names)

    def span(self, most: float) -> float:
        """Short spans are as likely as long ones, in seconds."""
        chance: float = self.random.random()
        return round(0.1 * math.exp(chance * math.log(10.0 * most)), 1)

    def fault(
        self,
        verb: str,
        target: str = "",
        lasts: float | None = None,
        **parameters: script.Value,
    ) -> Fault:
        """One that happens at some time, or in the middle of something."""
        targets = (target,) if target else ()
        given = {name.rstrip("_"): one for name, one in parameters.items()}
        if self.random.random() < 0.4:
            at = round(self.random.uniform(0.0, self.seconds), 1)
            return Fault(
                verb=verb,
                targets=targets,
                at=at,
                lasts=lasts,
                parameters=given,
            )
        trigger = Trigger(
            code=self.random.choice(MOMENTS),
            count=self.random.choice((1, 1, 1, 2, 3)),
            after=self.random.choice((0.0, 0.0, self.span(20.0))),
        )
        return Fault(
            verb=verb,
            targets=targets,
            when=trigger,
            lasts=lasts,
            parameters=given,
        )


def _cloud(dice: random.Random, most: int) -> script.Cloud:
    count = dice.randint(3, max(3, most))
    racks = dice.choice((0, 0, 0, 2))
    hosts = tuple(
        script.HostSpec(
            name=f"host-{number}",
            failure_domain=f"rack-{number % racks + 1}" if racks else "",
            bmc=_bmc(dice),
            drift=dice.choice((0.0, 0.0, 0.0005, -0.0005)),
        )
        for number in range(1, count + 1)
    )
    instances = tuple(
        script.InstanceSpec(
            name=f"instance-{number}", host=dice.choice(hosts).name
        )
        for number in range(1, dice.randint(2, 2 * count) + 1)
    )
    engines = tuple(
        script.EngineSpec(
            name=f"engine-{number}", drift=dice.choice((0.0, 0.0005, -0.0005))
        )
        for number in range(1, dice.choice((2, 2, 3)) + 1)
    )
    return script.Cloud(hosts=hosts, instances=instances, engines=engines)


def _bmc(dice: random.Random) -> script.BmcSpec | None:
    chance = dice.random()
    if chance < 0.03:
        return None
    if chance < 0.2:
        return script.BmcSpec(delay=round(dice.uniform(0.1, 8.0), 1))
    return script.BmcSpec(dead_with_host=chance < 0.4)
