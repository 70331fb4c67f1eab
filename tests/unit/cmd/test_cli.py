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

"""The command line on a store and on devices in memory."""

import contextlib
import io
import json
import logging
import pathlib
import tempfile
import unittest.mock

import yaml

from nova_ha.assembly import operator as assembly
from nova_ha.assembly import tree_store
from nova_ha.cmd import cli
from nova_ha.cmd.commands import base as command_base
from nova_ha.core import model
from nova_ha.core.model import BrakeRule
from nova_ha.core.model import Hold
from tests import base
from tests.unit.cmd import test_cli_samples as samples

CONF = """
[zookeeper]
hosts = 127.0.0.1:1
username = {0}
password = a-secret-of-the-operator
[fencing]
topology_file = {1}/fencing.yaml
"""

SICK = model.Quarantine(reason="3 deaths", since=samples.ago(60))


class CliTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self._keep_logging()
        self._configure("operator")
        self.store = samples.FakeStore(samples.picture())
        self.open = self.enterContext(
            unittest.mock.patch.object(
                tree_store, "open_store", return_value=self.store
            )
        )
        self.answer = ""

    def _keep_logging(self):
        """A command sets up the log of its process, which is ours here."""
        for name in (
            "",
            "keystoneauth",
            "nova_ha",
            "nova_ha.coordination.kazoo",
        ):
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
        root = logging.getLogger()
        self.addCleanup(setattr, root, "handlers", list(root.handlers))

    def _configure(self, user):
        self.conf = self.directory / "nova-ha.conf"
        self.conf.write_text(CONF.format(user, self.directory))

    def _run(self, *arguments):
        """Returns the exit status; output and errors are kept."""
        stdout, stderr = io.StringIO(), io.StringIO()
        app = cli.NovaHa(
            stdin=io.StringIO(self.answer), stdout=stdout, stderr=stderr
        )
        with contextlib.redirect_stderr(stderr):
            try:
                status = app.run(["--config-file", str(self.conf), *arguments])
            except SystemExit as end:
                status = end.code
        self.output, self.errors = stdout.getvalue(), stderr.getvalue()
        self.assertNotIn("Traceback", self.output + self.errors)
        self.assertNotIn("a-secret", self.output + self.errors)
        return status

    def _changes(self):
        return [call for call in self.store.calls if call != ("close",)]


class GeneralTest(CliTest):
    def test_expected_errors_are_one_line_and_status_2(self):
        self.store.error = samples.UNAVAILABLE
        for command in (["status"], ["host", "list"], ["case", "show", "x"]):
            self.assertEqual(2, self._run(*command))
            self.assertEqual(
                "ERROR: no connection to ZooKeeper\n", self.errors
            )
            self.assertEqual("", self.output)
            self.assertEqual([("close",)], self.store.calls[-1:])

    def test_an_unforeseen_error_is_no_answer_either(self):
        self.store.error = RuntimeError("boom")
        self.assertEqual(2, self._run("status"))
        self.assertIn("unexpected RuntimeError: boom", self.errors)

    def test_a_missing_configuration_file_is_named(self):
        self.conf = self.directory / "missing.conf"
        self.assertEqual(2, self._run("status"))
        self.assertIn("missing.conf", self.errors)

    def test_no_command_and_an_unknown_one(self):
        self.assertEqual(2, self._run())
        self.assertEqual(2, self._run("frobnicate"))

    def test_help_documents_the_exit_status(self):
        self.assertEqual(0, self._run("help", "status"))
        self.assertIn("Exit status: 0: all is well", self.output)

    def test_another_roles_credentials_are_refused(self):
        self._configure("engine")
        self.open.side_effect = lambda conf, *_args, **_kwargs: (
            assembly.settings(conf)
        )
        self.assertEqual(2, self._run("status"))
        self.assertIn("[zookeeper] username: is 'engine'", self.errors)

    def test_who_did_it(self):
        self._run("pause")
        ((_, by, *_),) = self._changes()
        self.assertRegex(by, r"^.+@.+$")
        self._run("--as", "jane", "resume")
        self.assertEqual("jane", self._changes()[-1][1])


