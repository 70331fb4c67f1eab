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

"""Engines and ZooKeeper that fail in the middle of it."""

import contextlib
import random
import time

from testtools import content

from lab import cloud as lab_cloud
from lab import process
from nova_ha.core import model
from nova_ha.core.model import CaseState
from tests.functional import recovery_cloud
from tests.functional import recovery_evidence as evidence


class EnginesTest(recovery_cloud.RecoveryTestCase):
    def leading(self) -> process.Process:
        """The engine that leads."""
        engine: process.Process = self.wait_for(self.leader, "a leader")
        return engine

    def wait_recovered_by_another(
        self, victim: lab_cloud.Host, first: model.RecoveryCase
    ) -> None:
        case = self.wait_recovered(victim)
        self.assertNotEqual(first.epoch, case.epoch)

    # -- the leader dies --

    def test_leader_killed_before_the_power_off(self) -> None:
        victim = self.cloud.host("cmp1")
        servers = self.boot(3, victim)
        leader = self.leading()
        victim.kill()
        case = self.wait_state(victim, CaseState.FENCING)
        leader.kill()
        self.wait_recovered_by_another(victim, case)
        self.assert_moved_once(servers)
        self.assert_sound()

    def test_leader_killed_when_the_power_is_off(self) -> None:
        victim = self.cloud.host("cmp2")
        servers = self.boot(3, victim)
        leader = self.leading()
        # Nova answers nothing from the power-off on, so that the force-down
        # does not get an answer while this engine lives.
        victim.bmc.misbehave("", off_delay=3.0)
        victim.kill()
        self.wait(
            lambda: evidence.power_offs(victim, self.began), "the power-off"
        )
        api = self.cloud.nova_services.api
        api.freeze()
        case = self.wait_state(victim, CaseState.FENCED)
        leader.kill()
        api.thaw()
        self.wait_recovered_by_another(victim, case)
        self.assertEqual(1, len(evidence.power_offs(victim, self.began)))
        self.assert_moved_once(servers)
        self.assert_sound()

    def test_leader_killed_while_it_evacuates(self) -> None:
        victim = self.cloud.host("cmp3")
        servers = self.boot(4, victim)
        leader = self.leading()
        self.turn_all(spawn_delay=3.0)
        victim.kill()
        case = self.wait_in_the_middle(victim)
        leader.kill()
        self.wait_recovered_by_another(victim, case)
        self.assertEqual(1, len(evidence.power_offs(victim, self.began)))
        self.assert_moved_once(servers)
        self.assert_sound()

    def test_leaders_killed_at_random_moments(self) -> None:
        """Of thirty instances each is moved once, however often whoever
        moves them is killed; it is started again, as systemd would."""
        seed = time.time_ns()
        self.addDetail("seed", content.text_content(str(seed)))
        chance = random.Random(seed)
        victim = self.cloud.host("cmp1")
        servers = self.boot(30, victim)
        self.leading()
        victim.kill()
        self.wait(lambda: self.case(victim), "the case")
        kills = 0
        while not self.ends_within(victim, chance.uniform(0.5, 8.0)):
            if kills == 3:
                break
            self.leading().kill()
            self.cloud.nova_ha.start_engines()
            kills += 1
        self.wait_recovered(victim)
        self.assertGreaterEqual(kills, 2)
        self.assert_moved_once(servers)
        self.assert_sound()

    def ends_within(self, victim: lab_cloud.Host, seconds: float) -> bool:
        """Whether the recovery ends within so long."""
        with contextlib.suppress(process.LabError):
            process.wait_until(
                lambda: self.recovered(victim), seconds, "", interval=0.1
            )
            return True
        return False

    def recovered(self, victim: lab_cloud.Host) -> bool:
        case = self.case(victim)
        return case is not None and case.state is CaseState.EVACUATED

    # -- the leader only seems to be dead --

    def test_frozen_leader_does_nothing_more(self) -> None:
        victim = self.cloud.host("cmp4")
        servers = self.boot(4, victim)
        leader = self.leading()
        self.turn_all(spawn_delay=3.0)
        victim.kill()
        case = self.wait_in_the_middle(victim)
        leader.freeze()
        # One of the four has not been sent yet, so there is work left.
        self.assertLess(len(self.evacuations()), 4)
        self.wait_recovered_by_another(victim, case)
        sent, offs = len(self.calls()), self._fenced()

        leader.thaw()
        self.wait(self.engines_stand, "it to stand for election again")
        self.stays(
            lambda: (len(self.calls()), self._fenced()) == (sent, offs),
            5,
            "nothing is sent",
        )
        self.assertIsNot(leader, self.leader())
        self.assert_moved_once(servers)
        self.assert_sound()

    def engines_stand(self) -> bool:
        picture = self.picture()
        return picture is not None and self._engines_stand(picture)

    # -- ZooKeeper is away --

    def test_healthy_hosts_outlive_a_zookeeper_outage(self) -> None:
        self.boot(3, self.cloud.host("cmp1"))
        self.cloud.zookeeper.stop()
        self.stays(self.untouched, 30, "nothing is done")
        self.cloud.zookeeper.start()
        self.wait(self.all_alive, "all hosts to be alive")
        # Nobody is declared dead with an age from before the outage.
        self.stays(self.untouched, 5, "nothing is done")
        self.assert_sound()

    def all_alive(self) -> bool:
        picture = self.picture()
        return (
            picture is not None
            and self._engines_stand(picture)
            and not picture.verdicts
            and len([1 for one in picture.hosts.values() if one.beacon])
            == len(self.cloud.hosts)
        )

    def test_host_that_dies_in_a_zookeeper_outage(self) -> None:
        victim = self.cloud.host("cmp2")
        servers = self.boot(3, victim)
        self.cloud.zookeeper.stop()
        victim.kill()
        self.stays(self.untouched, 20, "nothing is done")
        self.cloud.zookeeper.start()
        self.wait_recovered(victim)
        self.assert_nothing_fenced(victim)
        self.assert_moved_once(servers)
        self.assert_sound()
