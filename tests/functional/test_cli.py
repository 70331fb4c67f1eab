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

"""The command line as processes, on a real ZooKeeper."""

import contextlib
import json
import os
import pty
import signal
import subprocess

from nova_ha import clock
from nova_ha.coordination import acl
from nova_ha.coordination import election
from nova_ha.coordination import opening
from nova_ha.coordination import operator_words
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import settings
from nova_ha.coordination import store
from nova_ha.core import codec
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core.model import HostName
from tests import zookeeper_server
from tests.functional import programs
from tests.unit.cmd import test_cli_samples as samples

PATHS = paths_module.Paths()


class CliOnZooKeeperTest(programs.ProgramsTestCase):
    def setUp(self):
        super().setUp()
        self._become("operator")

    def _become(self, role):
        self.role = role
        self.write_conf(
            role, zookeeper={"session_timeout": 10, "connect_timeout": 8}
        )

    def _command(self, *arguments):
        return self.command(self.role, *arguments)

    def _run(self, *arguments, status=0):
        done = self.call(self.role, *map(str, arguments), status=status)
        self.errors = done.stderr
        return done.stdout

    def _json(self, *arguments, status=0):
        return json.loads(self._run(*arguments, "-f", "json", status=status))

    def _init(self, *roles):
        return self.make_tree(self.role, roles or programs.ROLES)

    def _session(self, role, host=None):
        own = {}
        if host is not None:
            secret = (self.directory / f"{host}.password").read_text()
            own["host_username"] = acl.host_user(host)
            own["host_password"] = secret.strip()
        session = opening.new_session(
            settings.Settings(
                hosts=self.server.hosts,
                username=role,
                password=f"{role}-0123456789abcdef",
                session_timeout=10.0,
                **own,
            ),
            clock.SystemClock(),
        )
        self.addCleanup(session.close)
        session.start()
        return session

    def _cloud(self):
        """Two hosts, one of which has died; written by those who do."""
        self._run("zk", "enrol", "cmp1", "cmp2", "--directory", self.directory)
        engine = self._session("engine")
        for name in ("cmp1", "cmp2"):
            facts = samples.facts(name, present=name == "cmp1")
            agent = self._session("agent", facts.host)
            agent.create(
                PATHS.guests(facts.host), codec.encode(facts.inventory)
            )
            if facts.beacon is not None:
                agent.create(
                    PATHS.beacon(facts.host),
                    codec.encode(facts.beacon),
                    ephemeral=True,
                )
            engine.create(PATHS.host(facts.host), codec.encode(facts.record))
        self.cases = store.ZooKeeperCaseStore(engine, PATHS)
        self._lead(engine)

    def _lead(self, engine):
        elected = []
        leadership = election.ZooKeeperLeadership(
            engine,
            PATHS,
            clock.SystemClock(),
            engine="ctl1:1",
            machine_id="machine-ctl1",
            lease=6.0,
        )
        leadership.start(elected.append)
        self.addCleanup(leadership.stop)
        zookeeper_server.wait_until(lambda: elected)
        self.assertIsInstance(elected[0], events.LeadershipChanged)
        self.epoch = elected[0].epoch

    def _open_case(self, **changes):
        case = samples.case(epoch=self.epoch, **changes)
        self.version = self.cases.save(case, None)
        self.cases.publish(
            self.epoch,
            case.host,
            samples.published(case.host, samples.DOWN, case=case),
        )
        return case

    def test_the_tree_is_made_once_and_checked(self):
        self.assertIn("zk init", self._refused("status"))
        self.assertIn("created  /nova-ha/default/cases", self._init())
        self.assertIn(
            "Nothing was to be done", self._init(*programs.ROLES[:3])
        )
        self.assertIn("10 s are granted", self._run("zk", "check"))
        self._become("engine")
        self.assertIn("speaks as the operator", self._refused("status"))

    def _refused(self, *arguments):
        self._run(*arguments, status=2)
        return self.errors

    def test_a_failure_from_status_to_confirmation(self):
        self._init()
        self._cloud()
        self._run("--as", "jane", "arm", "--force", "--reason", "tested")
        self._open_case(state="fence-failed")
        status = self._json("status", status=1)
        self.assertTrue(status["switches"]["armed"])
        self.assertEqual("jane", status["switches"]["by"])
        self.assertEqual("ctl1:1", status["engines"]["leader"])
        self.assertEqual({"alive": 1, "down": 1}, status["hosts"]["by_state"])
        (row,) = status["attention"]
        self.assertIn("confirm-fenced cmp2", row["what_to_do"])
        self._lists()
        self._confirms()

    def _lists(self):
        hosts = self._json("host", "list")
        self.assertEqual(["cmp1", "cmp2"], [one["Host"] for one in hosts])
        self.assertEqual(0, hosts[0]["Guests"])
        (one,) = self._json("case", "list")
        self.assertEqual("fence-failed", one["State"])
        self.assertIn("what the case says", self._run("case", "show", "cmp2"))

    def _confirms(self):
        self._run("confirm-fenced", "cmp1", "--yes", status=2)
        self._run("confirm-fenced", "cmp2", status=2)
        self.assertEqual({}, self._confirmations())
        for comment in ("pulled the plug", "twice"):
            self._run("confirm-fenced", "cmp2", "--yes", "--comment", comment)
            (word,) = self._confirmations().values()
            self.assertEqual(
                ("cmp2", "boot-1", comment),
                (word.host, word.boot_id, word.comment),
            )

    def _confirmations(self):
        return operator_words.confirmations(
            self._session("engine"), PATHS, reading.Decoder()
        )

    def test_a_closed_case_is_in_the_history(self):
        self._init()
        self._cloud()
        case = self._open_case(state="closed")
        self.cases.close(case, self.version)
        self.cases.publish(self.epoch, case.host, None)
        self.assertEqual([], self._json("case", "list"))
        (one,) = self._json("case", "list", "--all")
        self.assertEqual(case.id, one["Case"])
        self.assertEqual(case.id, self._json("case", "show", "cmp2")["id"])

    def test_maintenance_and_switches_are_seen_by_the_engine(self):
        self._init()
        self._cloud()
        engine = self._session("engine")
        for switch, words in (("on", "disks (by jane)"), ("off", "")):
            self._run(
                "--as",
                "jane",
                "host",
                "maintenance",
                switch,
                "cmp1",
                "--reason",
                "disks",
            )
            node = engine.get(PATHS.host(HostName("cmp1")))
            record = codec.decode(model.HostRecord, node.data, node.path)
            self.assertEqual(words, record.maintenance)
        for command, armed, paused in (
            (("arm", "--force"), True, False),
            (("pause",), True, True),
            (("disarm",), False, True),
            (("resume",), False, False),
        ):
            self._run(*command)
            control = operator_words.control(engine, PATHS, reading.Decoder())
            self.assertEqual((armed, paused), (control.armed, control.paused))

    def test_without_zookeeper_there_is_no_answer(self):
        self._init()
        self.server.stop()
        self.assertIn("no connection to ZooKeeper", self._refused("status"))

    def test_watch_tells_of_changes_and_survives_an_outage(self):
        self._init()
        self._cloud()
        log = self.directory / "watch"
        with open(log, "w") as output:
            process = subprocess.Popen(
                self._command("watch", "--interval", "0.1"), stdout=output
            )
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)
        self._sees(log, "host cmp1: alive")
        self._open_case(state="fencing")
        self._sees(log, "case cmp2: fencing")
        self.server.stop()
        self._sees(log, "no answer: no connection to ZooKeeper")
        self.server.start()
        self._sees(log, "answered again")
        process.send_signal(signal.SIGINT)
        self.assertEqual(0, process.wait(10))

    def _sees(self, log, words):
        zookeeper_server.wait_until(
            lambda: words in log.read_text(), 20, log.read_text
        )

    def test_watch_on_a_terminal_is_drawn_anew(self):
        self._init()
        self._cloud()
        self._open_case(state="soaking", times={"soaking": samples.NOW})
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen(
            self._command("watch", "--interval", "0.1"),
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)
        seen = b""
        with contextlib.suppress(OSError):
            while seen.count(b"\x1b[H\x1b[J") < 3:
                seen += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        self.assertIn(b"cmp2: soaking", seen)
        self.assertIn(b"soak  [", seen)