class StatusTest(CliTest):
    def test_all_is_well(self):
        self.assertEqual(0, self._run("status"))
        self.assertIn("All is well.", self.output)
        self.assertIn("ctl1:100 leads; standing by: ctl2:200", self.output)
        self.assertIn("ARMED; by root@ctl1", self.output)
        self.assertIn("(1 h 0 m ago)", self.output)

    def test_a_recovery(self):
        self.store.pictured = samples.recovering()
        self.assertEqual(1, self._run("status"))
        (row,) = [
            line for line in self.output.splitlines() if "| cmp2 " in line
        ]
        for words in ("down", "all-silent", "evacuating", "47.0 s", "leave"):
            self.assertIn(words, row)
        self.assertNotIn("All is well", self.output)

    def test_json_and_yaml_say_the_same(self):
        self.store.pictured = samples.recovering()
        self.assertEqual(1, self._run("status", "-f", "json"))
        one = json.loads(self.output)
        self.assertEqual(1, self._run("status", "-f", "yaml"))
        self.assertEqual(one, yaml.safe_load(self.output))
        self.assertFalse(one["well"])
        (row,) = one["attention"]
        self.assertEqual("evacuating", row["case_state"])
        self.assertEqual("2026-03-01T11:59:13Z", row["since"])
        self.assertEqual({"alive": 3, "down": 1}, one["hosts"]["by_state"])

    def test_a_storm(self):
        held = samples.case(state="suspected", hold=Hold.STORM)
        self.store.pictured = samples.picture(cases=[held])
        self.assertEqual(1, self._run("status"))
        self.assertIn("STORM: nothing new is fenced", self.output)
        self.assertIn("confirm-fenced cmp2", self.output)

    def test_which_rule_of_the_brake_holds_whom(self):
        held = samples.case(
            state="suspected", hold=Hold.STORM, held_by=BrakeRule.COOL_DOWN
        )
        self.store.pictured = samples.picture(cases=[held])
        self.assertEqual(1, self._run("status", "-f", "json"))
        found = json.loads(self.output)["brake"]
        self.assertTrue(found["storm"])
        self.assertEqual({"cool-down": ["cmp2"]}, found["held"])
        self.assertEqual(1, self._run("status"))
        self.assertIn("held by cool-down: cmp2", self.output)

    def test_hosts_in_quarantine(self):
        self.store.pictured = samples.picture(
            samples.facts("cmp1"), samples.facts("cmp2", quarantine=SICK)
        )
        self.assertEqual(1, self._run("status"))
        self.assertIn("cmp2: 3 deaths", self.output)
        self.assertIn("nova-ha host release cmp2", self.output)
        self.assertEqual(1, self._run("status", "-f", "json"))
        (one,) = json.loads(self.output)["quarantined"]
        self.assertEqual(("cmp2", "3 deaths"), (one["host"], one["reason"]))

    def test_hundreds_of_hosts(self):
        many = [
            samples.facts(f"cmp{number:03}", present=number % 2)
            for number in range(400)
        ]
        self.store.pictured = samples.picture(*many)
        self.assertEqual(1, self._run("status"))
        self.assertIn("400: 200 alive, 200 unknown", self.output)
        self.assertEqual(0, self._run("host", "list"))
        self.assertEqual(404, len(self.output.splitlines()))


class DomainsTest(CliTest):
    def setUp(self):
        super().setUp()
        self.store.pictured = samples.picture(samples.facts("cmp1"))

    def test_each_is_set_by_itself(self):
        self.assertEqual(
            0, self._run("host", "domains", "cmp1", "--failure", "rack-1")
        )
        self.assertEqual(
            [("domains", "cmp1", "rack-1", None)], self._changes()
        )
        self.assertIn("cmp1: failure domain none, storage", self.output)

    def test_one_that_is_not_known(self):
        self.assertEqual(
            2, self._run("host", "domains", "cmp9", "--storage", "nfs-1")
        )
        self.assertEqual([], self._changes())


class ReserveTest(CliTest):
    def setUp(self):
        super().setUp()
        self.store.pictured = samples.picture(
            samples.facts("cmp1"), samples.facts("cmp2", reserved=True)
        )

    def test_on_and_off(self):
        self.assertEqual(0, self._run("host", "reserve", "cmp1"))
        self.assertIn("evacuated instances only", self.output)
        self.assertEqual(0, self._run("host", "reserve", "cmp2", "--off"))
        self.assertIn("cmp2 is not reserved", self.output)
        self.assertEqual(
            [("reserve", "cmp1", True), ("reserve", "cmp2", False)],
            self._changes(),
        )

    def test_one_that_is_not_known(self):
        self.assertEqual(2, self._run("host", "reserve", "cmp9"))
        self.assertEqual([], self._changes())

    def test_it_is_shown(self):
        self.assertEqual(0, self._run("host", "list", "-f", "json"))
        (_, row) = json.loads(self.output)
        self.assertEqual("reserved", row["Flags"])
        self._run("status")
        self.assertRegex(self.output, "Reserve *cmp2: ")


