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

"""What an operator reads and changes by way of an engine."""

import dataclasses

from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.rpc import client
from tests.unit.cmd import test_cli_samples as samples
from tests.unit.rpc import bus_case

BAR = model.Bar(reason="it said off, and the host ran", since=samples.NOW)


class ReadingTest(bus_case.BusCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.remote = self.open()

    def test_a_picture_is_the_same_on_both_sides(self):
        alive = samples.facts("cmp1")
        beacon = dataclasses.replace(alive.beacon, session=0x1234)
        self.store.pictured = samples.picture(
            dataclasses.replace(alive, beacon=beacon),
            samples.facts("cmp2", present=False),
            verdicts=[samples.published("cmp2", samples.DOWN)],
            cases=[samples.evacuating()],
        )
        self.assertEqual(self.store.pictured, self.remote.picture())
        self.assertEqual(
            self.store.pictured.hosts["cmp1"], self.remote.facts("cmp1")
        )

    def test_every_field_of_a_contender_crosses(self):
        one = model.Contender(
            engine="ctl1:1",
            machine_id="m",
            epoch=model.Epoch(7),
            leading=True,
            refused="line 3",
        )
        self.store.pictured = samples.picture(contenders=(one,))
        self.assertEqual((one,), self.remote.picture().contenders)

    def test_history_requests_and_deeds(self):
        self.store.closed = [samples.case("cmp3", "closed")]
        asked = model.EvacuationRequest(host="cmp2", by="x", at=samples.NOW)
        self.store.asked = {"cmp2": asked}
        deed = audit.Entry(
            host="cmp2", deed=audit.Deed.POWER_ON, by="x", at=samples.NOW
        )
        self.store.trail.begin(deed)
        self.assertEqual(self.store.closed, list(self.remote.history()))
        self.assertEqual(self.store.asked, self.remote.requests())
        self.assertEqual([deed], list(self.remote.trail.read()))

    def test_errors_are_raised_again_with_their_words(self):
        for kind in (
            exception.CoordinationUnavailable,
            exception.CoordinationError,
            exception.NovaHaError,
        ):
            self.store.error = kind("no quorum")
            error = self.assertRaises(kind, self.remote.picture)
            self.assertIs(kind, type(error))
            self.assertEqual("no quorum", str(error))

    def test_one_with_fields_of_its_own_keeps_its_words(self):
        self.store.error = exception.ConfigError("tree", "is missing", "init")
        error = self.assertRaises(exception.NovaHaError, self.remote.picture)
        self.assertEqual("tree: is missing (init)", str(error))

    def test_a_mistake_of_ours_ends_neither_side(self):
        self.store.error = RuntimeError("boom, with a secret")
        error = self.assertRaises(exception.NovaHaError, self.remote.picture)
        self.assertIn("unexpected RuntimeError in an engine", str(error))
        self.assertNotIn("secret", str(error))
        self.store.error = None
        self.assertEqual(self.store.pictured, self.remote.picture())

    def test_the_stores_have_the_same_methods(self):
        self.assertTrue(issubclass(client.RemoteStore, operator.Store))
        self.assertEqual(frozenset(), client.RemoteStore.__abstractmethods__)


class WritingTest(bus_case.BusCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.remote = self.open()

    def changes(self):
        return self.store.calls

    def test_switches(self):
        control = self.remote.switch(by="forged", reason="why", paused=True)
        self.assertEqual(
            [("switch", "jane@ctl9", "why", None, True)], self.changes()
        )
        self.assertTrue(control.armed and control.paused)

    def test_a_confirmation_is_of_the_case_that_was_seen(self):
        case = self.remote.picture().cases["cmp2"]
        self.remote.confirm(case, by="forged", comment="plug")
        self.assertEqual(
            [("confirm", case.id, "jane@ctl9", "plug")], self.changes()
        )
        for old in (
            dataclasses.replace(case, boot_id="boot-0"),
            dataclasses.replace(case, id="another"),
            dataclasses.replace(case, host="cmp1"),
        ):
            self.assertRaises(
                exception.CoordinationError,
                self.remote.confirm,
                old,
                by="me",
                comment="",
            )
        self.assertEqual(1, len(self.changes()))

    def test_a_request_is_what_the_engine_makes_of_it(self):
        forged = model.EvacuationRequest(
            host="cmp2", by="forged", at=samples.ago(9999), servers=("s1",)
        )
        kept = self.remote.request(forged)
        self.assertEqual([("request", kept)], self.changes())
        self.assertEqual("jane@ctl9", kept.by)
        self.assertLess(samples.NOW, kept.at)
        self.assertEqual(("s1",), kept.servers)

    def test_hosts(self):
        self.remote.maintenance("cmp1", True, by="forged", reason="RAM")
        self.assertTrue(self.remote.reserve("cmp1", True).reserved)
        self.remote.domains("cmp1", failure="rack-1")
        self.assertEqual(
            [
                ("maintenance", "cmp1", True, "jane@ctl9", "RAM"),
                ("reserve", "cmp1", True),
                ("domains", "cmp1", "rack-1", None),
            ],
            self.changes(),
        )

    def test_what_is_ended_or_cleared_comes_back(self):
        sick = model.Quarantine(reason="3 deaths", since=samples.NOW)
        self.store.pictured = samples.picture(
            samples.facts("cmp1", quarantine=sick, barred={"bmc": BAR})
        )
        self.assertEqual(sick, self.remote.release("cmp1", by="forged"))
        self.assertEqual(BAR, self.remote.clear("cmp1", "bmc"))
        self.assertIsNone(self.remote.clear("cmp1", "other"))


class TrailTest(bus_case.BusCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.trail = self.open().trail
        self.begun = self.trail.begin(
            audit.Entry(
                host="cmp2",
                deed=audit.Deed.POWER_OFF,
                by="forged",
                at=samples.ago(9999),
                result=audit.Result.DONE,
            )
        )

    def kept(self):
        (entry,) = self.store.trail.entries.values()
        return entry

    def test_who_when_and_what_has_come_of_it(self):
        self.assertEqual(self.begun, self.kept())
        self.assertEqual("jane@ctl9", self.begun.by)
        self.assertLess(samples.NOW, self.begun.at)
        self.assertIs(audit.Result.BEGUN, self.begun.result)
        done = dataclasses.replace(
            self.begun, result=audit.Result.DONE, detail="off"
        )
        self.trail.end(done)
        self.assertEqual(done, self.kept())

    def test_what_is_on_record_is_not_written_anew(self):
        done = dataclasses.replace(self.begun, result=audit.Result.DONE)
        for other in (
            dataclasses.replace(done, at=samples.NOW),
            dataclasses.replace(done, reason="another"),
        ):
            self.assertRaises(
                exception.CoordinationError, self.trail.end, other
            )
        self.assertRaises(
            exception.CoordinationError,
            self.open("joe@ctl9").trail.end,
            done,
        )
        self.trail.end(done)
        failed = dataclasses.replace(done, result=audit.Result.FAILED)
        self.assertRaises(exception.CoordinationError, self.trail.end, failed)
        self.assertEqual(done, self.kept())
