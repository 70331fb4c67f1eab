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

"""``nova-ha fence off | on | clear | audit``, on devices in memory."""

import dataclasses
import json

from nova_ha import exception
from nova_ha.cmd.commands import base
from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.core.model import PowerState
from tests.unit.cmd import test_cli_fence
from tests.unit.cmd import test_cli_samples as samples

BAR = model.Bar(reason="it said off, and the host ran", since=samples.ago(60))


class PowerTest(test_cli_fence.FenceCase):
    def setUp(self):
        super().setUp()
        self.dead("cmp1")

    def dead(self, host, **record):
        self.picture(samples.facts(host, present=False, **record))

    def picture(self, *hosts, **others):
        self.store.pictured = samples.picture(*hosts, **others)

    def last(self):
        (entry,) = self.store.trail.entries.values()
        return entry

    def check_untouched(self, status, *words):
        self.assertEqual(2, status)
        for word in words:
            self.assertIn(word, self.errors)
        self.assertNotIn("off", self.bmcs["a1"].calls)
        self.assertEqual({}, self.store.trail.entries)


class OffTest(PowerTest):
    def test_off_is_seen_and_kept(self):
        status = self._run("fence", "off", "cmp1", "--yes", "--reason", "RAM")
        self.assertEqual(0, status)
        self.assertIs(PowerState.OFF, self.bmcs["a1"].state)
        self.assertIn("off, as bmc-1 says", self.output)
        entry = self.last()
        self.assertEqual(
            (audit.Deed.POWER_OFF, audit.Result.DONE, "RAM", False),
            (entry.deed, entry.result, entry.reason, entry.forced),
        )
        self.assertIn("@", entry.by)

    def test_it_was_written_before_the_device_was_spoken_to(self):
        self.bmcs["a1"].alive = False
        self.assertEqual(1, self._run("fence", "off", "cmp1", "--yes"))
        self.assertEqual(
            [audit.Result.BEGUN, audit.Result.FAILED],
            [one.result for one in self.store.trail.history],
        )
        self.assertIn("no connection", self.last().detail)

    def test_what_cannot_be_kept_is_not_done(self):
        def away(entry):
            raise exception.CoordinationUnavailable("no quorum")

        self.store.trail.begin = away
        status = self._run("fence", "off", "cmp1", "--yes")
        self.check_untouched(status, "no quorum")

    def test_a_living_host_is_refused_unless_forced(self):
        self.picture(samples.facts("cmp1"))
        status = self._run("fence", "off", "cmp1", "--yes")
        self.check_untouched(status, "alive", "--force")
        self.assertEqual(
            0, self._run("fence", "off", "cmp1", "--yes", "--force")
        )
        self.assertTrue(self.last().forced)

    def test_one_that_comes_to_life_meanwhile_is_spared(self):
        before = self.store.pictured
        alive = samples.picture(samples.facts("cmp1"))
        begin = self.store.trail.begin

        def late(entry):
            self.store.pictured = alive
            return begin(entry)

        self.store.trail.begin = late
        self.assertEqual(1, self._run("fence", "off", "cmp1", "--yes"))
        self.assertNotIn("off", self.bmcs["a1"].calls)
        self.assertIn("alive", self.last().detail)
        self.store.pictured = before

    def test_a_protected_host_is_always_refused(self):
        self.dead("cmp1", protected="it also runs: engine")
        for more in ([], ["--force"]):
            for deed in ("off", "on"):
                status = self._run("fence", deed, "cmp1", "--yes", *more)
                self.check_untouched(status, "protected")

    def test_strangers_are_refused(self):
        status = self._run("fence", "off", "cmp9", "--yes")
        self.check_untouched(status, "not known")

    def test_nobody_is_there_to_be_asked(self):
        status = self._run("fence", "off", "cmp1")
        self.check_untouched(status, "--yes")

    def test_the_name_has_to_be_typed(self):
        self.patch(base, "interactive", lambda: True)
        self.answer = "cmp2\n"
        self.check_untouched(self._run("fence", "off", "cmp1"), "not cmp1")
        self.assertIn("loses its power", self.errors)
        self.answer = "cmp1\n"
        self.assertEqual(0, self._run("fence", "off", "cmp1"))

    def test_a_broken_file_is_named_before_anything_is_done(self):
        self._topology("devices: [\n")
        status = self._run("fence", "off", "cmp1", "--yes")
        self.check_untouched(status, "fencing.yaml")

    def test_a_barred_device_is_not_used(self):
        self.dead("cmp1", barred={"bmc-1": BAR})
        self.assertEqual(1, self._run("fence", "off", "cmp1", "--yes"))
        self.assertEqual([], self.bmcs["a1"].calls)
        self.assertIn("nova-ha fence clear", self.output)


class OnTest(PowerTest):
    def setUp(self):
        super().setUp()
        self.bmcs["a1"].state = PowerState.OFF

    def test_on_is_seen_and_kept(self):
        self.assertEqual(0, self._run("fence", "on", "cmp1", "--yes"))
        self.assertIs(PowerState.ON, self.bmcs["a1"].state)
        self.assertIs(audit.Deed.POWER_ON, self.last().deed)
        self.assertIs(audit.Result.DONE, self.last().result)

    def test_a_failure_is_status_1_and_kept(self):
        self.bmcs["a1"].alive = False
        self.assertEqual(1, self._run("fence", "on", "cmp1", "--yes"))
        self.assertIs(audit.Result.FAILED, self.last().result)

    def test_not_while_a_case_needs_it_off(self):
        self.picture(
            samples.facts("cmp1", present=False),
            cases=[samples.case("cmp1", state="evacuating")],
        )
        status = self._run("fence", "on", "cmp1", "--yes")
        self.check_untouched(status, "needs it off", "--force")
        self.assertIs(PowerState.OFF, self.bmcs["a1"].state)
        self.picture(
            samples.facts("cmp1", present=False),
            cases=[samples.case("cmp1", state="evacuated")],
        )
        self.assertEqual(0, self._run("fence", "on", "cmp1", "--yes"))


