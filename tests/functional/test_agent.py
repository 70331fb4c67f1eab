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

"""The real agent, as a process, against a real ZooKeeper."""

import datetime
import os
import re
import signal
import tempfile
import time
import uuid

from nova_ha import clock
from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import credentials
from nova_ha.coordination import opening
from nova_ha.coordination import paths
from nova_ha.coordination import reading
from nova_ha.coordination import settings
from nova_ha.coordination import tree
from nova_ha.core import codec
from nova_ha.core import model
from tests import base
from tests import zookeeper_server
from tests.functional.agent_machine import GUEST
from tests.functional.agent_machine import Machine
from tests.functional.agent_machine import T
from tests.zookeeper_server import wait_until

TICK = 0.5
HOST = model.HostName("cmp1")
PATHS = paths.Paths("test")
PASSWORDS = {role: f"{role}-{uuid.uuid4().hex}" for role in acl.Role}
OWN = f"{HOST}-{uuid.uuid4().hex}"


class AgentCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.zookeeper = zookeeper_server.ZooKeeperServer(TICK)
        self.addCleanup(self.zookeeper.destroy)
        self.zookeeper.start()
        operator = self._session(acl.Role.OPERATOR)
        tree.init_tree(operator, PATHS, acl.identities(PASSWORDS))
        self.operator = operator
        self._enrol(OWN)
        self.engine = self._session(acl.Role.ENGINE)
        self.reader = reading.HostReader(self.engine, PATHS)
        self.machine = self._machine()

    def _enrol(self, password):
        own = acl.identity(acl.host_user(HOST), password)
        credentials.enrol(self.operator, PATHS, HOST, own)

    def _session(self, role):
        session = opening.new_session(
            settings.Settings(
                hosts=self.zookeeper.hosts,
                namespace="test",
                username=role,
                password=PASSWORDS[role],
            ),
            clock.SystemClock(),
        )
        self.addCleanup(session.close)
        session.start()
        return session

    def _machine(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        machine = Machine(
            directory, self.zookeeper.hosts, PASSWORDS[acl.Role.AGENT], OWN
        )
        self.addCleanup(machine.clean_up)
        return machine

    def _facts(self):
        return self.reader.read([HOST])[HOST]

    def _beacon(self):
        return self._facts().beacon

    def _node(self):
        return self.engine.get(PATHS.beacon(HOST))

    def _wait(self, condition, timeout=20.0):
        wait_until(condition, timeout, self.machine.said)

    def _wait_settled(self):
        """Until every check has been run, and the guests are known."""
        self._wait(
            lambda: (beacon := self._beacon()) and len(beacon.checks) == 3
        )
        self._wait(lambda: self._facts().inventory)

    def _failed(self):
        beacon = self._beacon()
        return {c.name: c.detail for c in beacon.failed_checks}

    def _transactions(self):
        """Id of ZooKeeper's last transaction; a touch is one, too."""
        answer = self.zookeeper.command("srvr")
        return int(re.search(r"Zxid: 0x([0-9a-f]+)", answer)[1], 16)

    def _longest_silence(self, seconds):
        """Longest time without a touch, where nothing else is written."""
        longest, last = 0.0, time.monotonic()
        seen, until = self._transactions(), last + seconds
        while time.monotonic() < until:
            found, now = self._transactions(), time.monotonic()
            longest = max(longest, now - last)
            if found != seen:
                seen, last = found, now
            time.sleep(0.02)
        return longest


class TestRun(AgentCase):
    def test_shows_itself_and_its_guests(self):
        self.machine.start()
        self._wait_settled()
        beacon = self._beacon()
        self.assertEqual("boot-1", beacon.boot_id)
        self.assertEqual("4c4c4544-0001", beacon.system_uuid)
        self.assertEqual(
            [("compute_service", True), ("instances_path", True)],
            [(c.name, c.ok) for c in beacon.checks if c.name != "guests"],
        )
        self.assertEqual({GUEST}, self._facts().inventory.guests)
        first = self._facts().inventory.sequence
        self._wait(lambda: self._facts().inventory.sequence >= first + 2)

    def test_sigkill_leaves_no_goodbye_and_the_beacon_goes_after_t(self):
        self.machine.start()
        self._wait_settled()
        began = time.monotonic()
        self.machine.signal(signal.SIGKILL)
        self.assertIsNotNone(self._beacon())
        self._wait(lambda: self._beacon() is None)
        took = time.monotonic() - began
        # It touched within a second (and kazoo pings) before it was killed.
        self.assertGreater(took, T - 1.5)
        self.assertLess(took, T + TICK + 0.5)
        self.assertIsNone(self._facts().goodbye)

    def test_a_restart_after_a_crash_takes_its_beacon_over(self):
        self.machine.start()
        self._wait_settled()
        session = self._beacon().session
        sequence = self._facts().inventory.sequence
        self.machine.signal(signal.SIGKILL)
        self.machine.start()
        self._wait(lambda: self._beacon().session != session, T / 2)
        self._wait(lambda: self._facts().inventory.sequence > sequence + 1)

    def test_sigterm_says_goodbye_and_a_start_withdraws_it(self):
        self.machine.start()
        self._wait_settled()
        self.assertEqual(0, self.machine.signal(signal.SIGTERM))
        facts = self._facts()
        self.assertIsNone(facts.beacon)
        self.assertEqual(model.GoodbyeReason.STOP, facts.goodbye.reason)
        self.assertEqual(120.0, facts.goodbye.ttl)
        self.assertEqual("boot-1", facts.goodbye.boot_id)
        self.machine.start()
        self._wait(lambda: self._beacon() is not None)
        self.assertIsNone(self._facts().goodbye)

    def test_another_machine_of_this_name_is_refused(self):
        self.machine.start()
        self._wait_settled()
        newcomer = self._machine()
        newcomer.start()
        self.assertEqual(1, newcomer.process.wait(20))
        self.assertIn("another machine", newcomer.said())
        self.assertNotIn("Traceback", newcomer.said())
        self.assertIn(
            self.machine.directory.name.lower(), self._beacon().machine_id
        )
        # Nor has it left a goodbye for a host that is not its own.
        self.assertIsNone(self._facts().goodbye)

    def test_recovers_from_an_outage_longer_than_its_session(self):
        process = self.machine.start()
        self._wait_settled()
        self.zookeeper.stop()
        time.sleep(15)  # the outage itself; three session time-outs
        self.assertIsNone(process.poll())
        self.zookeeper.start()
        self._wait(lambda: self._connected() and self._beacon(), 30)
        # Sessions do not age while there is no server: this may be the same
        # beacon, or the next one.
        sequence = self._facts().inventory.sequence
        self._wait(lambda: self._facts().inventory.sequence > sequence)
        self.assertIsNone(process.poll())
        self.assertEqual("boot-1", self._beacon().boot_id)
        self._wait(lambda: "Shown again" in self.machine.said())

    def _connected(self):
        try:
            self._facts()
        except exception.CoordinationUnavailable:
            return False
        return True

    def test_shows_a_new_beacon_when_its_session_has_expired(self):
        self.machine.start()
        self._wait_settled()
        session = self._beacon().session
        self.machine.process.send_signal(signal.SIGSTOP)
        self._wait(lambda: self._beacon() is None)
        self.machine.process.send_signal(signal.SIGCONT)
        self._wait(lambda: self._beacon() is not None)
        self.assertNotEqual(session, self._beacon().session)
        self.assertEqual("boot-1", self._beacon().boot_id)

    def test_starts_before_zookeeper_does(self):
        self.zookeeper.stop()
        self.machine.start()
        self._wait(lambda: "cannot be kept up" in self.machine.said())
        self.zookeeper.start()
        self._wait(lambda: self._connected() and self._beacon(), 30)


class TestCredentials(AgentCase):
    def _refused(self):
        self._wait(lambda: "nova-ha zk enrol cmp1" in self.machine.said())

    def test_waits_for_its_enrolment(self):
        credentials.revoke(self.operator, PATHS, HOST)
        process = self.machine.start()
        self._refused()
        self.assertIsNone(process.poll())
        self._enrol(OWN)
        self._wait_settled()

    def test_lives_on_while_its_password_is_replaced(self):
        self.machine.start()
        self._wait_settled()
        session = self._beacon().session
        self._enrol("another-password-of-cmp1")
        # A check that fails has to be told; that it cannot any more.
        self.machine.write("compute.pid", "0")
        self._refused()
        self.assertEqual(session, self._beacon().session)
        self.machine.write("host_password", "another-password-of-cmp1")
        self.machine.signal(signal.SIGTERM)
        self.machine.start()
        self._wait(lambda: self._beacon() and self._failed())
        self.assertIn("compute_service", self._failed())


class TestHanging(AgentCase):
    def test_a_hung_instances_path_delays_no_touch(self):
        # Opening a pipe for writing blocks, like a dead NFS server's file.
        pipe = self.machine.directory / "instances/.nova-ha-check-cmp1"
        self.machine.configure("guests_interval", 600)
        self.machine.start()
        self._wait_settled()
        os.mkfifo(pipe)
        self._wait(lambda: "instances_path" in self._failed())
        self.assertIn(
            "no answer within 0.5 s", self._failed()["instances_path"]
        )
        threads = self._threads()
        self.assertLess(self._longest_silence(5.0), 1.5)
        self.assertEqual(threads, self._threads())
        # A hung check does not hold up a stop, either.
        self.assertEqual(0, self.machine.signal(signal.SIGTERM))
        self.assertIsNotNone(self._facts().goodbye)

    def test_a_hung_guests_command_delays_no_touch(self):
        self.machine.start()
        self._wait_settled()
        guests = self.machine.directory / "guests"
        guests.unlink()
        os.mkfifo(guests)
        self._wait(lambda: "guests" in self._failed())
        before = self._facts().inventory
        self.assertLess(self._longest_silence(3.0), 1.5)
        # The old inventory stays, and its sequence stops.
        self.assertEqual(before, self._facts().inventory)

    def _threads(self):
        return len(os.listdir(f"/proc/{self.machine.process.pid}/task"))


class TestWaitReady(AgentCase):
    def _case(self, state, *moves):
        return codec.encode(
            model.RecoveryCase(
                id=model.CaseId("cmp1-7"),
                host=HOST,
                boot_id=model.BootId("boot-0"),
                state=state,
                verdict=model.Verdict(
                    kind=model.VerdictKind.DOWN,
                    reason=model.Reason.ALL_SILENT,
                ),
                opened_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
                moves=tuple(
                    model.Move(instance=model.InstanceId(GUEST), state=move)
                    for move in moves
                ),
            )
        )

    def _ends(self, timeout=20):
        return self.machine.process.wait(timeout)

    def test_permits_without_a_case_and_writes_nothing(self):
        self.machine.start("wait-ready")
        self.assertEqual(0, self._ends())
        said = self.engine.children(PATHS.agent(HOST))
        self.assertEqual((), tuple(said))

    def test_blocks_until_the_case_permits(self):
        path = PATHS.case(HOST)
        self.engine.create(path, self._case(model.CaseState.EVACUATING))
        process = self.machine.start("wait-ready")
        self._wait(lambda: "is evacuating" in self.machine.said())
        self.engine.set(
            path,
            self._case(model.CaseState.RETURNING, model.MoveState.RUNNING),
        )
        self._wait(lambda: "being evacuated" in self.machine.said())
        self.assertIsNone(process.poll())
        self.engine.set(
            path, self._case(model.CaseState.RETURNING, model.MoveState.DONE)
        )
        self.assertEqual(0, self._ends())

    def test_an_unreadable_case_blocks(self):
        self.engine.create(PATHS.case(HOST), b"not JSON")
        self.machine.start("wait-ready", "--timeout", "1")
        self.assertEqual(3, self._ends())
        self.assertIn(PATHS.case(HOST), self.machine.said())

    def test_blocks_without_zookeeper_until_overridden(self):
        self.zookeeper.stop()
        self.machine.start("wait-ready", "--timeout", "1")
        self.assertEqual(3, self._ends())
        process = self.machine.start("wait-ready")
        self._wait(lambda: self.machine.said().count("cannot be reached") > 2)
        self.assertIsNone(process.poll())
        self.machine.write("allow", "")
        self.assertEqual(0, self._ends())
        self.assertIn("WARNING", self.machine.said())

    def test_a_missing_tree_is_not_taken_for_no_case(self):
        self.machine.configure("namespace", "other")
        self.machine.start("wait-ready")
        self.assertEqual(1, self._ends())
        self.assertIn("nova-ha zk init", self.machine.said())
