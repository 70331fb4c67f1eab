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

import dataclasses

from nova_ha.core import events
from nova_ha.core import fleet as fleet_mod
from nova_ha.core import liveness
from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.core.model import PowerState
from tests import base
from tests.unit.core import builders as make


class FoldFactsTestCase(base.TestCase):
    def fold(self, view, at, *, first_look=False, **changes):
        return liveness.fold_facts(
            view, make.facts(**changes), at, first_look=first_look
        )

    def alive(self, boot="boot-1", **beacon):
        return self.fold(None, 0.0, beacon=make.beacon(boot=boot, **beacon))

    def test_a_beacon(self):
        view = self.alive()
        self.assertTrue(view.present)
        self.assertEqual(0.0, view.beacon_since)
        self.assertEqual(0.0, view.healthy_since)
        self.assertIsNone(view.lost_at)
        self.assertIsNone(view.rebooted_at)

    def test_lost_and_found(self):
        view = self.fold(self.alive(), 5.0)
        self.assertEqual(5.0, view.lost_at)
        self.assertFalse(view.settling)
        self.assertEqual("boot-1", view.boot_id)
        view = self.fold(view, 6.0)
        self.assertEqual(5.0, view.lost_at)
        view = self.fold(view, 7.0, beacon=make.beacon())
        self.assertIsNone(view.lost_at)
        self.assertEqual(7.0, view.beacon_since)

    def test_missing_at_the_first_look(self):
        view = self.fold(
            None, 5.0, inventory=make.inventory("a", boot="boot-7")
        )
        self.assertTrue(view.settling)
        self.assertEqual("boot-7", view.boot_id)

    def test_ages_count_anew_from_a_first_look(self):
        view = self.fold(self.alive(), 5.0)
        view = self.fold(view, 50.0, first_look=True)
        self.assertEqual((50.0, True), (view.lost_at, view.settling))
        view = self.fold(
            self.alive(), 50.0, first_look=True, beacon=make.beacon()
        )
        self.assertEqual(50.0, view.beacon_since)
        self.assertEqual(50.0, view.healthy_since)

    def test_health_counts_from_the_last_failure(self):
        broken = (model.CheckResult(name="x", ok=False),)
        view = self.alive(checks=broken)
        self.assertIsNone(view.healthy_since)
        view = self.fold(view, 5.0, beacon=make.beacon())
        self.assertEqual((0.0, 5.0), (view.beacon_since, view.healthy_since))

    def test_an_unreadable_beacon_of_the_same_session_is_no_new_boot(self):
        view = self.alive()
        for at in (5.0, 10.0):
            view = self.fold(view, at, beacon=make.beacon(boot=""))
            self.assertIsNone(view.rebooted_at)
            self.assertEqual("boot-1", view.boot_id)
            self.assertEqual(0.0, view.beacon_since)

    def test_an_unreadable_beacon_of_another_session_is_a_new_boot(self):
        view = self.fold(
            self.alive(), 5.0, beacon=make.beacon(boot="", session=77)
        )
        self.assertEqual(5.0, view.rebooted_at)
        self.assertEqual("", view.boot_id)

    def test_a_crash_and_a_new_boot(self):
        view = self.fold(self.alive(), 30.0, beacon=make.beacon(boot="boot-2"))
        self.assertEqual(30.0, view.rebooted_at)
        self.assertEqual("boot-2", view.boot_id)
        self.assertEqual(30.0, view.beacon_since)

    def test_an_orderly_reboot_is_no_crash(self):
        """The agent withdraws its goodbye when it shows its beacon."""
        said = make.goodbye(reason=model.GoodbyeReason.SHUTDOWN)
        view = self.fold(self.alive(), 5.0, goodbye=said)
        view = self.fold(view, 60.0, beacon=make.beacon(boot="boot-2"))
        self.assertIsNone(view.rebooted_at)

    def test_a_stopped_agent_does_not_excuse_a_new_boot(self):
        view = self.fold(self.alive(), 5.0, goodbye=make.goodbye())
        view = self.fold(view, 60.0, beacon=make.beacon(boot="boot-2"))
        self.assertEqual(60.0, view.rebooted_at)

    def test_a_goodbye_ages_from_when_it_is_first_seen(self):
        view = self.fold(self.alive(), 5.0, goodbye=make.goodbye())
        view = self.fold(view, 9.0, goodbye=make.goodbye())
        self.assertEqual(5.0, view.goodbye_since)
        view = self.fold(view, 11.0, goodbye=make.goodbye(ttl=7.0))
        self.assertEqual(11.0, view.goodbye_since)
        self.assertIsNone(self.fold(view, 12.0).goodbye_since)

    def test_a_beacon_voids_readings_and_doubts(self):
        view = dataclasses.replace(
            self.fold(self.alive(), 5.0),
            doubted_at=6.0,
            power=make.power(PowerState.OFF),
        )
        view = self.fold(view, 7.0, beacon=make.beacon())
        self.assertIsNone(view.doubted_at)
        self.assertIsNone(view.power)

    def test_an_inventory_counts_only_in_its_own_boot(self):
        view = self.fold(
            None, 0.0, beacon=make.beacon(), inventory=make.inventory("a")
        )
        self.assertEqual(frozenset(), view.inventory.guests)
        view = self.fold(
            view,
            1.0,
            beacon=make.beacon(boot="boot-2"),
            inventory=make.inventory("a"),
        )
        self.assertIsNone(view.inventory)
        view = self.fold(view, 2.0, inventory=make.inventory("a"))
        self.assertIsNone(view.inventory)


