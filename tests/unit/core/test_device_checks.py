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

"""When fence devices are asked whether they could fence, and what follows."""

import dataclasses

from nova_ha.core import device_checks
from nova_ha.core import model
from nova_ha.core.model import Severity
from tests import base
from tests.unit.core import builders as make

HOUR = 3600.0
NOW = make.utc(0)
BAR = model.Bar(reason="it lied", since=NOW)


def report(device="bmc", level=1, problem="", **changes):
    return model.DeviceReport(
        device=device, level=level, problem=problem, **changes
    )


class ScheduleTestCase(base.TestCase):
    names = tuple(f"compute-{number}" for number in range(1000))

    def first(self, host, began, interval):
        health = model.FencingHealth(fenceable=True, since=NOW)
        kept = model.HostRecord(host=host, machine_id="m", fencing=health)
        return device_checks.first(host, kept, began, interval)

    def test_who_was_never_asked_is_asked_at_once(self):
        for host in self.names[:20]:
            kept = model.HostRecord(host=host, machine_id="m")
            self.assertEqual(50.0, device_checks.first(host, kept, 50.0, HOUR))

    def test_the_first_round_is_soon_and_spread(self):
        times = [self.first(one, 50.0, HOUR) for one in self.names]
        self.assertGreaterEqual(min(times), 50.0)
        self.assertLess(max(times), 50.0 + device_checks.FIRST_ROUND)
        for begin in range(50, 650, 100):
            share = sum(begin <= one < begin + 100 for one in times)
            self.assertLess(abs(share - 1000 / 6), 60)

    def test_a_short_interval_is_the_first_round(self):
        times = [self.first(one, 0.0, 60.0) for one in self.names]
        self.assertLess(max(times), 60.0)

    def following(self, host, now, failing=False):
        return device_checks.following(
            host, 0.0, 4 * HOUR, now, failing=failing
        )

    def test_from_then_on_once_an_interval(self):
        for host in self.names[:20]:
            first = self.following(host, 600.0)
            self.assertTrue(600.0 + 2 * HOUR < first <= 600.0 + 6 * HOUR)
            self.assertEqual(
                first + 4 * HOUR, self.following(host, first + 1.0)
            )

    def test_a_late_answer_loses_no_round_and_repeats_none(self):
        first = self.following("a", 600.0)
        late = self.following("a", first + 9 * HOUR)
        self.assertTrue(first + 11 * HOUR < late <= first + 15 * HOUR)

    def test_what_fails_is_asked_again_sooner(self):
        for host in self.names[:20]:
            again = self.following(host, 600.0, failing=True)
            self.assertLessEqual(again, 600.0 + device_checks.FAILING_PAUSE)

    def test_whose_devices_matter(self):
        for changes, expected in (
            ({}, True),
            ({"protected": "an engine"}, False),
            ({"maintenance": "RAM"}, False),
        ):
            facts = make.facts(record=make.record(**changes))
            view = make.present(host="a", facts=facts)
            self.assertIs(expected, device_checks.wanted(view))
        unknown = make.present(host="a", facts=make.facts(record=None))
        self.assertFalse(device_checks.wanted(unknown))


class ConclusionTestCase(base.TestCase):
    def conclude(self, *reports, **kept):
        return device_checks.conclude(make.record(**kept), reports, NOW)

    def kept(self, *reports, **kept):
        return self.conclude(*reports, **kept).health

    def codes(self, conclusion):
        return [one.code for one in conclusion.told]

    def test_all_is_well(self):
        found = self.conclude(report())
        self.assertTrue(found.health.fenceable)
        self.assertTrue(found.changed)
        self.assertEqual((), found.told)
        again = self.conclude(report(), fencing=found.health)
        self.assertFalse(again.changed)

    def test_a_device_fails_and_works_again(self):
        """Each once; a repetition changes nothing."""
        bad = report(problem="no connection")
        found = self.conclude(bad, fencing=self.kept(report()))
        self.assertEqual(
            ["device.failed", "host.unfenceable"], self.codes(found)
        )
        self.assertEqual(
            {Severity.ALARM}, {one.severity for one in found.told}
        )
        again = self.conclude(bad, fencing=found.health)
        self.assertEqual((False, ()), (again.changed, again.told))
        mended = self.conclude(report(), fencing=found.health)
        self.assertEqual(["device.ok", "host.fenceable"], self.codes(mended))

    def test_another_problem_of_the_same_device_is_kept_and_not_told(self):
        first = self.kept(report(problem="no connection"))
        found = self.conclude(report(problem="timed out"), fencing=first)
        self.assertTrue(found.changed)
        self.assertEqual((), found.told)

    def test_one_whole_level_is_enough(self):
        for reports, fenceable in (
            ((report(problem="x"), report("pdu", 2)), True),
            (
                (
                    report(problem="x"),
                    report("left", 2),
                    report("right", 2, "x"),
                ),
                False,
            ),
        ):
            self.assertIs(fenceable, self.kept(*reports).fenceable)

    def test_no_device_at_all(self):
        found = self.conclude(model.DeviceReport(problem="none is there"))
        self.assertEqual(["host.unfenceable"], self.codes(found))
        self.assertEqual("none is there", found.health.problem)

    def test_a_barred_device_could_not_fence_whatever_it_says(self):
        found = self.conclude(report(), barred={"bmc": BAR})
        self.assertFalse(found.health.fenceable)
        self.assertEqual({"bmc": "barred: it lied"}, found.health.failing)
        self.assertEqual({}, found.barred)

    def test_another_chassis_bars_the_device(self):
        wrong = report(problem="it controls another", other_chassis=True)
        found = self.conclude(wrong, report("pdu", 2))
        self.assertEqual(
            {"bmc": model.Bar(reason=wrong.problem, since=NOW)}, found.barred
        )
        self.assertEqual(["device.barred", "device.failed"], self.codes(found))
        self.assertTrue(found.health.fenceable)
        again = self.conclude(wrong, barred=found.barred)
        self.assertEqual({}, again.barred)

    def test_what_a_device_says_is_kept_short(self):
        found = self.kept(report(problem="x" * 10000))
        self.assertLess(len(found.failing["bmc"]), 400)

    def test_time_alone_is_no_change(self):
        before = dataclasses.replace(self.kept(report()), since=make.utc(-99))
        self.assertFalse(self.conclude(report(), fencing=before).changed)
