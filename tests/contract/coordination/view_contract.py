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

"""The schedulers' view of the hosts."""

from nova_ha.coordination import beacons
from nova_ha.coordination import view as view_module
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2
from tests.contract.coordination.coordinated import NOW


class ViewContract(coordinated.Coordinated):
    def setUp(self) -> None:
        super().setUp()
        self.operator_tree = self.open("operator")
        self.agent = beacons.ZooKeeperBeacons(
            self.open_agent(), self.paths, C1
        )
        self.put(
            self.operator_tree,
            self.paths.host(C1),
            coordinated.host_record(),
        )
        self.agent.show(coordinated.beacon())
        self.tree = self.open("scheduler")
        self.view = view_module.ViewReader(self.tree, self.paths, self.clock)

    def start(self) -> None:
        self.view.start()
        self.addCleanup(self.view.stop)
        self.eventually(lambda: self.view.snapshot().hosts)

    def free(self, host: model.HostName = C1) -> bool | None:
        view = self.view.snapshot().hosts.get(host)
        return None if view is None else view.schedulable

    def test_before_the_start(self) -> None:
        snapshot = self.view.snapshot()
        self.assertEqual(0, len(snapshot.hosts))
        self.assertEqual(float("inf"), snapshot.age)
        self.assertFalse(snapshot.connected)

    def test_without_any_engine(self) -> None:
        self.start()
        self.eventually(lambda: self.view.snapshot().age < 60)
        self.assertTrue(self.view.snapshot().connected)
        self.assertIs(True, self.free())
        self.agent.close()
        self.eventually(lambda: self.free() is False)

    def test_verdicts(self) -> None:
        self.start()
        engine = self.open("engine")
        path = self.paths.verdict(C1)
        word = coordinated.verdict(case=model.CaseId("k"), message="fencing")
        self.put(engine, path, word)
        self.eventually(lambda: self.free() is False)
        self.assertEqual("fencing", self.view.snapshot().hosts[C1].reason)
        self.put(engine, path, coordinated.verdict(schedulable=True))
        self.eventually(lambda: self.free() is True)
        self.put(engine, path, word)
        self.eventually(lambda: self.free() is False)
        engine.delete(path)
        self.eventually(lambda: self.free() is True)

    def test_maintenance(self) -> None:
        self.start()
        record = coordinated.host_record(maintenance="disk")
        self.put(self.operator_tree, self.paths.host(C1), record)
        self.eventually(lambda: self.free() is False)

    def test_what_is_kept_of_a_host(self) -> None:
        self.start()
        record = coordinated.host_record(
            reserved=True, failure_domain="rack", incidents=(NOW,)
        )
        self.put(self.operator_tree, self.paths.host(C1), record)
        self.eventually(lambda: self.view.snapshot().hosts[C1].reserved)
        self.assertEqual("rack", self.view.snapshot().hosts[C1].failure_domain)

    def test_a_lost_agent_makes_a_host_less_stable(self) -> None:
        self.start()
        self.assertEqual(1.0, self.view.snapshot().hosts[C1].stability)
        self.agent.close()
        self.eventually(lambda: self.view.snapshot().hosts[C1].absent)
        self.assertLess(self.view.snapshot().hosts[C1].stability, 1.0)

    def test_arrivals(self) -> None:
        self.start()
        instance = model.InstanceId("vm")
        word = coordinated.verdict(
            case=model.CaseId("k"),
            case_state=model.CaseState.EVACUATING,
            targets={instance: C2},
        )
        self.put(self.open("engine"), self.paths.verdict(C1), word)
        self.eventually(lambda: self.view.snapshot().arrivals)
        self.assertEqual({C2: {instance}}, self.view.snapshot().arrivals)

    def test_snapshots_do_not_change(self) -> None:
        self.start()
        before = self.view.snapshot()
        self.agent.close()
        self.eventually(lambda: self.free() is False)
        self.assertTrue(before.hosts[C1].schedulable)

    def test_a_new_host(self) -> None:
        self.start()
        other = beacons.ZooKeeperBeacons(self.open_agent(C2), self.paths, C2)
        other.show(coordinated.beacon(host=C2))
        self.eventually(lambda: self.free(C2))

    def test_an_interruption(self) -> None:
        self.start()
        self.cut_off(self.tree)
        self.eventually(lambda: not self.view.snapshot().connected)
        # What was known stays, and its age shows.
        self.assertIs(True, self.free())
        self.agent.close()
        self.reconnect(self.tree)
        self.eventually(lambda: self.view.snapshot().connected)
        self.eventually(lambda: self.free() is False)