class ClearTest(PowerTest):
    def setUp(self):
        super().setUp()
        self.picture(samples.facts("cmp1", barred={"bmc-1": BAR}))

    def test_a_device_that_was_checked_is_used_again(self):
        status = self._run(
            "fence", "clear", "cmp1", "bmc-1", "--reason", "cable swapped"
        )
        self.assertEqual(0, status)
        self.assertEqual([("clear", "cmp1", "bmc-1")], self._changes())
        entry = self.last()
        self.assertEqual(
            (audit.Deed.CLEAR, "bmc-1", "cable swapped"),
            (entry.deed, entry.device, entry.reason),
        )

    def test_one_that_is_still_wrong_stays_barred_unless_forced(self):
        def dead():
            self.bmcs["a1"].alive = False

        def lies():
            self.bmcs["a1"].alive = True
            self.bmcs["a1"].state = PowerState.OFF

        for fault, word in ((dead, "no connection"), (lies, "is alive")):
            fault()
            self.assertEqual(1, self._run("fence", "clear", "cmp1", "bmc-1"))
            self.assertIn(word, self.errors)
            self.assertEqual([], self._changes())
        status = self._run("fence", "clear", "cmp1", "bmc-1", "--force")
        self.assertEqual(0, status)
        self.assertTrue(self.last().forced)

    def test_what_is_not_barred_needs_nothing(self):
        self.assertEqual(0, self._run("fence", "clear", "cmp1", "bmc-2"))
        self.assertIn("not barred", self.output)
        self.assertEqual({}, self.store.trail.entries)

    def test_one_that_left_the_file_can_be_cleared(self):
        self.picture(samples.facts("cmp1", barred={"old": BAR}))
        self.assertEqual(0, self._run("fence", "clear", "cmp1", "old"))


class AuditTest(PowerTest):
    def test_who_did_what(self):
        self._run("fence", "off", "cmp1", "--yes", "--reason", "RAM")
        self.assertEqual(0, self._run("fence", "audit", "-f", "json"))
        (row,) = json.loads(self.output)
        self.assertEqual(
            ("power-off", "cmp1", "done", "RAM", False),
            (
                row["Deed"],
                row["Host"],
                row["Result"],
                row["Reason"],
                row["Forced"],
            ),
        )
        self._run("fence", "audit", "cmp2", "-f", "json")
        self.assertEqual([], json.loads(self.output))


class ShownTest(PowerTest):
    """What the routine checks have found, wherever hosts are shown."""

    def health(self, fenceable, **failing):
        return model.FencingHealth(
            fenceable=fenceable, failing=failing, since=samples.ago(600)
        )

    def setUp(self):
        super().setUp()
        self.picture(
            samples.facts("cmp1", fencing=self.health(True)),
            samples.facts("cmp2", fencing=self.health(False, bmc="timeout")),
            samples.facts(
                "cmp3",
                fencing=self.health(False, pdu="barred: it lied"),
                barred={"pdu": BAR},
            ),
            samples.facts("cmp4", fencing=self.health(True, bmc="dead")),
            samples.facts("cmp5"),
            samples.facts("ctl1", protected="engine"),
        )

    def test_status(self):
        self.assertEqual(1, self._run("status"))
        for words in (
            "NO WORKING DEVICE: cmp2, cmp3",
            "BARRED: pdu of cmp3",
            "failing beside one that works: bmc of cmp4",
            "1 hosts not checked yet",
            "nova-ha fence clear cmp3",
        ):
            self.assertIn(words, self.output)

    def test_status_as_one_object(self):
        self._run("status", "-f", "json")
        found = json.loads(self.output)["fencing"]
        self.assertEqual(
            ["cmp2", "cmp3"], [one["host"] for one in found["without_device"]]
        )
        self.assertEqual(["cmp5"], found["not_checked"])
        (bar,) = found["barred"]
        self.assertEqual(("cmp3", "pdu"), (bar["host"], bar["device"]))
        self.assertEqual(3, len(found["failing"]))

    def test_all_is_well(self):
        self.picture(samples.facts("cmp1", fencing=self.health(True)))
        self.assertEqual(0, self._run("status"))
        self.assertIn("every host has a working device", self.output)

    def test_host_list(self):
        self._run("host", "list", "-f", "json")
        self.assertEqual(
            {
                "cmp1": "ok",
                "cmp2": "NONE WORKS",
                "cmp3": "NONE WORKS",
                "cmp4": "partly",
                "cmp5": "",
                "ctl1": "",
            },
            {one["Host"]: one["Fencing"] for one in json.loads(self.output)},
        )

    def test_host_show(self):
        self._run("host", "show", "cmp3")
        self.assertIn("pdu: it said off, and the host ran", self.output)
        self._run("host", "show", "cmp3", "-f", "json")
        self.assertFalse(json.loads(self.output)["fencing"]["fenceable"])

    def test_a_bar_is_a_failure_of_the_check_and_of_arming(self):
        kept = self.store.pictured.hosts["cmp1"]
        barred = dataclasses.replace(
            kept,
            record=dataclasses.replace(kept.record, barred={"bmc-1": BAR}),
        )
        self.picture(barred)
        status, found = self._check()
        self.assertEqual(1, status)
        self.assertIn("barred", found["cmp1"]["Detail"])
        self.assertEqual(1, self._run("arm"))
