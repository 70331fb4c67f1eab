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

"""Machines with nova-compute, Nova, and an engine that asks it."""

from nova_ha import exception
from nova_ha.core import model
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines as machines_mod
from nova_ha.sim import network
from nova_ha.sim import nova as nova_mod
from tests import base

ONE = model.InstanceId("one")
TWO = model.InstanceId("two")
ENGINE = "engine-1"


class NovaTestCase(base.TestCase):
    """Three hosts, ``one`` and ``two`` on the first; an engine."""

    def setUp(self):
        super().setUp()
        self.set_up_cloud()

    def set_up_cloud(self):
        """A new one, in which 20 s have passed."""
        self.kernel = kernel_mod.Kernel(seed=5)
        self.addCleanup(self.kernel.close)
        self.networks = network.Networks()
        self.journal = journal_mod.Journal(self.kernel)
        self.machines = {
            name: machines_mod.Machine(
                self.kernel, self.networks, self.journal, name
            )
            for name in ("a", "b", "c")
        }
        self.nova = nova_mod.Nova(
            self.kernel, self.networks, self.journal, self.machines
        )
        self.program = kernel_mod.Program(self.kernel, ENGINE)
        self.api = self.nova.api(self.program, ENGINE)
        for instance in (ONE, TWO):
            self.nova.boot(instance, "a")
        for machine in self.machines.values():
            machine.start()
        self.run_for(20.0)

    def run_for(self, seconds):
        self.kernel.run(self.kernel.now + seconds)

    def ask(self, call, *arguments, seconds=30.0):
        """Have the engine call a method of its API.

        Returns what it returned, or the error that it raised; None if it has
        done neither after so many seconds.
        """
        answers = []

        def body():
            try:
                answers.append(call(*arguments))
            except exception.NovaHaError as error:
                answers.append(error)

        self.program.spawn(body, "ask")
        until = self.kernel.now + seconds
        while not answers and self.kernel.now < until:
            self.run_for(0.05)
        return answers[0] if answers else None

    def lose(self, host):
        """Switch a host off, and have Nova know it."""
        self.machines[host].power_off()
        self.nova.operator_force_down(host, True)

    def evacuate(self, target, instance=ONE):
        return self.ask(self.api.evacuate, instance, model.HostName(target))

    def runs_on(self, instance=ONE):
        """Where the guest really runs."""
        return [
            name
            for name, machine in self.machines.items()
            if instance in machine.guests
        ]

    def used(self, host):
        """How many VCPUs of a host are taken, by Placement."""
        return (
            self.nova.capacity[host]["VCPU"]
            - self.nova.records.free(host)["VCPU"]
        )

    def statuses(self, instance=ONE):
        return [
            record.status
            for record in self.nova.migrations
            if record.instance == instance
        ]

    def codes(self, who=None):
        return [
            entry.what
            for entry in self.journal.entries
            if who in (None, entry.who)
        ]
