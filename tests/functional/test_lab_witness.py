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
"""The witness sees every double activity, and nothing else."""

import json
import pathlib
import subprocess
import sys
import tempfile

from lab import process
from lab import witness
from tests import base

GUEST = "6c1f0ad1-55d7-44ff-a31d-8a9a7b1ff0e5"
OTHER = "0e4d6cb5-8b39-4b2f-a4f8-9e0e90d8b1a1"


class WitnessTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(
        self,
        host: str,
        first: float,
        last: float,
        *,
        run: str = "r1",
        boot: str = "b1",
        guest: str = GUEST,
    ) -> None:
        """Lines from ``first`` to ``last``, as a guest would write them."""
        with open(self.directory / f"{guest}.journal", "a") as journal:
            for number, moment in enumerate((first, last), 1):
                journal.write(f"{moment:.4f} {host} {boot} {run} {number}\n")

    def overlaps(self) -> tuple[witness.Overlap, ...]:
        return witness.examine(self.directory).overlaps

    def test_a_guest_that_moved_is_clean(self) -> None:
        self.write("cmp1", 10, 20)
        self.write("cmp2", 20.1, 30, run="r2")
        report = witness.examine(self.directory)
        self.assertEqual((), report.overlaps)
        self.assertEqual(
            [("cmp1", 10, 20), ("cmp2", 20.1, 30)],
            [(run.host, run.first, run.last) for run in report.runs],
        )

    def test_two_hosts_at_once_are_seen(self) -> None:
        self.write("cmp1", 10, 20)
        self.write("cmp2", 19.5, 30, run="r2")
        (overlap,) = self.overlaps()
        self.assertEqual(("cmp1", "cmp2"), overlap.hosts)
        self.assertEqual((19.5, 0.5), (overlap.begin, overlap.seconds))

    def test_a_run_inside_another_is_seen(self) -> None:
        # What a frozen host's guest does when it thaws: nothing was written
        # while the other one ran, and yet both had the disk open.
        self.write("cmp1", 10, 90)
        self.write("cmp2", 20, 80, run="r2")
        (overlap,) = self.overlaps()
        self.assertEqual(60, overlap.seconds)

    def test_one_shared_moment_is_too_much(self) -> None:
        self.write("cmp1", 10, 20)
        self.write("cmp2", 20, 30, run="r2")
        self.assertEqual(1, len(self.overlaps()))

    def test_one_host_alone_is_clean(self) -> None:
        self.write("cmp1", 10, 20)
        self.write("cmp1", 15, 30, run="r2")
        self.assertEqual((), self.overlaps())

    def test_guests_are_judged_apart(self) -> None:
        self.write("cmp1", 10, 20)
        self.write("cmp2", 10, 20, guest=OTHER)
        self.assertEqual((), self.overlaps())

    def test_every_pair_is_reported(self) -> None:
        for number, host in enumerate(("cmp1", "cmp2", "cmp3")):
            self.write(host, 10, 20, run=f"r{number}")
        self.assertEqual(3, len(self.overlaps()))

    def test_a_line_cut_short_by_a_crash_is_left_out(self) -> None:
        self.write("cmp1", 10, 20)
        with open(self.directory / f"{GUEST}.journal", "a") as journal:
            journal.write("21.0 cm\nhalf of one\nx y z a b\n")
        (run,) = witness.examine(self.directory).runs
        self.assertEqual((10, 20, 2), (run.first, run.last, run.lines))

    def command(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "lab.witness", str(self.directory)],
            cwd=process.REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_command_says_clean(self) -> None:
        self.write("cmp1", 10, 20)
        done = self.command()
        answer = json.loads(done.stdout)
        self.assertEqual(0, done.returncode)
        self.assertEqual((1, []), (answer["guests"], answer["double_active"]))

    def test_command_says_double_active(self) -> None:
        self.write("cmp1", 10, 20)
        self.write("cmp2", 15, 30, run="r2")
        done = self.command()
        self.assertEqual(1, done.returncode)
        (overlap,) = json.loads(done.stdout)["double_active"]
        self.assertEqual(GUEST, overlap["guest"])

    def test_command_does_not_call_nothing_clean(self) -> None:
        self.assertEqual(2, self.command().returncode)