class ReleaseTest(CliTest):
    def setUp(self):
        super().setUp()
        self.store.pictured = samples.picture(
            samples.facts("cmp1"), samples.facts("cmp2", quarantine=SICK)
        )

    def test_out_of_quarantine(self):
        self.assertEqual(0, self._run("host", "release", "cmp2"))
        self.assertIn("cmp2 is out of quarantine (3 deaths)", self.output)
        self.assertEqual(
            [("release", "cmp2", unittest.mock.ANY)], self._changes()
        )

    def test_failed_evacuations_stay_on_it(self):
        failed = model.Move(
            instance="i1",
            name="web",
            state=model.MoveState.FAILED,
            attempts=5,
        )
        case = samples.case(state="soaking", host="cmp1", moves=(failed,))
        self.store.pictured = samples.picture(
            samples.facts("cmp1"), cases=[case]
        )
        self.assertEqual(0, self._run("host", "release", "cmp1"))
        self.assertIn("web stay on cmp1", self.output)
        self.assertNotIn("no decision", self.output)

    def test_one_that_is_in_none(self):
        self.assertEqual(0, self._run("host", "release", "cmp1"))
        self.assertIn("cmp1 waits for no decision", self.output)

    def test_one_that_is_not_known(self):
        self.assertEqual(2, self._run("host", "release", "cmp9"))
        self.assertEqual([], self._changes())

    def test_it_is_shown(self):
        self.assertEqual(0, self._run("host", "show", "cmp2"))
        self.assertIn("3 deaths", self.output)
        self.assertEqual(0, self._run("host", "list", "-f", "json"))
        (_, row) = json.loads(self.output)
        self.assertEqual("quarantine", row["Flags"])


class HostTest(CliTest):
    def setUp(self):
        super().setUp()
        self.store.pictured = samples.recovering()

    def test_the_list_is_sorted_and_complete(self):
        self.assertEqual(0, self._run("host", "list", "-f", "json"))
        found = json.loads(self.output)
        self.assertEqual(
            ["cmp1", "cmp2", "cmp3", "cmp4"], [one["Host"] for one in found]
        )
        self.assertEqual(
            {
                "Host": "cmp2",
                "State": "down",
                "Reason": "all-silent",
                "Schedulable": False,
                "Agent": None,
                "Boot": None,
                "Guests": None,
                "Checks": "-",
                "Fencing": "",
                "Flags": "",
                "Case": "evacuating",
            },
            found[1],
        )
        self.assertEqual(1, found[0]["Guests"])
        self.assertTrue(found[0]["Schedulable"])

    def test_one_host(self):
        self.assertEqual(0, self._run("host", "show", "cmp1"))
        for words in ("machine-cmp1", "compute_service", samples.GUEST[:8]):
            self.assertIn(words, self.output)
        self.assertEqual(0, self._run("host", "show", "cmp2", "-f", "json"))
        one = json.loads(self.output)
        self.assertIsNone(one["agent"])
        self.assertFalse(one["guests"]["current"])
        self.assertEqual("evacuating", one["case_state"])

    def test_an_unknown_host_is_an_error_with_a_hint(self):
        self.store.pictured = samples.picture(samples.facts("cmp1.example"))
        self.assertEqual(2, self._run("host", "show", "cmp1"))
        self.assertIn("do you mean cmp1.example?", self.errors)
        self.assertEqual(2, self._run("host", "maintenance", "on", "cmp1"))
        self.assertEqual([], self._changes())

    def test_maintenance(self):
        self.assertEqual(
            0,
            self._run(
                "--as",
                "jane",
                "host",
                "maintenance",
                "on",
                "cmp1",
                "--reason",
                "disks",
            ),
        )
        self.assertIn("cmp1 is in maintenance: jane: disks", self.output)
        self.assertEqual(0, self._run("host", "maintenance", "off", "cmp1"))
        self.assertEqual([True, False], [one[2] for one in self._changes()])


