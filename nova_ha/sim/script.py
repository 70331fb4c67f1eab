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

"""A fault script: a cloud, what goes wrong in it and when, what is expected.

Plain data. :mod:`nova_ha.sim.script_file` reads it from YAML and
:mod:`nova_ha.sim.script_dump` writes it; the fuzz makes it up.
"""

import dataclasses
from collections.abc import Mapping

from nova_ha.core import policy as policy_mod
from nova_ha.core.model import record

SECONDS = 300.0
"""How long a run lasts, unless its script says."""

NO_CASE = "none"
"""What stands for the case of a host that never had one."""

UNDETECTABLE = "undetectable"
"""A breach that only a device or an operator that lied has led to, about a
host that gave no sign of life: nobody could have known."""

ALLOWABLE = (UNDETECTABLE,)

Value = str | float | bool | tuple[str, ...]
"""Of a fault's parameter. Every number is a float."""


@record
class BmcSpec:
    """A host's fence device, as it behaves from the beginning."""

    mode: str = "prompt"
    """One of :data:`nova_ha.sim.devices` ' modes."""
    delay: float | None = None
    """Seconds until it has obeyed; None: its mode's own."""
    dead_with_host: bool = False
    """It has no power of its own: it dies with its host's feed."""
    controls: str = ""
    """The host that it really controls, if it is not its own."""
    anonymous: bool = False
    """It does not tell which machine it controls."""


@record
class HostSpec:
    """One hypervisor."""

    name: str
    failure_domain: str = ""
    storage_domain: str = ""
    """As the operator says."""
    marker: str = ""
    """The storage domain that its agent proves."""
    bmc: BmcSpec | None = BmcSpec()
    """Of its first fence level; None: no device is configured for it."""
    further_bmcs: tuple[BmcSpec, ...] = ()
    """One of each further level."""
    colocated: tuple[str, ...] = ()
    """What else runs on it (``engine``, ``zookeeper``, ``controller``): such
    a host is protected."""
    drift: float = 0.0
    """By how much its clocks are too fast: 0.0001 is 0.1 ms in a second."""
    boot_seconds: float = 20.0
    room: int = 64
    """For how many instances."""

    @property
    def levels(self) -> tuple[BmcSpec, ...]:
        """The devices of all levels, in the order in which they are tried."""
        return () if self.bmc is None else (self.bmc, *self.further_bmcs)


@record
class EngineSpec:
    """One engine process, on a controller of its own."""

    name: str
    drift: float = 0.0


@record
class InstanceSpec:
    """One server, as it is at the beginning."""

    name: str
    host: str
    state: str = "active"
    """Nova's vm_state."""
    off: bool = False
    """Its guest does not run."""
    image: str = ""
    """What its root disk is a copy of; empty: that is a volume."""
    project: str = ""
    metadata: tuple[str, ...] = ()
    """Each as ``key=value``."""
    flavor: tuple[str, ...] = ()
    """Extra specs, likewise."""


@record
class ZooKeeperSpec:
    """The ensemble."""

    members: int = 3
    tick: float = 0.5
    """Seconds."""


@record
class Intervals:
    """Settings of an engine's adapters that the core does not decide by,
    in seconds. The defaults are those of :mod:`nova_ha.conf`."""

    service_poll: float = 1.0
    """Between two looks at Nova's service reports."""
    fence_poll: float = 0.5
    """Between two questions for a host's power state."""
    fence_call: float = 10.0
    """Deadline of one conversation with a device."""
    storage_poll: float = 2.0
    """Between two looks at the storage heartbeats."""


@record
class Cloud:
    """What there is when a run begins: everything works."""

    hosts: tuple[HostSpec, ...]
    instances: tuple[InstanceSpec, ...] = ()
    engines: tuple[EngineSpec, ...] = ()
    zookeeper: ZooKeeperSpec = ZooKeeperSpec()
    intervals: Intervals = Intervals()
    armed: bool = True
    heartbeats: bool = False
    """Agents write storage heartbeats, and engines read them."""

    @property
    def host_names(self) -> tuple[str, ...]:
        return tuple(host.name for host in self.hosts)

    @property
    def engine_names(self) -> tuple[str, ...]:
        return tuple(engine.name for engine in self.engines)

    @property
    def instance_names(self) -> tuple[str, ...]:
        return tuple(instance.name for instance in self.instances)


@record
class Trigger:
    """The moment at which something has just happened in the run."""

    code: str
    """Of the journal's entry, such as ``case.evacuating``."""
    of: str = ""
    """Only entries about this host, engine or instance."""
    count: int = 1
    """The how-manieth such entry."""
    after: float = 0.0
    """Seconds after it."""


@record
class Fault:
    """Something that is done to the cloud once."""

    verb: str
    """One of :data:`nova_ha.sim.faults.VERBS`."""
    targets: tuple[str, ...] = ()
    at: float = 0.0
    """Seconds since the beginning, where there is no ``when``."""
    when: Trigger | None = None
    lasts: float | None = None
    """Undone after so many seconds; None: it stays."""
    parameters: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    line: int = 0
    """Where it stands in its file; 0: nowhere."""


@record
class ExpectCase:
    """How a host's latest case stands at the end."""

    host: str
    case: str
    """A state of a case, or :data:`NO_CASE`."""
    line: int = 0


@record
class ExpectInstance:
    """Where an instance's guest runs at the end, by the truth."""

    instance: str
    on: tuple[str, ...] | None = None
    """On one of these, and nowhere else; empty: nowhere at all; None: this
    does not matter."""
    not_on: tuple[str, ...] = ()
    line: int = 0


@record
class ExpectCode:
    """How often something is in the journal."""

    code: str
    of: str = ""
    least: int = 1
    most: int | None = None
    line: int = 0


@record
class ExpectFenced:
    """Exactly these hosts' devices were told to power off."""

    hosts: tuple[str, ...]
    line: int = 0


Expectation = ExpectCase | ExpectInstance | ExpectCode | ExpectFenced


@record
class Script:
    """A whole run."""

    name: str
    cloud: Cloud
    policy: policy_mod.Policy = policy_mod.Policy()
    seconds: float = SECONDS
    """How long it lasts."""
    seed: int = 1
    faults: tuple[Fault, ...] = ()
    allow: tuple[str, ...] = ()
    """What may happen without failing the run: some of
    :data:`ALLOWABLE`."""
    expect: tuple[Expectation, ...] = ()
