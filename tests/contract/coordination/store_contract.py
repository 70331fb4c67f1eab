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

"""``ports.CaseStore``: durable, compare-and-set, and the leader's alone."""

import dataclasses
import datetime

from nova_ha import exception
from nova_ha import ports
from nova_ha.coordination import beacons
from nova_ha.coordination import contenders
from nova_ha.coordination import reading
from nova_ha.coordination import store as store_module
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.core import slimming
from nova_ha.core.model import Epoch
from tests.contract.coordination import coordinated
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2
from tests.contract.coordination.coordinated import NOW


class StoreContract(coordinated.Coordinated):
    def setUp(self) -> None:
        super().setUp()
        self.tree = self.open("engine")
        self.epoch = self.stand(self.tree)
        self.store = store_module.ZooKeeperCaseStore(
            self.tree, self.paths, history=3
        )
        self.case = coordinated.case(epoch=self.epoch)

    def cases(self) -> list[model.RecoveryCase]:
        return [one.case for one in self.store.load().cases]

    def closed(self) -> list[str]:
        return list(self.open("operator").children(self.paths.history))

    # -- compare and set -----------------------------------------------------

    def test_save_and_load(self) -> None:
        self.assertEqual([], self.cases())
        first = self.store.save(self.case, None)
        moved = dataclasses.replace(self.case, state=model.CaseState.FENCING)
        second = self.store.save(moved, first)
        self.assertGreater(second, first)
        # A successor reads what was saved last.
        other = store_module.ZooKeeperCaseStore(
            self.open("engine"), self.paths
        )
        self.assertEqual([ports.StoredCase(moved, second)], other.load().cases)

    def test_a_version_is_good_once(self) -> None:
        first = self.store.save(self.case, None)
        self.store.save(self.case, first)
        error = self.assertRaises(
            exception.StaleVersion, self.store.save, self.case, first
        )
        self.assertEqual(first, error.expected)

    def test_a_host_has_one_open_case(self) -> None:
        self.store.save(self.case, None)
        other = dataclasses.replace(self.case, id=model.CaseId("case-2"))
        self.assertRaises(exception.StaleVersion, self.store.save, other, None)

    def test_a_case_that_is_gone_is_stale(self) -> None:
        version = self.store.save(self.case, None)
        self.store.close(self.case, version)
        self.assertRaises(
            exception.StaleVersion, self.store.save, self.case, version
        )

    def test_hosts_with_odd_names(self) -> None:
        for name in ("a/b", "..", "ü.example.org", "%41"):
            odd = dataclasses.replace(self.case, host=model.HostName(name))
            self.store.save(odd, None)
        self.assertEqual(4, len(self.cases()))

    def test_a_case_too_large_is_saved_without_its_details(self) -> None:
        large = dataclasses.replace(self.case, message="x" * 1_000_000)
        self.store.save(large, None)
        (read,) = self.cases()
        self.assertEqual(slimming.slim(large), read)

    def test_a_case_too_large_even_so_is_refused(self) -> None:
        moves = tuple(
            model.Move(instance=model.InstanceId(f"{n:036}"))
            for n in range(5000)
        )
        large = dataclasses.replace(self.case, moves=moves)
        self.assertRaises(
            exception.PayloadTooLarge, self.store.save, large, None
        )

    def test_unreadable_cases_are_named_and_left_alone(self) -> None:
        self.store.save(self.case, None)
        path = self.paths.case(C2)
        self.tree.create(path, b"rubbish")
        self.assertEqual([self.case], self.cases())
        self.assertEqual([C2], list(self.store.load().unreadable))
        self.assertEqual(b"rubbish", self.tree.get(path).data)

    def test_a_case_of_another_host_is_unreadable(self) -> None:
        self.put(self.tree, self.paths.case(C2), self.case)
        stored = self.store.load()
        self.assertEqual([], stored.cases)
        self.assertEqual([C2], list(stored.unreadable))

    # -- the leader's alone --------------------------------------------------

    def every_change(self, epoch: Epoch) -> None:
        """All of them, with this epoch, are refused."""
        case = dataclasses.replace(self.case, epoch=epoch)
        self.put(
            self.open("operator"),
            self.paths.confirmation(case.id),
            model.Confirmation(
                case=case.id, host=C1, boot_id=case.boot_id, by="me", at=NOW
            ),
        )
        version = self.tree.get(self.paths.case(C1)).version
        refused = exception.NotLeading
        store = self.store
        self.assertRaises(refused, store.save, case, version)
        fresh = dataclasses.replace(case, host=C2)
        self.assertRaises(refused, store.save, fresh, None)
        self.assertRaises(refused, store.close, case, version)
        verdict = coordinated.verdict()
        self.assertRaises(refused, store.publish, epoch, C1, verdict)
        record = coordinated.host_record()
        self.assertRaises(refused, store.enrol, epoch, record)
        self.assertRaises(refused, store.consume, epoch, case.id)
        operator = self.open("operator")
        asked = model.EvacuationRequest(host=C1, by="me", at=NOW)
        self.put(operator, self.paths.request(C1), asked)
        self.assertRaises(refused, store.drop_request, epoch, asked)
        agent = self.open_agent(C1)
        theirs = beacons.ZooKeeperBeacons(agent, self.paths, C1)
        theirs.show(coordinated.beacon(host=C1))
        session = agent.session
        self.assertRaises(refused, store.drop_beacon, epoch, C1, session)
        path = self.paths.host(C1)
        if self.tree.get(path) is None:
            self.put(operator, path, record)
        self.assertRaises(refused, store.count_death, epoch, C1, NOW)
        self.assertRaises(refused, store.quarantine, epoch, C1, self.SICK)
        self.assertRaises(refused, store.bar, epoch, C1, {"bmc": self.BAR})
        self.assertRaises(refused, store.keep_fencing, epoch, C1, self.HEALTH)
        self.assertRaises(refused, store.show_refused, epoch, "line 3")

    def test_a_deposed_leader_changes_nothing(self) -> None:
        self.store.save(self.case, None)
        successor = self.open("engine")
        epoch = self.stand(successor, "e2")
        self.assertGreater(epoch, self.epoch)
        self.retire(self.tree)
        self.every_change(self.epoch)
        self.assertEqual([self.case], self.cases())
        self.assertEqual([], list(self.store.published()))
        # The successor goes on.
        other = store_module.ZooKeeperCaseStore(successor, self.paths)
        (stored,) = other.load().cases
        other.save(
            dataclasses.replace(stored.case, epoch=epoch), stored.version
        )

    def test_who_does_not_lead_yet_changes_nothing(self) -> None:
        self.store.save(self.case, None)
        epoch = self.stand(self.open("engine"), "e2")
        self.every_change(epoch)

    def test_a_session_that_expired_and_is_back_changes_nothing(self) -> None:
        self.store.save(self.case, None)
        self.expire(self.tree)
        self.assertRaises(exception.NotLeading, self.store.save, self.case, 0)

    def test_without_a_connection(self) -> None:
        self.cut_off(self.tree)
        for call in (
            self.store.load,
            lambda: self.store.save(self.case, None),
            lambda: self.store.publish(self.epoch, C1, None),
        ):
            self.assertRaises(exception.CoordinationUnavailable, call)
        self.reconnect(self.tree)
        self.store.save(self.case, None)

    # -- history -------------------------------------------------------------

    def test_close(self) -> None:
        version = self.store.save(self.case, None)
        self.store.close(self.case, version)
        self.assertEqual([], self.cases())
        self.assertEqual(["case-1"], self.closed())

    def test_close_repeated_after_a_lost_answer(self) -> None:
        version = self.store.save(self.case, None)
        self.store.close(self.case, version)
        self.store.close(self.case, version)
        self.assertEqual(["case-1"], self.closed())

    def test_close_of_what_is_closed_and_yet_open(self) -> None:
        """As a restored backup may leave it: nothing gets stuck."""
        version = self.store.save(self.case, None)
        self.tree.create(self.paths.closed(self.case.id))
        self.store.close(self.case, version)
        self.assertEqual([], self.cases())
        self.assertEqual(["case-1"], self.closed())
        self.assertNotEqual(
            b"", self.tree.get(self.paths.closed(self.case.id)).data
        )

    def test_a_large_history_loses_its_details(self) -> None:
        moves = tuple(
            model.Move(
                instance=model.InstanceId(f"{n:036}"),
                name="a name",
                state=model.MoveState.DONE,
            )
            for n in range(2000)
        )
        large = dataclasses.replace(self.case, moves=moves)
        self.store.close(large, self.store.save(large, None))
        node = self.tree.get(self.paths.closed(self.case.id))
        closed = codec.decode(model.RecoveryCase, node.data, node.path)
        self.assertEqual(slimming.slim(large), closed)

    def test_close_compares_versions(self) -> None:
        version = self.store.save(self.case, None)
        self.store.save(self.case, version)
        self.assertRaises(
            exception.StaleVersion, self.store.close, self.case, version
        )
        self.assertEqual(1, len(self.cases()))
        self.assertEqual([], self.closed())

    def test_close_of_what_never_was(self) -> None:
        self.assertRaises(
            exception.StaleVersion, self.store.close, self.case, 0
        )

    def test_history_keeps_the_newest(self) -> None:
        for number in (5, 1, 4, 2, 3):
            one = dataclasses.replace(
                self.case, id=model.CaseId(f"case-{number}")
            )
            self.store.close(one, self.store.save(one, None))
        self.assertEqual(["case-2", "case-3", "case-4"], self.closed())

    # -- verdicts, hosts, confirmations --------------------------------------

    def test_publish(self) -> None:
        verdict = coordinated.verdict(message="a")
        self.store.publish(self.epoch, C1, verdict)
        self.store.publish(self.epoch, C1, verdict)
        changed = dataclasses.replace(verdict, message="b")
        self.store.publish(self.epoch, C1, changed)
        self.assertEqual([changed], list(self.store.published()))
        self.store.publish(self.epoch, C1, None)
        self.store.publish(self.epoch, C1, None)
        self.assertEqual([], list(self.store.published()))

    def test_enrol(self) -> None:
        record = coordinated.host_record(enrolled_at=NOW)
        self.store.enrol(self.epoch, record)
        self.assertEqual(record, self.recorded())

    def recorded(self) -> model.HostRecord:
        facts = self.read_back()
        assert facts.record is not None
        return facts.record

    def read_back(self) -> model.HostFacts:
        reader = reading.HostReader(self.tree, self.paths)
        return reader.read([C1])[C1]

    def test_enrol_keeps_what_an_operator_has_set(self) -> None:
        kept = coordinated.host_record(
            maintenance="disk",
            reserved=True,
            failure_domain="rack-1",
            storage_domain="ceph-1",
            protected="all-in-one",
            enrolled_at=NOW,
        )
        self.put(self.open("operator"), self.paths.host(C1), kept)
        later = NOW + datetime.timedelta(days=1)
        fresh = coordinated.host_record(
            machine_id="machine-2",
            service_id="service-2",
            system_uuid="uuid-2",
            enrolled_at=later,
        )
        self.store.enrol(self.epoch, fresh)
        self.assertEqual(
            dataclasses.replace(
                kept,
                machine_id="machine-2",
                service_id="service-2",
                system_uuid="uuid-2",
            ),
            self.recorded(),
        )

    def test_enrol_keeps_what_an_agent_has_proven(self) -> None:
        """Until it proves something else; not to know is not to know that."""
        for proven, kept in (("nfs-1", "nfs-1"), (None, "nfs-1"), ("", "")):
            self.store.enrol(
                self.epoch, coordinated.host_record(proven_storage=proven)
            )
            self.assertEqual(kept, self.recorded().proven_storage)

    def test_enrol_protects(self) -> None:
        self.store.enrol(self.epoch, coordinated.host_record())
        self.store.enrol(
            self.epoch, coordinated.host_record(protected="engine")
        )
        self.assertEqual("engine", self.recorded().protected)

    def test_enrol_leaves_an_unreadable_record_alone(self) -> None:
        path = self.paths.host(C1)
        self.put(self.open("operator"), path, b"rubbish")
        error = self.assertRaises(
            exception.PayloadError,
            self.store.enrol,
            self.epoch,
            coordinated.host_record(),
        )
        self.assertEqual(path, error.where)
        self.assertEqual(b"rubbish", self.tree.get(path).data)

    SICK = model.Quarantine(reason="3 deaths", since=NOW)
    BAR = model.Bar(reason="it lied", since=NOW)
    HEALTH = model.FencingHealth(
        fenceable=False, failing={"bmc": "no connection"}, since=NOW
    )

    def test_deaths_are_counted_once(self) -> None:
        self.store.enrol(self.epoch, coordinated.host_record())
        later = NOW + datetime.timedelta(hours=1)
        for at in (later, NOW, later):
            self.store.count_death(self.epoch, C1, at)
        self.assertEqual((NOW, later), self.recorded().incidents)

    def test_quarantine(self) -> None:
        self.store.enrol(self.epoch, coordinated.host_record())
        self.store.count_death(self.epoch, C1, NOW)
        self.store.quarantine(self.epoch, C1, self.SICK)
        other = dataclasses.replace(self.SICK, reason="another")
        self.store.quarantine(self.epoch, C1, other)
        self.assertEqual(self.SICK, self.recorded().quarantine)
        # What an agent says of its host changes none of it.
        self.store.enrol(
            self.epoch, coordinated.host_record(machine_id="machine-2")
        )
        self.assertEqual(
            (self.SICK, (NOW,)),
            (self.recorded().quarantine, self.recorded().incidents),
        )
        self.store.quarantine(self.epoch, C1, None)
        self.assertEqual(
            coordinated.host_record(machine_id="machine-2"), self.recorded()
        )

    def test_bar(self) -> None:
        bar = self.BAR
        self.store.enrol(self.epoch, coordinated.host_record())
        self.store.bar(self.epoch, C1, {"bmc": bar})
        other = dataclasses.replace(bar, reason="another")
        self.store.bar(self.epoch, C1, {"bmc": other, "pdu": other})
        expected = {"bmc": bar, "pdu": other}
        self.assertEqual(expected, self.recorded().barred)
        # No agent lifts it by enrolling again.
        self.store.enrol(
            self.epoch, coordinated.host_record(machine_id="machine-2")
        )
        self.assertEqual(expected, self.recorded().barred)

    def test_what_a_check_has_found(self) -> None:
        self.store.enrol(self.epoch, coordinated.host_record())
        self.store.keep_fencing(self.epoch, C1, self.HEALTH)
        self.store.enrol(
            self.epoch, coordinated.host_record(machine_id="machine-2")
        )
        self.assertEqual(self.HEALTH, self.recorded().fencing)

    def test_why_fencing_yaml_is_refused_is_seen_with_the_leader(self) -> None:
        reader = self.open("operator")
        decoder = reading.Decoder()
        for problem in ("", "line 3: no driver", "line 3: no driver", ""):
            self.store.show_refused(self.epoch, problem)
            (leader,) = contenders.read(reader, self.paths, decoder)
            self.assertEqual(problem, leader.refused)
            self.assertEqual(self.epoch, leader.epoch)
        # Still the leader, and still able to act.
        self.store.publish(self.epoch, C1, coordinated.verdict())

    def test_a_host_that_is_gone_is_not_enrolled_by_its_death(self) -> None:
        self.store.count_death(self.epoch, C1, NOW)
        self.store.quarantine(self.epoch, C1, self.SICK)
        self.store.bar(self.epoch, C1, {"bmc": self.BAR})
        self.assertIsNone(self.read_back().record)

    def test_drop_request(self) -> None:
        path, operator = self.paths.request(C1), self.open("operator")
        asked = model.EvacuationRequest(host=C1, by="me", at=NOW)
        newer = dataclasses.replace(asked, by="somebody else")
        self.put(operator, path, newer)
        self.store.drop_request(self.epoch, asked)
        self.assertIsNotNone(self.tree.get(path))
        self.store.drop_request(self.epoch, newer)
        self.assertIsNone(self.tree.get(path))
        self.store.drop_request(self.epoch, newer)

    def test_drop_beacon(self) -> None:
        path = self.paths.beacon(C1)
        agent = self.open_agent(C1)
        theirs = beacons.ZooKeeperBeacons(agent, self.paths, C1)
        theirs.show(coordinated.beacon(host=C1))
        self.store.drop_beacon(self.epoch, C1, agent.session + 1)
        self.assertIsNotNone(self.tree.get(path))
        self.store.drop_beacon(self.epoch, C1, agent.session)
        self.assertIsNone(self.tree.get(path))
        self.store.drop_beacon(self.epoch, C1, agent.session)
        # Its agent finds out, and shows itself again.
        self.assertRaises(exception.CoordinationUnavailable, theirs.touch)
        theirs.show(coordinated.beacon(host=C1))
        theirs.touch()

    def test_consume(self) -> None:
        path = self.paths.confirmation(self.case.id)
        word = model.Confirmation(
            case=self.case.id,
            host=C1,
            boot_id=self.case.boot_id,
            by="me",
            at=NOW,
        )
        self.put(self.open("operator"), path, word)
        self.store.consume(self.epoch, self.case.id)
        self.assertIsNone(self.tree.get(path))
        self.store.consume(self.epoch, self.case.id)
