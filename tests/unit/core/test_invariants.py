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

"""Random faults against the real controller and core.

What must hold is checked by :mod:`tests.fakes.chaos` at the moment at which
the engine acts, and after every rule. In the end all troubles are over, and
whatever can be recovered must have been.
"""

import contextlib

import hypothesis
from hypothesis import stateful
from hypothesis import strategies

from nova_ha.core import model
from nova_ha.core import policy as policy_mod
from tests.fakes import chaos

HOSTS = strategies.sampled_from("abcd")

POWER = strategies.sampled_from([model.PowerState.ON, model.PowerState.OFF])

OUTCOMES = strategies.lists(
    strategies.sampled_from(
        ["done", "error", "failed", "failed-running", "failed-running"]
    ),
    max_size=6,
)

SLOW = policy_mod.Policy(evacuations=2, evacuations_per_target=1)
"""Waves so small that most recoveries are in the middle of one."""

TAKEOVER = 12.0
"""Seconds until a successor leads."""


class Faults(stateful.RuleBasedStateMachine):
    """Few rules of equal weight: time passes in half of the steps, so that
    most recoveries get as far as the trouble in them is to be."""

    def __init__(self):
        super().__init__()
        self.cloud = chaos.ChaosCloud(instances=3)
        self.engine = chaos.ChaosEngine(self.cloud, policy=SLOW)
        self.zombies = []
        self.epoch = 1
        self.engine.run(20)

    @stateful.initialize(
        outcomes=OUTCOMES,
        rebuild=strategies.sampled_from([1.0, 5.0]),
        seconds=strategies.integers(5, 20),
        lost=strategies.integers(0, 1),
    )
    def a_host_has_died(self, outcomes, rebuild, seconds, lost):
        """So that something is going on from the beginning."""
        self.cloud.outcomes.extend(outcomes)
        self.cloud.rebuild_seconds = rebuild
        self.cloud.lose_requests = lost
        self.cloud.crash("a", power=model.PowerState.ON)
        self._pass(seconds)

    # -- hosts --

    def _down(self):
        return sum(not host.running for host in self.cloud.hosts.values())

    @stateful.precondition(lambda self: self._down() < 2)
    @stateful.rule(host=HOSTS, power=POWER)
    def host_dies(self, host, power):
        self.cloud.crash(host, power=power)

    @stateful.precondition(lambda self: self._down())
    @stateful.rule(agent=strategies.booleans())
    def host_is_switched_on(self, agent):
        down = [one for one in self.cloud.hosts.values() if not one.running]
        self.cloud.switch_on(down[0].name, agent=agent)

    @stateful.rule(
        host=HOSTS,
        agent=strategies.booleans(),
        compute=strategies.booleans(),
        goodbye=strategies.booleans(),
    )
    def host_is_cut_off_or_not(self, host, agent, compute, goodbye):
        one = self.cloud.hosts[host]
        if not one.running:
            return
        said = one.agent and not agent and goodbye
        one.agent, one.compute, one.goodbye = agent, compute, None
        if said:
            one.goodbye = model.Goodbye(
                host=one.name,
                boot_id=one.boot_id,
                reason=model.GoodbyeReason.STOP,
                ttl=30.0,
                said_at=self.cloud.clock.utcnow(),
            )

    @stateful.rule(
        host=HOSTS, device=strategies.sampled_from(["obeys", "fails", "hung"])
    )
    def device_becomes(self, host, device):
        self.cloud.hosts[host].device = device

    # -- Nova --

    @stateful.rule(
        seconds=strategies.sampled_from([0.0, 5.0, 30.0]),
        lost=strategies.integers(0, 2),
        down=strategies.booleans(),
        outcomes=OUTCOMES,
    )
    def nova_becomes(self, seconds, lost, down, outcomes):
        self.cloud.rebuild_seconds = seconds
        self.cloud.lose_requests = lost
        self.cloud.nova_down = down
        self.cloud.outcomes.extend(outcomes)

    # -- operators --

    @stateful.rule(
        control=strategies.sampled_from(
            [
                model.Control(armed=True),
                model.Control(armed=True),
                model.Control(armed=True, paused=True),
                model.Control(armed=False),
            ]
        )
    )
    def operator_switches(self, control):
        self.cloud.control = control
        self.engine.look()

    @stateful.rule(host=HOSTS, reason=strategies.sampled_from(["", "RAM"]))
    def operator_sets_maintenance(self, host, reason):
        self.cloud.hosts[host].maintenance = reason
        self.engine.look()

    @stateful.precondition(lambda self: self.cloud.stored)
    @stateful.rule()
    def operator_confirms(self):
        """Only what is true: the host of the case does not run."""
        for host, (case, _) in self.cloud.stored.items():
            if not self.cloud.hosts[host].running:
                self.cloud.confirm(case, by="admin")

    # -- engines --

    @stateful.rule()
    def zookeeper_blinks(self):
        self.engine.lose_zookeeper()
        self.cloud.clock.now += 5
        self.engine.find_zookeeper()

    @stateful.rule(jobs=strategies.integers(0, 30))
    def engine_is_killed(self, jobs):
        """After so many more jobs, or when ten seconds have passed."""
        self.engine.jobs_left = jobs
        with contextlib.suppress(chaos.Killed):
            self._pass(10)
        self.zombies.append(self.engine)
        self.cloud.clock.now += TAKEOVER
        self.epoch += 1
        self.engine = chaos.ChaosEngine(
            self.cloud, epoch=self.epoch, policy=SLOW
        )

    @stateful.precondition(lambda self: self.zombies)
    @stateful.rule()
    def zombie_wakes_up(self):
        self.zombies.pop().wake_up()

    # -- time --

    @stateful.rule()
    def a_moment_passes(self):
        self._pass(0.5)

    @stateful.rule()
    def seconds_pass(self):
        self._pass(3)

    @stateful.rule()
    def some_time_passes(self):
        self._pass(12)

    @stateful.precondition(lambda self: self.cloud.stored)
    @stateful.rule(seconds=strategies.integers(0, 4))
    def until_something_happens(self, seconds):
        """A case changes its state; and a little longer."""
        before = self._states()
        for _ in range(60):
            if self._states() != before:
                break
            self._pass(0.5)
        self._pass(seconds / 2)

    def _states(self):
        return [case.state for case, _ in self.cloud.stored.values()]

    def _pass(self, seconds):
        for _ in range(int(seconds / 0.5)):
            self.cloud.start_guests()
            self.engine.run(0.5)
            self.cloud.check_single_writer()

    @stateful.invariant()
    def one_writer(self):
        self.cloud.check_single_writer()

    # -- the end --

    def teardown(self):
        """All troubles end: so must all cases, and each instance runs."""
        cloud = self.cloud
        for _ in range(10):
            # Again and again: hosts are fenced once more meanwhile.
            cloud.calm()
            self._pass(60)
            if not cloud.stored:
                break
        for case, _ in cloud.stored.values():
            cloud.expect(False, f"does not end: {case}")
        cloud.check_all_run()


Faults.TestCase.settings = hypothesis.settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
FaultsTestCase = Faults.TestCase
