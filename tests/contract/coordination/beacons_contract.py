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

"""``ports.Beacons``: what an agent writes."""

from nova_ha import exception
from nova_ha.coordination import beacons
from nova_ha.coordination import membership
from nova_ha.core import events
from nova_ha.core import model
from tests.contract.coordination import coordinated
from tests.contract.coordination.coordinated import BOOT
from tests.contract.coordination.coordinated import C1


class BeaconsContract(coordinated.Coordinated):
    def setUp(self) -> None:
        super().setUp()
        self.tree = self.open_agent()
        self.beacons = self.new(self.tree)
        self.path = self.paths.beacon(C1)

    def new(self, tree: object) -> beacons.ZooKeeperBeacons:
        return beacons.ZooKeeperBeacons(tree, self.paths, C1)  # type: ignore[arg-type]

    def owner(self) -> int:
        node = self.open("engine").get(self.path)
        return 0 if node is None else int(node.owner)

    # -- showing -------------------------------------------------------------

    def test_show(self) -> None:
        self.assertIsNone(self.beacons.facts().beacon)
        self.beacons.show(coordinated.beacon())
        self.assertEqual(
            coordinated.beacon(session=self.tree.session),
            self.beacons.facts().beacon,
        )

    def test_show_again_replaces(self) -> None:
        self.beacons.show(coordinated.beacon())
        before = self.tree.get(self.path)
        check = model.CheckResult(name="x", ok=False)
        self.beacons.show(coordinated.beacon(checks=(check,)))
        shown = self.beacons.facts().beacon
        assert shown is not None
        self.assertEqual((check,), shown.checks)
        # In the same node: nobody may take it for gone.
        self.assertEqual(before.created, self.tree.get(self.path).created)

    def test_show_withdraws_a_goodbye(self) -> None:
        self.beacons.goodbye(coordinated.goodbye())
        self.beacons.show(coordinated.beacon())
        facts = self.beacons.facts()
        self.assertIsNone(facts.goodbye)
        self.assertIsNotNone(facts.beacon)

    def test_a_restarted_agent_takes_its_old_beacon_over(self) -> None:
        old = self.open_agent()
        self.new(old).show(coordinated.beacon())
        self.beacons.show(coordinated.beacon(boot_id="boot-2"))
        self.assertEqual(self.tree.session, self.owner())
        # The end of the old session takes nothing along.
        old.close()
        self.assertEqual(self.tree.session, self.owner())

    def test_another_machine_of_that_name_is_refused(self) -> None:
        other = self.open_agent()
        self.new(other).show(coordinated.beacon(machine_id="machine-2"))
        error = self.assertRaises(
            exception.CoordinationError,
            self.beacons.show,
            coordinated.beacon(),
        )
        self.assertIn("another machine (machine-2", str(error))
        self.assertIn("[DEFAULT] host", str(error))
        self.assertEqual(other.session, self.owner())
        # Once that one is gone for sure, the name is free.
        other.close()
        self.beacons.show(coordinated.beacon())

    def test_an_unreadable_beacon_is_not_taken_over(self) -> None:
        other = self.open_agent()
        self.new(other).show(coordinated.beacon())
        other.set(self.path, b"rubbish")
        self.assertRaises(
            exception.CoordinationError,
            self.beacons.show,
            coordinated.beacon(),
        )

    def test_show_after_the_session_expired(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.expire(self.tree)
        self.assertEqual(0, self.owner())
        self.beacons.show(coordinated.beacon())
        self.assertEqual(self.tree.session, self.owner())

    # -- touching ------------------------------------------------------------

    def test_touch(self) -> None:
        self.beacons.show(coordinated.beacon())
        before = self.tree.get(self.path)
        for _ in range(3):
            self.beacons.touch()
        self.assertEqual(before, self.tree.get(self.path))

    def test_touch_after_showing_twice(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.beacons.show(coordinated.beacon(agent_version="2"))
        self.beacons.touch()

    def untouchable(self) -> None:
        self.assertRaises(
            exception.CoordinationUnavailable, self.beacons.touch
        )

    def test_touch_before_anything_is_shown(self) -> None:
        self.untouchable()

    def test_touch_of_a_beacon_that_is_gone(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.tree.delete(self.path)
        self.untouchable()
        self.beacons.show(coordinated.beacon())
        self.beacons.touch()

    def test_touch_after_the_session_expired(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.expire(self.tree)
        self.untouchable()

    def test_touch_of_a_beacon_that_was_taken_over(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.new(self.open_agent()).show(coordinated.beacon())
        self.untouchable()

    def test_touch_without_a_connection(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.cut_off(self.tree)
        self.untouchable()
        self.reconnect(self.tree)
        self.beacons.touch()

    def test_touch_after_goodbye(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.beacons.goodbye(coordinated.goodbye())
        self.untouchable()

    # -- the rest ------------------------------------------------------------

    def test_goodbye_takes_the_beacon_away(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.beacons.goodbye(coordinated.goodbye(ttl=5.0))
        facts = self.beacons.facts()
        self.assertIsNone(facts.beacon)
        self.assertEqual(coordinated.goodbye(ttl=5.0), facts.goodbye)

    def test_goodbye_without_a_beacon(self) -> None:
        self.beacons.goodbye(coordinated.goodbye(ttl=5.0))
        self.beacons.goodbye(coordinated.goodbye(ttl=6.0))
        self.assertEqual(
            coordinated.goodbye(ttl=6.0), self.beacons.facts().goodbye
        )

    def test_nobody_ever_sees_neither(self) -> None:
        """Beacon and goodbye are exchanged in one step, seen as one."""
        sink = coordinated.Sink()
        watcher = membership.ZooKeeperMembership(
            self.open("engine"), self.paths, self.clock
        )
        self.beacons.show(coordinated.beacon())
        watcher.start(sink)
        self.addCleanup(watcher.stop)
        self.eventually(lambda: sink.facts(C1))
        for _ in range(30):
            self.beacons.goodbye(coordinated.goodbye())
            self.beacons.show(coordinated.beacon())
        self.beacons.goodbye(coordinated.goodbye(ttl=1.0))
        self.eventually(
            lambda: (
                coordinated.goodbye(ttl=1.0)
                == getattr(sink.facts(C1), "goodbye", None)
            )
        )
        for event in sink.of(events.HostsRead):
            facts = event.hosts[C1]
            self.assertTrue(facts.beacon or facts.goodbye, facts)

    def test_inventory(self) -> None:
        inventory = model.GuestInventory(
            host=C1,
            boot_id=BOOT,
            guests=frozenset({model.InstanceId("i1")}),
            sequence=1,
        )
        self.beacons.inventory(inventory)
        self.assertEqual(inventory, self.beacons.facts().inventory)
        self.beacons.show(coordinated.beacon())
        self.beacons.inventory(inventory)
        self.beacons.close()
        # It outlives the agent: the engine knows the boot by it.
        self.assertIsNotNone(self.open("engine").get(self.paths.guests(C1)))

    def test_close_takes_the_beacon_away_at_once(self) -> None:
        self.beacons.show(coordinated.beacon())
        self.beacons.close()
        self.assertEqual(0, self.owner())

    def test_own_case(self) -> None:
        self.assertIsNone(self.beacons.case())
        engine = self.open("engine")
        self.put(engine, self.paths.case(C1), coordinated.case())
        self.assertEqual(coordinated.case(), self.beacons.case())
        # Unreadable is not "no case": guests must not start.
        self.put(engine, self.paths.case(C1), b"rubbish")
        self.assertRaises(exception.PayloadError, self.beacons.case)

    def test_contenders(self) -> None:
        self.assertEqual(0, len(self.beacons.contenders()))
        first = self.stand(self.open("engine"), "z")
        second = self.stand(self.open("engine"), "a")
        self.assertEqual(
            [("z", first, True), ("a", second, False)],
            [
                (one.engine, one.epoch, one.leading)
                for one in self.beacons.contenders()
            ],
        )

    def test_own_record(self) -> None:
        self.put(
            self.open("operator"),
            self.paths.host(C1),
            coordinated.host_record(maintenance="disk"),
        )
        record = self.beacons.facts().record
        assert record is not None
        self.assertEqual("disk", record.maintenance)