class CaseTest(CliTest):
    def setUp(self):
        super().setUp()
        self.store.pictured = samples.recovering()
        self.store.closed = [
            samples.case(
                "cmp3",
                "closed",
                id=model.CaseId(f"case-{age}"),
                opened_at=samples.ago(age),
            )
            for age in (1000, 5000)
        ]

    def test_open_ones_and_all(self):
        self.assertEqual(0, self._run("case", "list", "-f", "json"))
        (one,) = json.loads(self.output)
        self.assertEqual("1/3", one["Moved"])
        self.assertEqual(0, self._run("case", "list", "--all", "-f", "json"))
        self.assertEqual(
            ["case-5000", "case-1000", one["Case"]],
            [each["Case"] for each in json.loads(self.output)],
        )

    def test_a_report(self):
        self.assertEqual(0, self._run("case", "show", "cmp2"))
        for words in (
            "evacuating since 2026-03-01T11:59:13Z (47.0 s ago)",
            "all-silent",
            "power-off-observed",
            "set by this case",
            "left alone",
            "| fenced ",
            "+1.500 s",
            "accepted",
            "4 (1 running, 1 done, 1 retry, 1 skipped)",
            "| vm-4 ",
            "no room",
        ):
            self.assertIn(words, " ".join(self.output.split(" ")))

    def test_a_closed_one_by_id_and_the_latest_by_host(self):
        self.assertEqual(0, self._run("case", "show", "case-5000"))
        self.assertIn("case-5000", self.output)
        self.assertEqual(0, self._run("case", "show", "cmp3", "-f", "json"))
        one = json.loads(self.output)
        self.assertEqual("case-1000", one["id"])
        self.assertEqual("opened", one["phases"][0]["phase"])

    def test_no_such_case(self):
        self.assertEqual(2, self._run("case", "show", "cmp9"))
        self.assertIn("no case 'cmp9'", self.errors)


class ConfirmTest(CliTest):
    def setUp(self):
        super().setUp()
        self._pictured(samples.case(state="fence-failed"))
        self.sits = self.enterContext(
            unittest.mock.patch.object(
                command_base, "interactive", return_value=True
            )
        )

    def _pictured(self, case, present=False):
        self.store.pictured = samples.picture(
            samples.facts("cmp1"),
            samples.facts("cmp2", present=present),
            cases=[case],
        )

    def test_the_name_has_to_be_typed(self):
        self.answer = "cmp2\n"
        status = self._run("confirm-fenced", "cmp2", "--comment", "saw it")
        self.assertEqual(0, status)
        ((what, case, by, comment),) = self._changes()
        self.assertEqual("confirm", what)
        self.assertEqual("20260301T115900Z-cmp2", case)
        self.assertEqual("saw it", comment)
        self.assertIn("disks WILL be corrupted", self.errors)
        self.assertIn("20260301T115900Z-cmp2", self.errors)

    def test_any_other_answer_confirms_nothing(self):
        for self.answer in ("", "\n", "yes\n", "cmp1\n"):
            self.assertEqual(2, self._run("confirm-fenced", "cmp2"))
            self.assertEqual([], self._changes())

    def test_without_a_terminal_it_takes_yes(self):
        self.sits.return_value = False
        self.assertEqual(2, self._run("confirm-fenced", "cmp2"))
        self.assertIn("--yes", self.errors)
        self.assertEqual([], self._changes())
        self.assertEqual(0, self._run("confirm-fenced", "cmp2", "--yes"))
        self.assertEqual(1, len(self._changes()))

    def test_refused_whatever_the_operator_says(self):
        for case, present, words in (
            (samples.case(state="evacuating"), False, "does not wait"),
            (samples.case(state="fence-failed"), True, "has a beacon"),
            (samples.case("cmp1", "suspected"), False, "no open case"),
        ):
            self._pictured(case, present)
            self.assertEqual(2, self._run("confirm-fenced", "cmp2", "--yes"))
            self.assertIn(words, self.errors)
            self.assertEqual([], self._changes())


class SwitchTest(CliTest):
    def test_pause_resume_disarm(self):
        for command, armed, paused, words in (
            ("pause", None, True, "ARMED, PAUSED"),
            ("resume", None, False, "ARMED;"),
            ("disarm", False, None, "DISARMED;"),
        ):
            self.assertEqual(0, self._run(command))
            self.assertEqual((armed, paused), self._changes()[-1][3:])
            self.assertIn(words, self.output)

    def test_what_stops_everything_works_on_any_tree(self):
        for command, checked in (
            ("pause", False),
            ("disarm", False),
            ("resume", True),
        ):
            self._run(command)
            self.assertIs(checked, self.open.call_args.kwargs["checked"])
