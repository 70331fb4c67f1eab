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

"""A whole cloud in virtual time, put together from a script's first part."""

from collections.abc import Iterable, Mapping

from nova_ha.assembly import tree_store
from nova_ha.coordination import acl
from nova_ha.coordination import paths as paths_mod
from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from nova_ha.sim import agents
from nova_ha.sim import devices
from nova_ha.sim import engines as engines_mod
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines as machines_mod
from nova_ha.sim import network
from nova_ha.sim import nova as nova_mod
from nova_ha.sim import operators
from nova_ha.sim import parts as parts_mod
from nova_ha.sim import script
from nova_ha.sim import shared_storage
from nova_ha.sim import zookeeper
from nova_ha.sim.invariants import checker
from nova_ha.sim.invariants import tree_log
from nova_ha.sim.invariants import truth

WARM_UP = 60.0
"""Seconds before the beginning, in which the cloud settles: hosts are
enrolled, an engine leads, each source has been seen to move."""

NAMESPACE = "simulated"


class World:
    """Machines, servers, devices, engines and an operator.

    :param cloud: what there is.
    :param policy: what the engines decide by.
    :param seed: of all chance in the run.
    :param variant: changes the engines, to see that mistakes are found.
    """

    def __init__(
        self,
        cloud: script.Cloud,
        policy: policy_mod.Policy,
        seed: int,
        variant: engines_mod.Variant | None = None,
    ) -> None:
        self.cloud = cloud
        self.parts = _parts(cloud, policy, seed)
        self.kernel = self.parts.kernel
        self.journal = self.parts.journal
        self.networks = self.parts.networks
        self.zookeeper = self.parts.zookeeper
        self.nova = self.parts.nova
        self.machines = self.parts.machines
        self.bmcs = self.parts.bmcs
        self.engines = {
            spec.name: engines_mod.SimEngine(
                spec, self.parts, cloud.intervals, variant
            )
            for spec in cloud.engines
        }
        self.operator = self._operator()
        self.checker = checker.Checker(self._truth())
        self.journal.listeners.append(self.checker.noted)
        self.zookeeper.listeners.append(self.checker.changed)
        self._settle()

    def run(self, until: float) -> None:
        """Let time pass until so many seconds after the beginning."""
        self.kernel.run(until)

    def close(self) -> None:
        """Release what the programs hold."""
        self.kernel.close()

    # -- the beginning --------------------------------------------------------

    def _operator(self) -> operators.Operator:
        program = kernel_mod.Program(self.kernel, operators.NAME)
        session = self.zookeeper.client(
            program, operators.NAME, user=acl.Role.OPERATOR.value
        )
        store = tree_store.TreeStore(session, self.parts.paths, program.clock)
        return operators.Operator(
            program, session, self.parts.paths, store, self.journal
        )

    def _truth(self) -> truth.Truth:
        parts = self.parts
        return truth.Truth(
            clock=lambda: parts.kernel.now,
            machines=parts.machines,
            engines=list(self.engines),
            tree=tree_log.TreeLog(parts.paths, lambda: parts.kernel.now),
            policy=parts.policy,
            leader=self.leader,
            service=lambda host: parts.nova.service(host),
            servers=lambda: parts.nova.servers,
            nova_delay=lambda: parts.nova.api_latency,
            report_interval=parts.nova.report_interval,
        )

    def _boot(self, spec: script.InstanceSpec) -> None:
        self.nova.boot(
            model.InstanceId(spec.name),
            spec.host,
            vm_state=spec.state,
            off=spec.off,
            image=spec.image,
            project=spec.project,
            metadata=_mapping(spec.metadata),
            flavor_specs=_mapping(spec.flavor),
        )

    def leader(self) -> str | None:
        """The engine that leads by the truth: the owner of the first node
        of the election, if its session has not ended."""
        lowest = self.zookeeper.lowest_child(self.parts.paths.leader)
        return lowest.program if lowest is not None and lowest.alive else None

    def _settle(self) -> None:
        """Everything is installed, started, and has been there for a while."""
        self.operator.init()
        for host in self.machines:
            self.operator.enrol(host)
        self.run(-WARM_UP + 1.0)
        for instance in self.cloud.instances:
            self._boot(instance)
        for machine in self.machines.values():
            machine.start()
        for engine in self.engines.values():
            # One after the other, so that the first of them leads.
            engine.start()
            self.run(self.kernel.now + 1.0)
        if self.cloud.armed:
            self.operator.arm()
        self.run(-WARM_UP / 2)
        for spec in self.cloud.hosts:
            if spec.failure_domain or spec.storage_domain:
                self.operator.domains(
                    spec.name, spec.failure_domain, spec.storage_domain
                )
        self.run(0.0)


def _parts(
    cloud: script.Cloud, policy: policy_mod.Policy, seed: int
) -> parts_mod.Parts:
    kernel = kernel_mod.Kernel(seed, begin=-WARM_UP)
    journal = journal_mod.Journal(kernel)
    networks = network.Networks()
    paths = paths_mod.Paths(NAMESPACE)
    ensemble = zookeeper.Ensemble(
        kernel,
        networks,
        journal,
        members=cloud.zookeeper.members,
        tick=cloud.zookeeper.tick,
    )
    machines = {
        spec.name: _machine(spec, kernel, networks, journal)
        for spec in cloud.hosts
    }
    share = (
        shared_storage.Share(kernel, networks) if cloud.heartbeats else None
    )
    for spec in cloud.hosts:
        agents.SimAgent(
            machines[spec.name],
            ensemble,
            paths,
            timeout=policy.session_timeout,
            colocated=spec.colocated,
            share=share,
        )
    nova = nova_mod.Nova(kernel, networks, journal, machines)
    for spec in cloud.hosts:
        # Each instance has one VCPU.
        nova.capacity[spec.name] = {
            **nova.capacity[spec.name],
            "VCPU": spec.room,
        }
    return parts_mod.Parts(
        kernel=kernel,
        journal=journal,
        networks=networks,
        zookeeper=ensemble,
        paths=paths,
        nova=nova,
        machines=machines,
        bmcs={spec.name: _bmcs(spec, machines) for spec in cloud.hosts},
        policy=policy,
        share=share,
    )


def _machine(
    spec: script.HostSpec,
    kernel: kernel_mod.Kernel,
    networks: network.Networks,
    journal: journal_mod.Journal,
) -> machines_mod.Machine:
    machine = machines_mod.Machine(
        kernel,
        networks,
        journal,
        spec.name,
        marker=spec.marker,
        boot_seconds=spec.boot_seconds,
    )
    machine.drift = spec.drift
    return machine


def _bmcs(
    host: script.HostSpec, machines: Mapping[str, machines_mod.Machine]
) -> list[devices.Bmc]:
    machine = machines[host.name]
    return [
        devices.Bmc(
            machine.kernel,
            machine.networks,
            machine.journal,
            machine,
            mode=spec.mode,
            delay=spec.delay,
            dead_with_host=spec.dead_with_host,
            controls=machines.get(spec.controls),
            anonymous=spec.anonymous,
            name=_device_name(host, level),
        )
        for level, spec in enumerate(host.levels, 1)
    ]


def _device_name(host: script.HostSpec, level: int) -> str:
    return f"bmc-{host.name}" + (f"-{level}" if level > 1 else "")


def _mapping(pairs: Iterable[str]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in pairs)
