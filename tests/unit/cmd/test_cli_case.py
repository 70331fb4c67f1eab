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

"""Closed cases: their report, and their way into an archive."""

import json

from nova_ha.core import audit
from nova_ha.core import model
from nova_ha.core import story
from tests.unit.cmd import test_cli
from tests.unit.cmd import test_cli_samples as samples


def closed(age, host="cmp3"):
    """A case that was open for 500 seconds."""
    return samples.case(
        host,
        "closed",
        id=model.CaseId(f"case-{age}"),
        opened_at=samples.ago(age),
        times={"closed": samples.ago(age - 500)},
        story=(
            story.line(samples.ago(age), "case.opened", "its beacon is gone"),
            story.line(samples.ago(age - 500), "case.closed", "in service"),
        ),
    )


def deed(age, host="cmp3"):
    return audit.Entry(
        host=host,
        deed=audit.Deed.POWER_ON,
        by=f"ops-{age}",
        at=samples.ago(age),
        reason="repaired",
        result=audit.Result.DONE,
    )


class ReportTestCase(test_cli.CliTest):
    def test_steps_and_who_asked(self):
        self.store.closed = [closed(5000)]
        for one in (deed(6000), deed(4800), deed(4800, "cmp1"), deed(100)):
            self.store.trail.begin(one)
        self.assertEqual(0, self._run("case", "show", "case-5000"))
        for words in ("case.opened", "its beacon is gone", "case.closed"):
            self.assertIn(words, self.output)
        self.assertEqual(1, self.output.count("ops-"))
        self.assertIn("ops-4800", self.output)
        self.assertIn("repaired", self.output)

    def test_one_of_an_earlier_release_has_no_steps(self):
        self.store.closed = [samples.case("cmp3", "closed")]
        self.assertEqual(0, self._run("case", "show", "cmp3"))
        self.assertNotIn("Steps", self.output)
        self.assertNotIn("Operators", self.output)


class ExportTestCase(test_cli.CliTest):
    def setUp(self):
        super().setUp()
        self.store.closed = [closed(1000), closed(5000), closed(3000)]

    def exported(self, *arguments):
        self.assertEqual(0, self._run("case", "export", *arguments))
        return [json.loads(line)["id"] for line in self.output.splitlines()]

    def test_all_the_oldest_first(self):
        everything = ["case-5000", "case-3000", "case-1000"]
        self.assertEqual(everything, self.exported())
        self.assertEqual(everything, self.exported("-f", "json"))

    def test_those_that_are_named_each_once(self):
        self.assertEqual(
            ["case-5000", "case-1000"],
            self.exported("case-1000", "case-5000", "case-1000"),
        )

    def test_everything_is_in_it(self):
        self._run("case", "export", "case-5000")
        one = json.loads(self.output)
        self.assertEqual("case.closed", one["story"][-1]["code"])
        self.assertEqual(500.0, one["phases"][-1]["since_opened"])

    def test_an_unknown_one_is_an_error_and_nothing_is_written(self):
        self.assertEqual(2, self._run("case", "export", "case-1", "case-1000"))
        self.assertEqual("", self.output)
        self.assertIn("no closed case is called case-1 ", self.errors)

    def test_an_empty_history_is_an_empty_archive(self):
        self.store.closed = []
        self.assertEqual([], self.exported())
