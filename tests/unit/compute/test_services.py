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

"""Reports are told from flags, unread services from silent ones."""

import logging
from typing import Any

import fixtures
from keystoneauth1 import exceptions as ks_exc

from nova_ha import exception
from nova_ha.compute import services
from tests import base
from tests.unit.compute import fake_api


def entry(host: str, second: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-of-{host}",
        "binary": "nova-compute",
        "host": host,
        "state": "up",
        "status": "enabled",
        "forced_down": False,
        "disabled_reason": None,
        "zone": "nova",
        "updated_at": f"2026-01-02T12:00:{second:02d}.000000",
        **changes,
    }


UNKNOWN = {"binary": "nova-compute", "host": "cmp9", "status": "UNKNOWN"}


class ServicesCase(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(
            fixtures.FakeLogger("nova_ha", level=logging.WARNING)
        )
        self.api = fake_api.FakeApi()
        self.services = services.Services(self.api.reader())

    def answer(self, *entries: dict[str, Any]) -> None:
        self.api.answers["/os-services"] = {"services": list(entries)}

    def second(self) -> int | None:
        (report,) = self.services.read()
        return report.reported_at.second if report.reported_at else None


class TestReportTimes(ServicesCase):
    def test_report_moves(self) -> None:
        self.answer(entry("cmp1", 1))
        self.assertEqual(1, self.second())
        self.answer(entry("cmp1", 11))
        self.assertEqual(11, self.second())

    def test_flags_are_no_report(self) -> None:
        self.answer(entry("cmp1", 1))
        self.second()
        for at, change in enumerate(
            (
                {"forced_down": True},
                {"forced_down": True, "status": "disabled"},
                {
                    "forced_down": True,
                    "status": "disabled",
                    "disabled_reason": "case 1",
                },
                {},
            ),
            start=20,
        ):
            self.answer(entry("cmp1", at, **change))
            self.assertEqual(1, self.second())
            self.assertEqual(1, self.second())  # nor later on

    def test_report_after_a_flag_counts(self) -> None:
        self.answer(entry("cmp1", 1))
        self.second()
        self.answer(entry("cmp1", 5, forced_down=True))
        self.assertEqual(1, self.second())
        self.answer(entry("cmp1", 11, forced_down=True))
        self.assertEqual(11, self.second())

    def test_clock_of_nova_steps_back(self) -> None:
        self.answer(entry("cmp1", 30))
        self.second()
        self.answer(entry("cmp1", 5))
        self.assertEqual(5, self.second())

    def test_overtaken_answer_is_no_movement(self) -> None:
        times = services.ReportTimes()
        early, late = times.begin(), times.begin()
        self.answer(entry("cmp1", 11))
        (newer,) = self.services.read()
        self.answer(entry("cmp1", 1))
        (older,) = services.Services(self.api.reader()).read()
        times.correct([newer], late)
        (corrected,) = times.correct([older], early)
        self.assertEqual(newer.reported_at, corrected.reported_at)
        (again,) = times.correct([newer], times.begin())
        self.assertEqual(newer.reported_at, again.reported_at)

    def test_flags_are_no_report_of_one_that_was_away(self) -> None:
        """Its cell was down, and it was forced down just now."""
        self.answer(entry("cmp1", 1))
        self.second()
        self.answer()
        self.assertEqual([], self.services.read())
        self.answer(entry("cmp1", 51, forced_down=True))
        self.assertEqual(1, self.second())

    def test_never_reported(self) -> None:
        self.answer(entry("cmp1", updated_at=None))
        self.assertIsNone(self.second())
        self.answer(entry("cmp1", 3))
        self.assertEqual(3, self.second())


class TestServices(ServicesCase):
    def test_fields(self) -> None:
        self.answer(
            entry(
                "cmp1",
                state="down",
                status="disabled",
                forced_down=True,
                disabled_reason="old disk",
                zone="az1",
            )
        )
        (report,) = self.services.read()
        self.assertEqual("id-of-cmp1", report.service_id)
        self.assertFalse(report.up)
        self.assertTrue(report.disabled and report.forced_down)
        self.assertEqual(
            ("old disk", "az1"), (report.disabled_reason, report.zone)
        )

    def test_unread_ones_are_left_out_and_told_once(self) -> None:
        self.answer(entry("cmp1"), UNKNOWN)
        for _ in range(3):
            self.assertEqual(["cmp1"], [r.host for r in self.services.read()])
        self.assertEqual(1, self.log.output.count("cmp9"))

    def test_two_services_of_one_host(self) -> None:
        self.answer(
            entry("cmp1", 1, id="old"),
            entry("cmp1", 9, id="new"),
            entry("cmp1", updated_at=None, id="never"),
        )
        (report,) = self.services.read()
        self.assertEqual("new", report.service_id)

    def test_does_the_cell_answer(self) -> None:
        self.answer(entry("cmp1"))
        self.assertTrue(self.services.cell_answers("cmp1"))
        self.answer(UNKNOWN)
        self.assertFalse(self.services.cell_answers("cmp9"))
        self.answer()
        self.assertIsNone(self.services.cell_answers("cmp5"))

    def test_no_answer(self) -> None:
        self.api.answers["/os-services"] = ks_exc.ServiceUnavailable()
        self.assertRaises(exception.ComputeUnavailable, self.services.read)

    def test_odd_answer(self) -> None:
        broken = entry("cmp1")
        del broken["state"]
        self.answer(broken)
        self.assertRaises(exception.ComputeError, self.services.read)
