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

"""The lines that people read, and compare."""

from typing import Any

from nova_ha.core import model
from nova_ha.sim import journal
from nova_ha.sim import trace
from tests import base

UUID = "4c4c4544-0042-3510-8054-b7c04f4e4c31"


def entry(
    at: float, who: str, what: str, message: str = "", **details: Any
) -> journal.Entry:
    return journal.Entry(at, who, what, message, details)


def told(at: float, code: str, message: str) -> journal.Entry:
    """An engine's own event about host-1 and its case."""
    event = model.AuditEvent(
        code=code,
        host=model.HostName("host-1"),
        case=model.CaseId("host-1-20260101T000040Z"),
        message=message,
    )
    return entry(at, "engine-1", code, f"host-1: {message}", event=event)


class TraceTest(base.TestCase):
    def _lines(self, *entries: journal.Entry) -> list[str]:
        return trace.Trace(entries).lines

    def test_what_happens_is_told_in_words_or_by_its_code(self) -> None:
        self.assertEqual(
            [
                "    30.0  host-1    crashed",
                "    31.5  host-1    power goes off: by hand",
                "    43.6  engine-1  case.fencing host-1: its beacon is gone",
            ],
            self._lines(
                entry(30.0, "host-1", "machine.crashed"),
                entry(31.46, "host-1", "machine.power-off", "by hand"),
                told(43.6, "case.fencing", "its beacon is gone"),
            ),
        )

    def test_what_was_before_the_beginning_is_left_out(self) -> None:
        self.assertEqual([], self._lines(entry(-1.0, "a", "machine.crashed")))

    def test_noise_is_left_out(self) -> None:
        self.assertEqual(
            [],
            self._lines(
                entry(1.0, "engine-1", "bmc.read", host="a", state="off"),
                entry(1.0, "nova", "nova.migration", "x", status="accepted"),
                entry(1.0, "host-1", "fault.crash"),
            ),
        )

    def test_what_the_world_does_not_tell_by_itself_is_shown(self) -> None:
        lines = self._lines(
            entry(1.0, "host-1", "fault.bmc", "mode=dead"),
            entry(2.0, "nova", "nova.migration", "x failed", status="failed"),
        )
        self.assertIn("host-1  fault.bmc mode=dead", lines[0])
        self.assertIn("nova.migration x failed", lines[1])

    def test_ids_that_mean_nothing_are_left_out(self) -> None:
        (line, _) = self._lines(
            entry(1.0, "e", "nova.disabled", "case host-1-20260101T000040Z"),
            told(2.0, "case.disabled", "done"),
        )
        self.assertTrue(line.endswith("nova.disabled case of host-1"), line)
        (line,) = self._lines(entry(1.0, "e", "host.rebooted", f"boot {UUID}"))
        self.assertTrue(line.endswith("boot <id>"), line)
        (line,) = self._lines(
            entry(1.0, "e", "engine.leading", "in epoch 4711")
        )
        self.assertTrue(line.endswith("leads"), line)

    def test_guests_of_one_moment_are_one_line(self) -> None:
        lines = self._lines(
            entry(1.0, "a", "guest.stopped", "one"),
            entry(1.01, "a", "guest.stopped", "two"),
            entry(1.0, "b", "guest.stopped", "three"),
            entry(2.0, "b", "guest.stopped", "four"),
        )
        self.assertEqual("     1.0  a  runs no more: one, two", lines[0])
        self.assertEqual(3, len(lines))

    def test_marks_stand_out_where_they_belong(self) -> None:
        entries = [
            entry(1.0, "a", "machine.crashed"),
            entry(3.0, "a", "machine.booted"),
        ]
        lines = trace.Trace(entries, [(1.0, "VIOLATION of 1")]).lines
        self.assertEqual("     1.0  !!!! VIOLATION of 1", lines[1])
        self.assertEqual(3, len(lines))

    def test_whatever_a_message_holds_a_line_is_one_line(self) -> None:
        (line,) = self._lines(entry(1.0, "a", "host.down", "one\ntwo   three"))
        self.assertTrue(line.endswith("host.down one two three"), line)