class FoldServiceTestCase(base.TestCase):
    def view(self):
        return liveness.fold_facts(
            None, make.facts(beacon=make.beacon()), 0.0, first_look=False
        )

    def test_another_service_of_the_same_name_starts_anew(self):
        view = liveness.fold_service(self.view(), make.service(), 1.0, 1.0)
        view = liveness.fold_service(view, make.service(reported=5), 6.0, 6.0)
        self.assertEqual(1, view.nova.moves)
        view = liveness.fold_service(
            view, make.service(reported=9, service_id="new"), 10.0, 10.0
        )
        self.assertEqual(0, view.nova.moves)

    def test_how_long_a_host_was_dead_is_no_habit_of_it(self):
        """Else a host that dies again soon after it has come back from an
        hour off would be waited for for two hours."""
        view, reported = self.view(), 0.0
        for second in range(200):
            dead = 50 <= second < 150
            if second in (50, 150):
                seen = None if dead else make.beacon(boot="boot-2")
                view = liveness.fold_facts(
                    view,
                    make.facts(beacon=seen),
                    float(second),
                    first_look=False,
                )
            if second % 10 == 0 and not dead:
                reported = float(second)
            view = liveness.fold_service(
                view,
                make.service(reported=reported),
                float(second),
                float(second),
            )
        self.assertEqual(10.0, max(view.nova.gaps))


class FleetTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.fleet = fleet_mod.Fleet()

    def read(self, at, *hosts, complete=True):
        return self.fleet.fold(
            events.HostsRead(
                hosts={one.host: one for one in hosts}, complete=complete
            ),
            at,
        )

    def test_connected_only_after_a_complete_read(self):
        self.fleet.fold(events.ConnectionChanged(connected=True), 0.0)
        self.assertFalse(self.fleet.connected)
        self.read(1.0, make.facts("a"), complete=False)
        self.assertFalse(self.fleet.connected)
        self.assertIsNone(self.fleet.view("a"))
        self.read(2.0, make.facts("a"))
        self.assertTrue(self.fleet.connected)

    def test_a_lost_session_makes_all_doubtful(self):
        self.read(1.0, make.facts("a"))
        hosts = self.fleet.fold(events.ConnectionChanged(connected=False), 2.0)
        self.assertEqual({"a"}, hosts)
        self.assertFalse(self.fleet.connected)

    def test_what_has_changed(self):
        self.read(1.0, make.facts("a"), make.facts("b"))
        changed = self.read(
            2.0, make.facts("a"), make.facts("b", beacon=make.beacon("b"))
        )
        self.assertEqual({"b"}, changed)

    def test_a_host_that_is_no_longer_there(self):
        self.read(1.0, make.facts("a"), make.facts("b"))
        self.read(2.0, make.facts("a"), complete=False)
        self.assertIsNotNone(self.fleet.view("b"))
        self.read(3.0, make.facts("a"))
        self.assertIsNone(self.fleet.view("b"))

    def test_monitored_hosts_may_be_fenced(self):
        self.read(
            1.0,
            make.facts("a"),
            make.facts("b", record=None),
            make.facts("c", record=make.record("c", protected="engine")),
            make.facts("d", record=make.record("d", maintenance="RAM")),
        )
        self.assertEqual({"a"}, self.fleet.roster.hosts)

    def test_the_roster_follows_the_records(self):
        self.read(1.0, make.facts("a"), make.facts("b"))
        first = self.fleet.roster
        self.read(2.0, make.facts("a", beacon=make.beacon()), make.facts("b"))
        self.assertIs(first, self.fleet.roster)
        sick = make.record("a", maintenance="RAM")
        self.read(3.0, make.facts("a", record=sick), make.facts("b"))
        self.assertEqual({"b"}, self.fleet.roster.hosts)
        self.read(4.0, make.facts("a", record=sick))
        self.assertEqual(set(), self.fleet.roster.hosts)

    def test_services(self):
        self.read(1.0, make.facts("a"))
        changed = self.fleet.fold(
            events.ServicesRead(
                services={"a": make.service("a"), "x": make.service("x")},
                began=2.0,
            ),
            3.0,
        )
        self.assertEqual({"a"}, changed)
        self.assertEqual("", self.fleet.services_error)
        self.assertEqual({"a", "x"}, set(self.fleet.services))
        self.assertEqual(2.0, self.fleet.view("a").nova.looked_at)
        self.fleet.fold(events.ServicesUnread(error="no answer"), 4.0)
        self.assertEqual("no answer", self.fleet.services_error)
        self.assertEqual(2.0, self.fleet.view("a").nova.looked_at)

    def test_a_look_that_showed_life_casts_doubt_on_a_missing_host(self):
        outcome = model.FenceOutcome(host="a", aborted="beacon", alive=True)
        event = events.Fenced(host="a", case="x", outcome=outcome)
        self.read(1.0, make.facts("a", beacon=make.beacon()))
        self.assertEqual(frozenset(), self.fleet.fold(event, 2.0))
        self.read(3.0, make.facts("a"))
        self.assertEqual({"a"}, self.fleet.fold(event, 4.0))
        self.assertEqual(4.0, self.fleet.view("a").doubted_at)

    def test_a_reading_of_an_unknown_host(self):
        event = events.PowerRead(
            host="x", reading=make.power(PowerState.OFF, "x"), began=1.0
        )
        self.assertEqual(frozenset(), self.fleet.fold(event, 2.0))

    def test_contenders(self):
        one = model.Contender(engine="c1:1", epoch=model.Epoch(1))
        self.fleet.fold(events.ContendersRead(contenders=(one,)), 1.0)
        self.assertEqual((one,), self.fleet.contenders)

    def test_signs_of_another_source(self):
        self.read(1.0, make.facts("a"), make.facts("b"))
        for at, value in ((2.0, "1"), (4.0, "2")):
            looks = {
                host: events.Look(
                    sign=sources.Sign(value=value, gap=2.0), began=at - 0.5
                )
                for host in ("a", "x")
            }
            changed = self.fleet.fold(
                events.SignsRead(source=sources.STORAGE, looks=looks), at
            )
            self.assertEqual({"a"}, changed)
        self.assertEqual({"storage": 1}, self.fleet.view("a").moves)
        source = self.fleet.view("a").sources[sources.STORAGE]
        self.assertEqual(
            (3.5, 4.0, 2.0),
            (source.looked_at, source.moved_at, source.promised),
        )
        self.assertEqual({}, self.fleet.view("b").moves)
