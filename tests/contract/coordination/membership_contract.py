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

"""``ports.Membership``: what the engine is told of the hosts."""

import dataclasses

from nova_ha import exception
from nova_ha.coordination import beacons
from nova_ha.coordination import membership
from nova_ha.coordination import reading
from nova_ha.core import events
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination.coordinated import BOOT
from tests.contract.coordination.coordinated import C1
from tests.contract.coordination.coordinated import C2
from tests.contract.coordination.coordinated import NOW


class MembershipContract(coordinated.Coordinated):
    def setUp(self) -> None:
        super().setUp()
        self.tree = self.open("engine")
        self.operator_tree = self.open("operator")
        self.agent_tree = self.open_agent()
        self.agent = beacons.ZooKeeperBeacons(self.agent_tree, self.paths, C1)
        self.sink = coordinated.Sink()
        self.members = membership.ZooKeeperMembership(
            self.tree, self.paths, self.clock
        )

    def start(self) -> None:
        self.members.start(self.sink)
        self.addCleanup(self.members.stop)
        self.eventually(lambda: self.sink.of(events.ContendersRead))

    def known(self) -> model.HostFacts | None:
        return self.sink.facts(C1)

    def beacon_known(self) -> model.Beacon | None:
        facts = self.known()
        return None if facts is None else facts.beacon

    # -- order ---------------------------------------------------------------

    def test_everything_is_read_first(self) -> None:
        self.agent.show(coordinated.beacon())
        self.put(
            self.operator_tree,
            self.paths.host(C2),
            coordinated.host_record(host=C2),
        )
        self.start()
        first, second, *rest = self.sink.events
        self.assertEqual(events.ConnectionChanged(connected=True), first)
        assert isinstance(second, events.HostsRead)
        self.assertTrue(second.complete)
        self.assertEqual({C1, C2}, set(second.hosts))
        self.assertEqual(
            {
                events.ControlRead,
                events.ConfirmationsRead,
                events.RequestsRead,
                events.ContendersRead,
            },
            {type(event) for event in rest},
        )

    def test_an_interruption(self) -> None:
        self.agent.show(coordinated.beacon())
        self.start()
        self.sink.clear()
        self.cut_off(self.tree)
        # What changes meanwhile is found afterwards, without its edge.
        self.agent.close()
        self.reconnect(self.tree)
        self.eventually(lambda: self.sink.of(events.ContendersRead))
        first, second, third, *_ = self.sink.events
        self.assertEqual(events.ConnectionChanged(connected=False), first)
        self.assertEqual(events.ConnectionChanged(connected=True), second)
        assert isinstance(third, events.HostsRead)
        self.assertTrue(third.complete)
        self.assertIsNone(third.hosts[C1].beacon)

    def test_an_expired_session(self) -> None:
        self.agent.show(coordinated.beacon())
        self.start()
        self.expire(self.tree)
        self.eventually(
            lambda: (
                [
                    event.connected
                    for event in self.sink.of(events.ConnectionChanged)
                ]
                == [True, False, True]
            )
        )
        # It goes on watching in the new session.
        self.agent.close()
        self.eventually(lambda: self.beacon_known() is None)

    # -- hosts ---------------------------------------------------------------

    def test_a_beacon_comes_and_goes(self) -> None:
        self.start()
        self.assertEqual(model.HostFacts(host=C1), self.known())
        self.agent.show(coordinated.beacon())
        self.eventually(self.beacon_known)
        self.assertEqual(
            coordinated.beacon(session=self.agent_tree.session),
            self.beacon_known(),
        )
        self.agent.show(coordinated.beacon(agent_version="2"))
        self.eventually(
            lambda: getattr(self.beacon_known(), "agent_version", "") == "2"
        )
        self.agent.close()
        self.eventually(lambda: self.beacon_known() is None)

    def test_an_agents_session_expires(self) -> None:
        self.agent.show(coordinated.beacon())
        self.start()
        self.expire(self.agent_tree)
        self.eventually(lambda: self.beacon_known() is None)

    def test_only_changed_hosts_are_told(self) -> None:
        self.agent.show(coordinated.beacon())
        self.start()
        self.sink.clear()
        other = beacons.ZooKeeperBeacons(self.open_agent(C2), self.paths, C2)
        other.show(coordinated.beacon(host=C2))
        self.eventually(lambda: self.sink.facts(C2))
        (event, *_) = self.sink.of(events.HostsRead)
        self.assertEqual((False, {C2}), (event.complete, set(event.hosts)))

    def test_the_other_pieces(self) -> None:
        self.start()
        inventory = model.GuestInventory(
            host=C1, boot_id=BOOT, guests=frozenset(), sequence=1
        )
        record = coordinated.host_record()
        self.agent.inventory(inventory)
        self.put(self.operator_tree, self.paths.host(C1), record)
        self.agent.goodbye(coordinated.goodbye())
        wanted = model.HostFacts(
            host=C1,
            record=record,
            goodbye=coordinated.goodbye(),
            inventory=inventory,
        )
        self.eventually(lambda: self.known() == wanted)

    def test_a_removed_record(self) -> None:
        record = coordinated.host_record()
        self.put(self.operator_tree, self.paths.host(C1), record)
        self.start()
        self.operator_tree.delete(self.paths.host(C1))
        self.eventually(lambda: self.known() == model.HostFacts(host=C1))

    def test_read_host(self) -> None:
        self.agent.show(coordinated.beacon())
        facts = self.members.read_host(C1)
        self.assertIsNotNone(facts.beacon)
        self.assertEqual(model.HostFacts(host=C2), self.members.read_host(C2))
        self.cut_off(self.tree)
        self.assertRaises(
            exception.CoordinationUnavailable, self.members.read_host, C1
        )

    # -- what cannot be read -------------------------------------------------

    def test_an_unreadable_beacon_is_a_beacon(self) -> None:
        self.agent.show(coordinated.beacon())
        self.agent_tree.set(self.paths.beacon(C1), b"rubbish")
        self.start()
        shown = self.beacon_known()
        assert shown is not None
        self.assertEqual("", shown.boot_id)
        self.assertEqual(self.agent_tree.session, shown.session)

    def test_an_unreadable_record_protects(self) -> None:
        self.put(self.operator_tree, self.paths.host(C1), b"{}")
        self.start()
        facts = self.known()
        assert facts is not None and facts.record is not None
        self.assertEqual(reading.UNREADABLE, facts.record.protected)

    def test_other_unreadable_pieces_are_missing(self) -> None:
        self.agent.goodbye(coordinated.goodbye())
        self.agent_tree.set(self.paths.goodbye(C1), b"\xff")
        self.agent_tree.create(self.paths.guests(C1), b'{"v":2}')
        self.start()
        self.assertEqual(model.HostFacts(host=C1), self.known())

    def test_a_payload_about_another_host_is_unreadable(self) -> None:
        self.agent.goodbye(coordinated.goodbye())
        self.put(
            self.agent_tree,
            self.paths.goodbye(C1),
            coordinated.goodbye(host=C2),
        )
        self.start()
        self.assertEqual(model.HostFacts(host=C1), self.known())

    def test_nobody_speaks_for_a_host_from_an_alias(self) -> None:
        self.operator_tree.create(f"{self.paths.agents}/%63%31")
        self.operator_tree.create(f"{self.paths.agents}/a b")
        self.start()
        (event,) = self.sink.of(events.HostsRead)
        self.assertEqual({C1}, set(event.hosts))
        self.assertIsNone(event.hosts[C1].beacon)

    # -- operators and engines -----------------------------------------------

    def test_control(self) -> None:
        self.start()
        self.assertEqual(
            model.Control(), self.sink.of(events.ControlRead)[0].control
        )
        armed = model.Control(armed=True, by="me", at=NOW)
        self.put(self.operator_tree, self.paths.control, armed)
        self.eventually(
            lambda: (
                self.sink.last(events.ControlRead)
                == events.ControlRead(control=armed)
            )
        )
        self.assertEqual(armed, self.members.read_control())

    def test_an_unreadable_switch_is_off(self) -> None:
        self.put(self.operator_tree, self.paths.control, b'{"v":1,"armed":3}')
        control = self.members.read_control()
        self.assertEqual((False, True), (control.armed, control.paused))

    def test_confirmations(self) -> None:
        self.start()
        word = model.Confirmation(
            case=model.CaseId("k"), host=C1, boot_id=BOOT, by="me", at=NOW
        )
        self.put(self.operator_tree, self.paths.confirmation(word.case), word)
        # Of another case than its node is named after: not to be believed.
        other = self.paths.confirmation(model.CaseId("x"))
        self.put(self.operator_tree, other, word)
        wanted = events.ConfirmationsRead(confirmations={word.case: word})
        self.eventually(
            lambda: self.sink.last(events.ConfirmationsRead) == wanted
        )
        self.operator_tree.delete(self.paths.confirmation(word.case))
        self.eventually(
            lambda: (
                self.sink.last(events.ConfirmationsRead)
                == events.ConfirmationsRead(confirmations={})
            )
        )

    def test_requests(self) -> None:
        self.start()
        asked = model.EvacuationRequest(host=C1, by="me", at=NOW)
        path = self.paths.request(C1)
        self.put(self.operator_tree, path, asked)
        # Neither of another host than its node is named after, nor poison.
        self.put(self.operator_tree, self.paths.request(C2), asked)
        poison = self.paths.request(model.HostName("c9"))
        self.put(self.operator_tree, poison, b'{"v":1,"host":7}')
        wanted = events.RequestsRead(requests={C1: asked})
        self.eventually(lambda: self.sink.last(events.RequestsRead) == wanted)
        again = dataclasses.replace(asked, by="somebody else")
        self.put(self.operator_tree, path, again)
        wanted = events.RequestsRead(requests={C1: again})
        self.eventually(lambda: self.sink.last(events.RequestsRead) == wanted)

    def test_contenders(self) -> None:
        self.start()
        other = self.open("engine")
        epoch = self.stand(other, "e2")
        wanted = model.Contender(engine="e2", epoch=epoch, leading=True)
        self.eventually(
            lambda: (
                self.sink.last(events.ContendersRead)
                == events.ContendersRead(contenders=(wanted,))
            )
        )
        other.close()
        self.eventually(
            lambda: (
                self.sink.last(events.ContendersRead)
                == events.ContendersRead(contenders=())
            )
        )
